"""A `grpc.aio` server that takes in many calls at a time.

The library's own asks its core for one call, waits a turn of the event loop and a hop between threads for it, and asks
for the next. On a busy server calls then trickle in one a turn, so that nothing can be done for many of them together,
and the loop stands idle between them. Here some dozens are asked for ahead.

It replaces one method of `grpc._cython.cygrpc.AioServer`, which is not public: grpcio is pinned, and the tests of
serving, draining and bounding run against it (ADR 0011).
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import grpc
from grpc._cython import cygrpc  # type: ignore[attr-defined] # an extension module

AHEAD: Final = 32


class _AheadServer(cygrpc.AioServer):  # type: ignore[misc] # the extension module has no types
    """Whoever asks for the next call is given the oldest of those that came."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._asked: set[asyncio.Task[Any]] = set()
        self._came: deque[asyncio.Task[Any]] = deque()
        self._wanted: asyncio.Future[Any] | None = None
        self._ahead = AHEAD
        self._over = False

    def _make_request_call_future(self, method: bytes | None) -> "asyncio.Future[Any]":
        if method is not None:  # methods registered with the core are not ours
            return super()._make_request_call_future(method)  # type: ignore[no-any-return]
        while len(self._asked) < self._ahead:
            self._ask()
        wanted: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._came:
            _settle(wanted, self._came.popleft())
        else:
            self._wanted = wanted
        return wanted

    async def all_taken(self) -> None:
        """Ask for no more, and return when every call that came is with its handler. Whoever still comes is let go."""
        self._ahead = 0
        while self._came:  # noqa: ASYNC110 (in a turn of the loop one of them comes to its handler)
            await asyncio.sleep(0)
        self._over = True

    def _ask(self) -> None:
        asked = asyncio.create_task(self._request_call())
        self._asked.add(asked)
        asked.add_done_callback(self._take)

    def _take(self, came: "asyncio.Task[Any]") -> None:
        self._asked.discard(came)
        failed = came.cancelled() or came.exception() is not None
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            _settle(wanted, came)
        elif not (failed or self._over):  # what nobody keeps, the core cancels: kept, it would wait for a handler
            self._came.append(came)


def _settle(wanted: "asyncio.Future[Any]", came: "asyncio.Task[Any]") -> None:
    """Hand on what came. When a server stops, its core fails what was asked for and the server drops what it wanted."""
    if wanted.done():
        return
    if came.cancelled():
        wanted.cancel()
    elif error := came.exception():
        wanted.set_exception(error)
    else:
        wanted.set_result(came.result())


class Server(grpc.aio._server.Server):  # type: ignore[misc, name-defined] # noqa: SLF001 (see above)
    """Like what `grpc.aio.server` gives, for the options that we use."""

    def __init__(
        self,
        *,
        interceptors: Sequence[grpc.aio.ServerInterceptor],
        options: Sequence[tuple[str, Any]],
        maximum_concurrent_rpcs: int | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = _AheadServer(self._loop, None, (), tuple(interceptors), tuple(options), maximum_concurrent_rpcs)

    async def stop(self, grace: float | None) -> None:
        """Like the library's. Calls that were taken in ahead are still served: it would leave them waiting."""
        await self._server.all_taken()
        await super().stop(grace)
