"""Work that is asked for several times at once and done once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Shares a running piece of work by key: whoever asks meanwhile gets its result.

    The work goes on when those who asked are gone, so that asking again after a deadline finds it further on.
    """

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[T]] = {}

    async def __call__(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`, or of the one already running for `key`. Raises what it raises."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(self._run(key, work))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what runs."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await work()
        finally:
            del self._running[key]
