"""From start to orderly stop: what a service starts, in which order, and how it lets go."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import structlog

Step = Callable[[], Awaitable[object]]
T = TypeVar("T")

_YOUNG_OBJECTS = 10_000
"""How many more objects there must be before a look for unreachable cycles. What a few dozen calls under way hold is
above Python's own 700, so that the search runs all the time and finds nothing: it took a fiftieth of a call.
"""

_log = structlog.get_logger("sangkien.runtime.lifecycle")


class Lifecycle:
    """Parts that start in the order they were added and stop in the reverse order.

    A service adds what it stands on first, so that it stops as DESIGN §6 has it: take nothing new in, finish what is
    at hand, flush the outbox, close. A stop that fails or overruns its time is logged and counted, and never keeps the
    next from stopping.
    """

    def __init__(self, *, step_timeout: float = 10.0) -> None:
        self._parts: list[tuple[str, Step | None, Step | None, float]] = []
        self._step_timeout = step_timeout
        self._stack = AsyncExitStack()
        self._stopping = asyncio.Event()
        self._failed: list[str] = []
        self.reason = ""
        """Why the service stopped by itself; "" when it was asked to."""

    def add(
        self, name: str, *, start: Step | None = None, stop: Step | None = None, timeout: float | None = None
    ) -> None:
        """Add a part. `timeout` bounds its stop, in seconds; None means the life cycle's own."""
        self._parts.append((name, start, stop, timeout or self._step_timeout))

    async def start(self) -> None:
        """Start every part. When one fails, those already started are stopped and the failure is raised."""
        for name, start, stop, timeout in self._parts:
            try:
                if start is not None:
                    await start()
            except BaseException:
                _log.error("start_failed", part=name)
                await self.drain()
                raise
            if stop is not None:
                self._stack.push_async_callback(self._stop_part, name, stop, timeout)

    async def drain(self) -> list[str]:
        """Stop every started part, last first, once. Returns the names of the parts that failed to stop."""
        await self._stack.aclose()
        return list(self._failed)

    def stop(self, reason: str = "") -> None:
        """Ask for an orderly stop. `reason` says what went wrong, "" when nothing did. The first reason is kept."""
        self.reason = self.reason or reason
        self._stopping.set()

    async def serve(self) -> int:
        """Start, run until SIGTERM, SIGINT or `stop`, then drain. A second signal ends the process at once.

        Returns the exit status: 0, or 1 when the service stopped for a reason or a part failed to stop.
        """
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)

        def asked(which: signal.Signals) -> None:
            _log.info("stop_asked", signal=which.name)
            for each in signals:
                loop.remove_signal_handler(each)  # the system's own handling is what a second one meets
            self.stop()

        for each in signals:
            loop.add_signal_handler(each, asked, each)
        try:
            await self.start()
            gc.collect()
            gc.freeze()  # what start-up made stays for good: looking through it again costs each call a tenth
            gc.set_threshold(_YOUNG_OBJECTS)
            await self._stopping.wait()
            if self.reason:
                _log.error("stopping", reason=self.reason)
            failed = await self.drain()
        finally:
            for each in signals:
                loop.remove_signal_handler(each)
        return 1 if self.reason or failed else 0

    async def _stop_part(self, name: str, stop: Step, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                await stop()
        except Exception as error:  # noqa: BLE001 (the parts below must still be stopped)
            self._failed.append(name)
            _log.error("stop_failed", part=name, error_type=type(error).__name__)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a program on uvloop and return its result."""
    import uvloop

    return uvloop.run(main)
