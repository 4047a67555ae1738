"""A connection that drills and tests may break."""

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_CHUNK = 65_536
_THREAD_SECONDS = 10.0


class Wire:
    """A TCP proxy on 127.0.0.1 that can be cut and healed; it runs in a thread of its own.

    `cut()` breaks what is open and refuses what comes, `freeze()` stops the bytes and says nothing, as a pulled cable
    does, `strand()` leaves what is open open and silent for good while what comes passes, as a router does that forgot.
    `heal()` undoes the first two, and raises AssertionError if a byte passed meanwhile: an outage that was none proves
    nothing. `refused` counts connections turned away, `passed` bytes let through.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self.port = 0
        """Where to connect instead, once started."""
        self.passed = 0
        self.refused = 0
        self._down = False
        self._passed_at_cut = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._stranded: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"wire-{port}", daemon=True)
        self._ready = threading.Event()

    def start(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_THREAD_SECONDS):
            raise RuntimeError(f"the wire to port {self._target[1]} did not start")
        return self

    def cut(self) -> None:
        """Return once nothing is open and nothing passes any more."""
        self._call(self._cut)

    def freeze(self) -> None:
        """Let nothing pass, and leave what is open as it is."""
        self._call(self._freeze)

    def strand(self) -> None:
        """Of what is open now nothing passes any more, and neither end is told."""
        self._call(self._strand)

    def heal(self) -> None:
        self._call(self._heal)

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_THREAD_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, what: Callable[[], None]) -> None:
        async def run() -> None:
            what()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(_THREAD_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._flows.set()
        server = self._loop.run_until_complete(asyncio.start_server(self._came, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._finish(server))
        self._loop.close()

    async def _finish(self, server: asyncio.Server) -> None:
        # What is being accepted has to be through before the server is closed: its transport would stay open for ever.
        for _ in range(3):
            await asyncio.sleep(0)
        server.close()
        self._abort()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0)
        self._writers |= self._stranded
        self._abort()
        await server.wait_closed()
        await asyncio.sleep(0)  # an aborted transport closes its socket a turn later
        await asyncio.sleep(0)

    def _cut(self) -> None:
        self._down, self._passed_at_cut = True, self.passed
        self._abort()

    def _freeze(self) -> None:
        self._passed_at_cut = self.passed
        self._flows.clear()

    def _strand(self) -> None:
        self._stranded |= self._writers

    def _heal(self) -> None:
        if not self._down and self._flows.is_set():
            return
        leaked = self.passed - self._passed_at_cut
        self._down = False
        self._flows.set()
        if leaked:
            raise AssertionError(f"{leaked} bytes passed a wire that was down")

    def _open(self) -> bool:
        return not self._down

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open():
            self.refused += 1
            writer.transport.abort()
            return
        self._writers.add(writer)
        self._keep(asyncio.create_task(self._connect(reader, writer)))

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            self.refused += 1
            writer.transport.abort()
            self._writers.discard(writer)
            return
        self._writers |= {writer, far_writer}
        if not self._open():  # cut while it connected
            self._abort()
            return
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            self._keep(asyncio.create_task(self._copy(source, sink)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_CHUNK):
                await self._flows.wait()
                if writer in self._stranded:
                    continue
                if self._down or writer.transport.is_closing():
                    return
                self.passed += len(data)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            if writer not in self._stranded:  # the far end of a stranded one is not told that this end went
                writer.transport.abort()
                self._writers.discard(writer)
