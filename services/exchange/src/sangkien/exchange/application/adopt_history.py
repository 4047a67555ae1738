"""After a restore: learn from the hub what this node had said, and go on numbering behind it.

The hub's log is the record of what was sealed. From the last number that both agreed on, our own numbers are given up;
the seals that the hub kept are taken over if they are really ours, matched with our messages by business key; what the
hub does not have is numbered anew behind them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sangkien.custody import Head, Place, Seal, SealBroken, check_body, place, read_seal
from sangkien.exchange.application.link_ports import Chain, Ledger, Notes, Outgoings
from sangkien.exchange.application.ports import Commit, Registry, World
from sangkien.exchange.application.post_messages import HUB
from sangkien.exchange.application.seal_messages import bearing
from sangkien.exchange.domain.outgoing import VERDICT_UNKNOWN, Outgoing, outgoing_id
from sangkien.store import Op

PAGE: Final = 500
END: Final = 2**53


class AdoptHistory:
    """One page of history at a time, each in one unit; cut off anywhere, the next receipt begins it again."""

    def __init__(
        self,
        outgoings: Outgoings,
        ledger: Ledger,
        registry: Registry,
        world: World,
        commit: Commit,
        notes: Notes,
        *,
        seal_key: str,
    ) -> None:
        self._notes = notes
        self._outgoings = outgoings
        self._ledger = ledger
        self._registry = registry
        self._world = world
        self._commit = commit
        self._seal_key = seal_key

    async def wanted(self) -> tuple[int, int] | None:
        """Epoch and number after which history is needed; None while nothing is to be reconciled.

        Gives up the numbers above the last one agreed on first.
        """
        chain = await self._ledger.chain()
        if not chain.reconciling:
            return None
        word = await self._ledger.word()
        if chain.head.n > word.confirmed:
            chain = await self._rewind(chain, word.confirmed)
        return chain.head.epoch, chain.head.n

    async def _rewind(self, chain: Chain, confirmed: int) -> Chain:
        epoch = chain.head.epoch
        while found := await self._outgoings.numbered(epoch, confirmed, END, PAGE):
            await self._commit([self._outgoings.stored(message.unsealed()) for message in found if message.kept])
            if lost := [message for message in found if not message.kept]:
                # Taken over from an earlier history, so without a body: the history has them once more.
                await self._commit([self._outgoings.forgotten(message) for message in lost])
        last = await self._outgoings.at(epoch, confirmed) if confirmed else None
        head = Head(epoch, confirmed, last.seal_sha256) if last else Head.start(epoch)
        await self._commit([self._ledger.stored(replace(chain, head=head))])
        return await self._ledger.chain()

    async def __call__(self, epoch: int, after: int, seals: Sequence[str]) -> None:
        """Take over one page, whose first seal has the number `after` + 1. Answers to old questions change nothing.

        An empty page ends it: the hub has no more. Raises Conflict when another writer was faster.
        """
        chain = await self._ledger.chain()
        if not chain.reconciling or epoch != chain.head.epoch or after != chain.head.n:
            return
        head = chain.head
        read: list[Seal] = []
        for compact in seals:
            seal = self._own(compact)
            if seal is None or place(head, seal) is not Place.FOLLOWS:
                self._notes.error("history_is_not_ours", number=head.n + 1)
                break
            read.append(seal)
            head = head.after(seal)
        word = replace(await self._ledger.word(), confirmed=head.n)
        done = not seals
        ops = [*await self._adopted(read), self._ledger.stored(replace(chain, head=head, reconciling=not done))]
        await self._commit([*ops, self._ledger.stored(word)])
        if done:
            self._notes.info("chain_reconciled", number=head.n)

    def _own(self, compact: str) -> Seal | None:
        me = self._registry.me
        try:
            seal = read_seal(compact, [self._seal_key, *me.seal_keys])
        except SealBroken as broken:
            self._notes.error("history_seal_broken", code=broken.code)
            return None
        return seal if seal.sender == me.node else None

    async def _adopted(self, seals: Sequence[Seal]) -> list[Op]:
        """The operations that give our messages these seals, or make rows without a body where we know of none."""
        ids = [_id_of(seal) for seal in seals]
        known = await self._outgoings.get_many(ids)
        bodies = await self._outgoings.bodies([id for id, message in known.items() if message.kept])
        now = self._world.now()
        ops: list[Op] = []
        used: set[str] = set()
        for id, seal in zip(ids, seals, strict=True):
            message = known.get(id)
            if id in used or (message is not None and message.n):
                id, message = f"{id}:{seal.epoch}:{seal.n}", None  # noqa: PLW2901 (said twice: each has its number)
            used.add(id)
            if message is None:
                message = _unknown(id, seal)
            elif message.kept and not _sealed_in(seal, bodies.get(id, b"")):
                message = replace(message, kept=False)
                ops.append(self._outgoings.without_body(id))
            ops.append(self._outgoings.stored(bearing(message, seal).receipted(now, reason=VERDICT_UNKNOWN)))
        return ops


def _unknown(id: str, seal: Seal) -> Outgoing:
    return Outgoing(
        id=id,
        message_id=seal.id,
        receiver=seal.receiver,
        type=seal.type,
        key=seal.key,
        size=seal.size,
        trace=seal.trace,
        posted_at=seal.at,
        kept=False,
    )


def _sealed_in(seal: Seal, body: bytes) -> bool:
    try:
        check_body(seal, body)
    except SealBroken:
        return False
    return True


def _id_of(seal: Seal) -> str:
    return outgoing_id(seal.receiver, seal.key, life=seal.epoch if seal.receiver == HUB else 0)
