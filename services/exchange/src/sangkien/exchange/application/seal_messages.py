"""Gives what was posted its number and its seal, in order: the one writer at the end of the chain."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sangkien.custody import Seal, SealKey, make_seal
from sangkien.exchange.application.link_ports import Ledger, Outgoings
from sangkien.exchange.application.ports import Commit, World
from sangkien.exchange.domain.outgoing import Outgoing
from sangkien.store import Op

MOST: Final = 200
MOST_BYTES: Final = 8 * 1024 * 1024
"""Of bodies read at once."""


def within(messages: Sequence[Outgoing], most_bytes: int = MOST_BYTES) -> list[Outgoing]:
    """The first of the messages that weigh no more together, at least one."""
    chosen: list[Outgoing] = []
    size = 0
    for message in messages:
        size += message.size
        if chosen and size > most_bytes:
            break
        chosen.append(message)
    return chosen


class SealMessages:
    """Seals the next of what was posted."""

    def __init__(
        self, outgoings: Outgoings, ledger: Ledger, world: World, commit: Commit, *, node: str, key: SealKey
    ) -> None:
        self._outgoings = outgoings
        self._ledger = ledger
        self._world = world
        self._commit = commit
        self._node = node
        self._key = key

    async def __call__(self) -> int:
        """Seal at most 200; how many. Raises Conflict when another writer was faster, with nothing written."""
        chain = await self._ledger.chain()
        if chain.reconciling:
            return 0
        messages = within(await self._before_goodbye(await self._outgoings.posted(MOST)))
        if not messages:
            return 0
        bodies = await self._outgoings.bodies([message.id for message in messages])
        now = self._world.now()
        ops: list[Op] = []
        head = chain.head
        for message in messages:
            seal = make_seal(
                self._key,
                id=message.message_id,
                sender=self._node,
                receiver=message.receiver,
                type=message.type,
                business_key=message.key,
                epoch=head.epoch,
                n=head.n + 1,
                prev=head.hash,
                at=now,
                body=bodies[message.id],
                trace=message.trace,
            )
            head = head.after(seal)
            ops.append(self._outgoings.stored(bearing(message, seal)))
        await self._commit([*ops, self._ledger.stored(replace(chain, head=head))])
        return len(messages)

    async def _before_goodbye(self, messages: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """Nothing follows a goodbye in the same life."""
        membership = await self._ledger.membership()
        if not membership.goodbye:
            return messages
        ids = [message.id for message in messages]
        return messages[: ids.index(membership.goodbye) + 1] if membership.goodbye in ids else ()


def bearing(message: Outgoing, seal: Seal) -> Outgoing:
    """The message with this seal."""
    return message.sealed(
        message_id=seal.id,
        epoch=seal.epoch,
        n=seal.n,
        seal=seal.compact,
        seal_sha256=seal.hash,
        body_sha256=seal.sha256,
        at=seal.at,
    )
