"""Callers who come at the same time are served together: writing for thirty costs little more than for one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Final, Generic, TypeVar

LARGEST_GROUP: Final = 200
CLERKS: Final = 2
"""Groups under way at a time: one is decided while the one before it becomes durable."""
QUIET_TURNS: Final = 8
"""A group is called when for so many turns of the event loop nobody came: a server takes calls in a few at a turn, and
whoever comes just after a group was called waits for all of it."""
COMPANY_SECONDS: Final = 0.001
"""How much longer fewer than last time wait: those who were answered together tend to come back together."""

T = TypeVar("T")
R = TypeVar("R")


class FilingDesk(Generic[T, R]):
    """Gathers those who come at about the same time, or while earlier groups are being settled, into one group.

    `settle` answers one result an item, in order. When it raises, every item of the group is settled again by itself,
    so that nobody gets the error of another. A caller who goes away costs the others nothing; what was taken of him is
    settled all the same.
    """

    def __init__(self, settle: Callable[[Sequence[T]], Awaitable[Sequence[R]]]) -> None:
        self._settle = settle
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._clerks: set[asyncio.Task[None]] = set()
        self._gathering = False
        self._last = 0

    async def hand_in(self, item: T) -> R:
        """The result for this item. Raises what `settle` raises for it alone."""
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        self._call_clerk()
        return await result

    def _call_clerk(self) -> None:
        if self._waiting and not self._gathering and len(self._clerks) < CLERKS:
            self._gathering = True
            # In a context of its own: a group belongs to no single caller, nor to a caller's trace.
            clerk = asyncio.create_task(self._serve(), context=Context())
            self._clerks.add(clerk)
            clerk.add_done_callback(self._released)

    def _released(self, clerk: asyncio.Task[None]) -> None:
        self._clerks.discard(clerk)
        self._call_clerk()

    async def _serve(self) -> None:
        group = await self._gathered()
        self._gathering = False
        if not group:
            return
        try:
            _answer(group, await self._settle([item for item, _ in group]))
        except Exception as error:  # noqa: BLE001 (whatever it is, it is the caller's to judge)
            if len(group) == 1:
                _fail(group[0][1], error)
            else:
                await asyncio.gather(*(self._settle_alone(*each) for each in group))

    async def _gathered(self) -> list[tuple[T, asyncio.Future[R]]]:
        await self._quiet()
        if len(self._waiting) < self._last:
            await asyncio.sleep(COMPANY_SECONDS)
            await self._quiet()
        group: list[tuple[T, asyncio.Future[R]]] = []
        while self._waiting and len(group) < LARGEST_GROUP:
            item, result = self._waiting.popleft()
            if not result.done():  # else the caller has gone
                group.append((item, result))
        self._last = len(group)
        return group

    async def _quiet(self) -> None:
        known = 0
        while known < min(len(self._waiting), LARGEST_GROUP):
            known = len(self._waiting)
            for _ in range(QUIET_TURNS):
                await asyncio.sleep(0)

    async def _settle_alone(self, item: T, result: asyncio.Future[R]) -> None:
        try:
            _answer([(item, result)], await self._settle([item]))
        except Exception as error:  # noqa: BLE001 (as above)
            _fail(result, error)


def _answer(group: Sequence[tuple[T, asyncio.Future[R]]], results: Sequence[R]) -> None:
    for (_, waiting), result in zip(group, results, strict=True):
        if not waiting.done():
            waiting.set_result(result)


def _fail(waiting: asyncio.Future[R], error: Exception) -> None:
    if not waiting.done():
        waiting.set_exception(error)
