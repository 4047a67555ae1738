"""The demo's own mail server: it takes every message and keeps it as a file, so that one can read what people got."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP


class _Keep:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        content: bytes = envelope.original_content or envelope.content
        (self._folder / f"{hashlib.sha256(content).hexdigest()[:24]}.eml").write_bytes(content)
        return "250 OK"


@asynccontextmanager
async def mailbox(folder: Path) -> AsyncIterator[str]:
    """A real SMTP server on a free loopback port, whose URL it gives. Messages land in `folder` as .eml files."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 (once, at the start)
    keep = _Keep(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(keep, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0)
    async with server:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
