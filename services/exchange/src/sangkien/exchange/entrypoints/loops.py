"""The loops that keep the link going. Each waits out what is away, and never ends by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

import structlog

from sangkien.exchange.application.link_ports import LinkAway, OfferRefused
from sangkien.exchange.application.live_in_federation import LiveInFederation
from sangkien.exchange.application.offer_messages import OfferMessages
from sangkien.exchange.application.ports import NotYet
from sangkien.exchange.application.prune_bodies import PruneBodies
from sangkien.exchange.application.read_arrivals import ReadArrivals
from sangkien.exchange.application.seal_messages import SealMessages
from sangkien.exchange.application.take_messages import Held, TakeMessages
from sangkien.exchange.application.tell_hub import TellHub
from sangkien.exchange.application.tidy_leaf import TidyLeaf
from sangkien.store import Conflict, Duplicate, StoreUnavailable

IDLE_S: Final = 0.2
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
MOST_OVERTAKEN: Final = 20
"""Times in a row that another writer may be faster before a loop takes a rest."""
ANNOUNCE_S: Final = 2.0
FETCH_S: Final = 1.0
UPKEEP_S: Final = 20.0
PRUNE_EVERY: Final = 30
"""Turns of the upkeep."""

_log = structlog.get_logger("sangkien.exchange")

Turn = Callable[[], Awaitable[int]]
"""One turn of work; how much there was. 0 lets the loop rest."""


class Loop:
    """Calls `turn` for ever; `wake` ends a rest early. Errors are logged once in a row and waited out, doubling."""

    def __init__(self, name: str, turn: Turn, *, idle_s: float = IDLE_S) -> None:
        self._name = name
        self._turn = turn
        self._idle_s = idle_s
        self._work = asyncio.Event()
        self.trouble = ""

    def wake(self) -> None:
        self._work.set()

    async def __call__(self) -> None:
        failures = overtaken = 0
        task = asyncio.current_task()
        # The NATS client swallows a cancellation that meets it while it publishes.
        while task is not None and not task.cancelling():
            self._work.clear()
            try:
                if not await self._turn():
                    await self._rest(self._idle_s)
                failures, overtaken, self.trouble = 0, 0, ""
            except (Conflict, Duplicate) as error:
                overtaken += 1  # another writer was faster: look again
                if overtaken > MOST_OVERTAKEN:
                    self._complain(error)
                    await self._rest(FIRST_PAUSE_S)
            except Exception as error:  # noqa: BLE001 (a loop that ends is a link that stands still)
                failures += 1
                self._complain(error)
                await self._rest(min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE_S))

    def _complain(self, error: Exception) -> None:
        expected = isinstance(error, LinkAway | OfferRefused | StoreUnavailable | Held | NotYet)
        trouble = error.reason if isinstance(error, Held | NotYet) else type(error).__name__
        if trouble != self.trouble:
            _log.warning("link_loop_waits", loop=self._name, cause=trouble, exc_info=not expected)
        self.trouble = trouble

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._work.wait()


class Upkeep:
    """What can wait: bodies that are old, and what the leaf need not keep."""

    def __init__(self, pruning: PruneBodies, tidying: TidyLeaf) -> None:
        self._pruning = pruning
        self._tidying = tidying
        self._turns = 0

    async def __call__(self) -> int:
        self._turns += 1
        await self._tidying()
        if self._turns % PRUNE_EVERY == 1:
            await self._pruning()
        return 0


class Opening(Protocol):
    """A link server that may not be there yet."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class LinkLoops:
    """Sending, receiving, taking and pruning, as loops of their own: none holds up another."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        leaf: Opening,
        sealing: SealMessages,
        offering: OfferMessages,
        arrivals: ReadArrivals,
        telling: TellHub,
        taking: TakeMessages,
        life: LiveInFederation,
        upkeep: Upkeep,
        announcing: Turn,
        fetching: Turn,
    ) -> None:
        self._leaf = leaf
        self._sealing = sealing
        self._offering = offering
        self._arrivals = arrivals
        self._telling = telling
        self._taking = taking
        self._life = life
        self._upkeep = upkeep
        self._opened = asyncio.Event()
        self.sealing = Loop("sealing", sealing)
        self.offering = Loop("offering", self._offer)
        self.arriving = Loop("arriving", self._arrive, idle_s=0.05)
        self.taking = Loop("taking", taking)
        self.announcing = Loop("announcing", announcing, idle_s=ANNOUNCE_S)
        self.fetching = Loop("fetching", fetching, idle_s=FETCH_S)
        self.upkeep = Loop("upkeep", self._keep_up, idle_s=UPKEEP_S)

    def wake(self) -> None:
        """Something was written that may have to be sealed and sent."""
        self.sealing.wake()
        self.offering.wake()

    @property
    def _loops(self) -> Sequence[Loop]:
        return [self.sealing, self.offering, self.arriving, self.taking, self.announcing, self.fetching, self.upkeep]

    @property
    def background(self) -> Sequence[Callable[[], Awaitable[None]]]:
        return [self._open, *self._loops]

    async def _open(self) -> None:
        """Keep the leaf open until cancelled."""
        opening = Loop("opening", self._open_once, idle_s=3600.0)
        try:
            await opening()
        finally:
            await self._leaf.close()

    async def _open_once(self) -> int:
        if not self._opened.is_set():
            await self._leaf.open()
            self._opened.set()
        return 0

    async def _offer(self) -> int:
        await self._opened.wait()
        return await self._offering()

    async def _keep_up(self) -> int:
        await self._opened.wait()
        return await self._upkeep()

    async def _arrive(self) -> int:
        await self._opened.wait()
        count = await self._arrivals()
        with suppress(LinkAway):  # said at the next turn
            await self._telling()
        if count:
            await self._life.follow()
            self.taking.wake()
            self.offering.wake()
        return count
