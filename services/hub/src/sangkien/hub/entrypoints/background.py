"""What the hub does by itself: reads the links, takes, forwards, receipts, stamps."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from sangkien.custody import Seal
from sangkien.federation.connection import end
from sangkien.hub.application.desk import Desk
from sangkien.hub.application.examine import Sealed
from sangkien.hub.application.forward_messages import ForwardMessages
from sangkien.hub.application.give_receipts import GiveReceipts
from sangkien.hub.application.hear_receipts import sure
from sangkien.hub.application.hold_nodes import HoldNodes
from sangkien.hub.application.intake import Queues
from sangkien.hub.application.ports import Away, Links
from sangkien.hub.application.queries import Tally
from sangkien.hub.application.stamp_entries import StampEntries
from sangkien.hub.application.take_messages import TakeMessages, Taken
from sangkien.hub.domain.node import State
from sangkien.hub.domain.verdict import Fate, Verdict
from sangkien.hub.entrypoints.readers import NodeReaders
from sangkien.store import Conflict, Duplicate, StoreUnavailable

TROUBLE = (Away, StoreUnavailable, Conflict, Duplicate)
"""What passes, or is read anew and tried again."""
_PAUSE_S = 0.5
_AT_ONCE = 16
_LET_GO_EVERY = 10
_STAMP_AGAIN_S = 15.0
"""An authority that does not answer is not asked more often than this."""

_log = structlog.get_logger("sangkien.hub")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things are done."""

    stamp_every: timedelta
    stamp_limit: timedelta
    receipt_every: timedelta
    receipt_again: timedelta
    first_word: timedelta
    leave_after: timedelta
    look: timedelta


@dataclass(frozen=True, slots=True)
class Work:
    """What is done."""

    readers: NodeReaders
    queues: Queues
    take: TakeMessages
    forward: ForwardMessages
    receipts: GiveReceipts
    stamps: StampEntries
    hold: HoldNodes
    tally: Tally


class Centre:
    """All loops of the hub; runs until cancelled."""

    def __init__(self, desk: Desk, links: Links, work: Work, pace: Pace) -> None:
        self._desk = desk
        self._links = links
        self._do = work
        self._pace = pace
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: set[str] = set()
        """Receivers who are being sent something."""
        self._met: dict[str, datetime] = {}
        self._gone: dict[str, datetime] = {}
        self._owed: set[str] = set()
        """Whose receipt changed and who cannot be reached."""

    async def __call__(self) -> None:
        await self._links.connect()
        try:
            await self._open_links()
            work = (self._taking, self._receipting, self._stamping, self._looking, self._forwarding)
            loops = [self._spawn(loop()) for loop in work]
            ended, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
            for loop in ended:
                loop.result()
        finally:
            await end(*self._tasks)
            await self._do.readers.close()
            await self._links.close()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _open_links(self) -> None:
        """Take up every node that has a link; one that cannot be is tried again while looking."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(node: str) -> None:
            async with gate:
                await self._open(node)

        states = (State.JOINING, State.ACTIVE, State.SUSPENDED, State.LEAVING)
        await asyncio.gather(*[one(node.node) for node in self._desk.nodes.values() if node.state in states])

    async def _open(self, node: str) -> None:
        try:
            await self._links.open(node)
        except Away as away:
            _log.warning("link_not_opened", node=node, reason=str(away))
            return
        if self._desk.nodes[node].state is not State.SUSPENDED:
            await self._do.readers.start(node)
        self._desk.to_forward.ring(node)

    def paused(self) -> bool:
        """Whether stamping has failed for too long to take anything."""
        return self._desk.log.overdue(self._desk.world.now(), self._pace.stamp_limit)

    async def _taking(self) -> None:
        while True:
            unit = await self._do.queues.gather()
            await self._open_again()
            try:
                await self._take(unit)
            except Exception as error:  # noqa: BLE001 (a bug met by one message must not end everybody's intake)
                _log.error("taking_failed", error_type=type(error).__name__, exc_info=True)
                await self._take_each(unit)

    async def _open_again(self) -> None:
        while self.paused():  # noqa: ASYNC110 (time itself pauses, by passing)
            await asyncio.sleep(_PAUSE_S)

    async def _take_each(self, unit: Sequence[Sealed]) -> None:
        """One by one: what fails alone stays in its stream, and its sender's chain with it."""
        for one in unit:
            try:
                await self._take([one])
            except Exception as error:  # noqa: BLE001 (as above)
                _log.error("message_failed", node=one.seal.sender, id=one.seal.id, error_type=type(error).__name__)

    async def _take(self, unit: Sequence[Sealed]) -> None:
        now = self._desk.world.now()
        for one in await self._taken(unit):
            if one.verdict is not None:
                self._note(one.message.seal, one.verdict, now)
                await one.message.parcel.ack()

    async def _taken(self, unit: Sequence[Sealed]) -> Sequence[Taken]:
        while True:
            try:
                return await self._do.take(unit)
            except TROUBLE as error:
                _log.warning("taking_failed", error_type=type(error).__name__)
                await asyncio.sleep(_PAUSE_S)

    def _note(self, seal: Seal, verdict: Verdict, now: datetime) -> None:
        if verdict.fate in (Fate.FORWARD, Fate.REFUSE):
            self._do.tally.took(seal.sender, 1, now)
        if verdict.code:
            self._do.tally.refused[seal.sender] += 1
            _log.warning("message_refused", node=seal.sender, code=verdict.code, id=seal.id)
        elif verdict.fate in (Fate.RECONCILE, Fate.OFFER_AGAIN):
            _log.warning("chain_broken", node=seal.sender, fate=verdict.fate.value, n=seal.n)

    async def _forwarding(self) -> None:
        """One task a receiver, while it has anything on its way."""
        bells = self._desk.to_forward
        while True:
            await bells.wait()
            for node in bells.take():
                if node in self._under_way:
                    self._spawn(self._ring_later(node))
                    continue
                self._under_way.add(node)
                self._spawn(self._forward(node))

    async def _ring_later(self, node: str) -> None:
        await asyncio.sleep(_PAUSE_S / 10)
        self._desk.to_forward.ring(node)

    async def _forward(self, node: str) -> None:
        try:
            await self._do.forward(node)
        except Exception as error:  # noqa: BLE001 (a bug met by one receiver's message must not end the others' ways)
            trouble = isinstance(error, TROUBLE)
            _log.warning("forwarding_failed", node=node, error_type=type(error).__name__, exc_info=not trouble)
            await asyncio.sleep(_PAUSE_S)
            self._desk.to_forward.ring(node)
        finally:
            self._under_way.discard(node)

    async def _receipting(self) -> None:
        bells = self._desk.to_receipt
        while True:
            await bells.wait()
            self._owed |= bells.take()
            due = self._owed & set(self._links.connected())
            self._owed -= due
            gate = asyncio.Semaphore(_AT_ONCE)
            await asyncio.gather(*[self._receipt(node, gate) for node in due])
            await asyncio.sleep(self._pace.receipt_every.total_seconds())

    async def _receipt(self, node: str, gate: asyncio.Semaphore) -> None:
        try:
            async with gate:
                await self._do.receipts(node)
        except TROUBLE as error:
            _log.warning("receipt_failed", node=node, error_type=type(error).__name__)
            self._desk.to_receipt.ring(node)

    async def _stamping(self) -> None:
        due = self._pace.stamp_every.total_seconds()
        while True:
            since = self._desk.log.unstamped_since
            age = (self._desk.world.now() - since).total_seconds() if since else 0.0
            if since and age >= due * 0.9:
                await self._stamp()
            await asyncio.sleep(min(self._pace.look.total_seconds(), due / 4))

    async def _stamp(self) -> None:
        try:
            while await self._do.stamps():
                continue
        except TROUBLE as error:
            _log.error("stamping_failed", error_type=type(error).__name__, paused=self.paused())
            await asyncio.sleep(min(_STAMP_AGAIN_S, self._pace.stamp_every.total_seconds()))

    async def _looking(self) -> None:
        """What no event tells: time that passed."""
        rounds, was_paused = 0, False
        while True:
            rounds += 1
            if self.paused() is not was_paused:
                was_paused = not was_paused
                self._desk.to_receipt.ring(*self._desk.nodes)
            connected = set(self._links.connected())
            for node in list(self._desk.nodes.values()):
                try:
                    await self._look_at(node.node, node.state, here=node.node in connected)
                    if rounds % _LET_GO_EVERY == 0 and node.node in connected and node.node in self._do.readers:
                        await self._do.forward.let_go(node.node)
                        await self._links.link(node.node).drop_taken()
                except TROUBLE as error:
                    _log.warning("look_failed", node=node.node, error_type=type(error).__name__)
            await asyncio.sleep(self._pace.look.total_seconds())

    async def _look_at(self, node: str, state: State, *, here: bool) -> None:
        now = self._desk.world.now()
        if state in (State.JOINING, State.ACTIVE, State.LEAVING) and node not in self._do.readers:
            await self._open(node)
        if here:
            self._gone.pop(node, None)
            await self._look_at_connected(node, now)
        else:
            gone = self._gone.setdefault(node, now)
            self._met.pop(node, None)
            peer = self._desk.peers[node]
            if state is State.LEAVING and peer.sent == peer.receipted and now - gone >= self._pace.leave_after:
                await self._do.hold.end(node, "")

    async def _look_at_connected(self, node: str, now: datetime) -> None:
        """First it is told how far the hub is; a node that knows of more than the hub answers at once."""
        met = self._met.get(node)
        if met is None:
            self._met[node] = now
            self._desk.to_receipt.ring(node)
            self._desk.to_forward.ring(node)
            return
        if self._desk.peers[node].unsure_from is not None and now - met >= self._pace.first_word:
            await sure(self._desk, node)
        given = self._do.receipts.given_at.get(node)
        again = given is not None and now - given >= self._pace.receipt_again
        if node in self._owed or (again and await self._do.receipts.outstanding(node)):
            self._desk.to_receipt.ring(node)
