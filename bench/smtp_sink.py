"""An SMTP server (RFC 5321) in a process of its own that takes every mail: the world outside. Prints its port.

It knows just what a client needs, so that the figures are of our services and not of a mail server on the same cores.
"""

import asyncio
import sys
from typing import cast

import uvloop

_END = b"\r\n.\r\n"
_ANSWERS = {
    b"EHLO": b"250-sink\r\n250 8BITMIME\r\n",
    b"DATA": b"354 go ahead\r\n",
    b"QUIT": b"221 bye\r\n",
}


class _Session(asyncio.Protocol):
    """One connection: lines are answered, and what follows DATA is read up to its end and forgotten."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own class, which says nothing of it
        self._waiting = b""
        self._in_data = False
        self._transport.write(b"220 sink ready\r\n")

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while True:
            piece, end, rest = self._waiting.partition(_END if self._in_data else b"\r\n")
            if not end:
                return
            self._waiting = rest
            verb = b"" if self._in_data else piece[:4].upper()
            self._transport.write(_ANSWERS.get(verb, b"250 OK\r\n"))
            self._in_data = verb == b"DATA"
            if verb == b"QUIT":
                self._transport.close()


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Session, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve())
