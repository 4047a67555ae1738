"""A link that can be cut: a TCP relay on this machine, so that an outage in a drill is a real one."""

import asyncio
from contextlib import suppress

CHUNK = 65_536


class Wire:
    """Relays connections to `port` of this machine until it is cut; while cut it refuses every connection."""

    def __init__(self, port: int) -> None:
        self._beyond = port
        self._up = True
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server
        self.port = 0
        """Where to connect instead, once started."""
        self.carried = 0
        """Bytes that passed, both ways: what does not grow while the wire is cut."""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection, as a cable does: without a word to either side."""
        self._up = False
        for writer in self._open:
            writer.transport.abort()

    def heal(self) -> None:
        """Let connections through again."""
        self._up = True

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if not self._up:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._beyond)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._open |= ends
        try:
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        finally:
            self._open -= ends

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if not self._up:
                    break
                writer.write(data)
                self.carried += len(data)
                await writer.drain()
        writer.close()
