"""The demo's own mail server: it takes every message and keeps it as a file, so that one can read what people got."""

import hashlib
from asyncio.base_events import Server
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller


class _Keep:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        content: bytes = envelope.original_content or envelope.content
        (self._folder / f"{hashlib.sha256(content).hexdigest()[:24]}.eml").write_bytes(content)
        return "250 OK"


class Mailbox:
    """A real SMTP server on a free loopback port. Messages land in `folder` as .eml files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._controller = Controller(_Keep(folder), hostname="127.0.0.1", port=0, enable_SMTPUTF8=True)

    @property
    def url(self) -> str:
        """Where to send, once started."""
        server = self._controller.server
        if not isinstance(server, Server):
            raise TypeError("the mailbox is not open")
        return f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
