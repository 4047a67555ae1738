"""The node's own life in the federation: joining, active, leaving, left; and a new life under a new epoch."""

import asyncio
from dataclasses import replace
from typing import Final

from sangkien.custody import Head
from sangkien.exchange.application.link_ports import (
    Chain,
    Crossings,
    HubWord,
    Inflow,
    Ledger,
    Membership,
    Notes,
    Outgoings,
    Steady,
)
from sangkien.exchange.application.ports import Commit, Outbound, World
from sangkien.exchange.application.post_messages import HUB, PostMessages
from sangkien.exchange.domain.errors import EchoUnanswered, LeaveUnanswered, NodeLeft
from sangkien.exchange.domain.outgoing import Outgoing, OutState, outgoing_id
from sangkien.store.deciding import decided_again

PAGE: Final = 500
ECHO_WAIT_S: Final = 10
LEAVE_WAIT_S: Final = 10
LOOK_S: Final = 0.05


class LiveInFederation:
    """Begins a life, asks for signs of the hub, and ends a life."""

    def __init__(  # noqa: PLR0913
        self,
        outgoings: Outgoings,
        ledger: Ledger,
        crossings: Crossings,
        post: PostMessages,
        world: World,
        commit: Commit,
        steady: Steady,
        notes: Notes,
        *,
        epoch: int,
    ) -> None:
        self._notes = notes
        self._outgoings = outgoings
        self._ledger = ledger
        self._crossings = crossings
        self._post = post
        self._world = world
        self._commit = commit
        self._steady = steady
        self._epoch = epoch

    async def begin(self) -> None:
        """Take up the life that the member folder names: a new one begins a new chain and says an echo first.

        What the hub is not known to have of the former life is sealed again in this one. Cut off, it is called again.
        """
        chain = await self._ledger.chain()
        if chain.head.epoch != self._epoch or not chain.version:
            await self._begin_anew(chain)
        if (await self._ledger.membership()).state == "joining":
            await self._say_echo()

    async def _begin_anew(self, chain: Chain) -> None:
        self._notes.info("life_begins", epoch=self._epoch)
        while found := await self._outgoings.not_of(self._epoch, PAGE):
            await self._commit([self._outgoings.stored(message.unsealed()) for message in found])
        word, inflow = await self._ledger.word(), await self._ledger.inflow()
        membership = await self._ledger.membership()
        await self._commit(
            [
                self._ledger.stored(replace(chain, head=Head.start(self._epoch), reconciling=False)),
                self._ledger.stored(HubWord(self._epoch, version=word.version)),
                self._ledger.stored(Inflow(self._epoch, version=inflow.version)),
                self._ledger.stored(Membership("joining", version=membership.version)),
            ]
        )

    async def follow(self) -> None:
        """Move on by what the hub receipted: joining to active, leaving to left."""
        await decided_again(self._follow)

    async def _follow(self) -> None:
        membership, word = await self._ledger.membership(), await self._ledger.word()
        if membership.state == "joining" and word.confirmed > 0:
            await self._commit([self._ledger.stored(replace(membership, state="active"))])
        elif membership.state == "leaving":
            goodbye = await self._outgoings.get(membership.goodbye)
            if goodbye is not None and _receipted(goodbye):
                await self._commit([self._ledger.stored(replace(membership, state="left"))])

    async def echo(self, wait_s: int) -> tuple[float, int]:
        """Say an echo; milliseconds until the hub's receipt, and its number. Raises EchoUnanswered, NodeLeft."""
        if (await self._ledger.membership()).state == "left":
            raise NodeLeft
        began, seconds = self._steady(), wait_s or ECHO_WAIT_S
        id = await self._say_echo()
        found = await self._until_receipted(id, began + seconds)
        if found is None:
            raise EchoUnanswered(seconds=seconds)
        return (self._steady() - began) * 1000, found.n

    async def leave(self) -> None:
        """Say goodbye behind all that waits, and wait for the hub's receipt a while. Asked again, it waits again.

        Raises LeaveUnanswered: the goodbye stays on its way.
        """
        await decided_again(self._say_goodbye)
        membership = await self._ledger.membership()
        if await self._until_receipted(membership.goodbye, self._steady() + LEAVE_WAIT_S) is None:
            raise LeaveUnanswered(seconds=LEAVE_WAIT_S)
        await self.follow()

    async def _say_goodbye(self) -> None:
        membership = await self._ledger.membership()
        if membership.goodbye:
            return
        message = self._crossings.goodbye(self._world.today())
        ops = await self._post([Outbound(HUB, message)])
        id = outgoing_id(HUB, message.key(), life=self._epoch)
        leaving = replace(membership, state="leaving", goodbye=id)
        await self._commit([*ops, self._ledger.stored(leaving)])

    async def _say_echo(self) -> str:
        message = self._crossings.echo(self._world.new_id())
        await self._commit(await self._post([Outbound(HUB, message)]))
        return outgoing_id(HUB, message.key(), life=self._epoch)

    async def _until_receipted(self, id: str, until: float) -> Outgoing | None:
        while True:
            found = await self._outgoings.get(id)
            if found is not None and _receipted(found):
                return found
            if self._steady() > until:
                return None
            await asyncio.sleep(LOOK_S)


def _receipted(message: Outgoing) -> bool:
    return message.state in (OutState.RECEIPTED, OutState.DELIVERED)
