"""The one way this library connects to a nats-server, and what its errors mean to callers."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

import nats
import nats.errors
import structlog
from nats.aio.client import Client, RawCredentials
from nats.js import JetStreamContext
from nats.js.errors import APIError, BadRequestError

from sangkien.federation.errors import LinkDown, LinkRefused

CONNECT_SECONDS: Final = 3
RECONNECT_WAIT_SECONDS: Final = 0.25
API_SECONDS: Final = 5.0
PENDING_BYTES: Final = 16 << 20
_PING_SECONDS: Final = 10
_RESERVED_HEADERS: Final = "nats-"

_log = structlog.get_logger("sangkien.federation")


class Connection:
    """A NATS connection that reconnects for ever. `login` gives a credentials text, or None for what the URL says.

    `on_reconnect` is called on the loop after each connection but the first.
    """

    def __init__(
        self, url: str, name: str, *, login: Callable[[], str] | None = None, on_reconnect: Callable[[], None]
    ) -> None:
        self._url, self._name, self._login = url, name, login
        self._on_reconnect = on_reconnect
        self._client: Client | None = None
        self._js: JetStreamContext | None = None
        self._reported: set[str] = set()
        self._closing = False
        self._begun = asyncio.Event()

    @property
    def client(self) -> Client:
        """Raises LinkDown before `connect`."""
        if self._client is None:
            raise LinkDown("link_down", f"{self._name} is not connected yet")
        return self._client

    @property
    def js(self) -> JetStreamContext:
        """Raises LinkDown when the server cannot be reached now, so that nothing waits out a time-out for it."""
        if self._js is None or not self.connected:
            raise LinkDown("link_down", f"{self._name} is not connected")
        return self._js

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    @property
    def lost(self) -> bool:
        """Whether the client gave up although nobody closed it: `connect` again."""
        return self._client is not None and self._client.is_closed and not self._closing

    async def connect(self) -> None:
        """Return once connected, however long that takes."""
        credentials = RawCredentials(self._login()) if self._login else None
        client = Client()
        self._client = client
        await client.connect(
            self._url,
            name=self._name,
            user_credentials=credentials,
            # A finite number of attempts freezes the event loop once they are used up.
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_WAIT_SECONDS,  # type: ignore[arg-type]  # the client sleeps on any number
            connect_timeout=CONNECT_SECONDS,
            ping_interval=_PING_SECONDS,
            pending_size=PENDING_BYTES,
            error_cb=self._failed,
            disconnected_cb=self._disconnected,
            reconnected_cb=self._reconnected,
        )
        self._js = client.jetstream(timeout=API_SECONDS)
        self._begun.set()

    async def begun(self) -> None:
        """Wait a moment for the first connection: who has just started is not away. Once there was one: no wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(API_SECONDS):
                await self._begun.wait()

    async def close(self) -> None:
        self._closing = True
        if self._client is not None:
            with suppress(nats.errors.Error, OSError):
                await self._client.close()

    async def _failed(self, error: Exception) -> None:
        kind = type(error).__name__
        if kind not in self._reported:
            self._reported.add(kind)
            _log.warning("nats_error", client=self._name, error_type=kind)

    async def _disconnected(self) -> None:
        if not self._closing:
            _log.warning("nats_disconnected", client=self._name)

    async def _reconnected(self) -> None:
        self._reported.clear()
        _log.info("nats_reconnected", client=self._name)
        self._on_reconnect()


async def store(js: JetStreamContext, subject: str, body: bytes, headers: Mapping[str, str], msg_id: str) -> int:
    """Publish to a stream and return the sequence it got, once it is on disk. Raises LinkDown, LinkRefused."""
    for name, value in {**headers, "id": msg_id}.items():
        if name.lower().startswith(_RESERVED_HEADERS) or not (name + value).isprintable():
            raise LinkRefused("link_refused", f"header {name[:60]!r} may not be set")
    with link_errors():
        ack = await js.publish(subject, body, timeout=API_SECONDS, headers={**headers, "Nats-Msg-Id": msg_id})
    return int(ack.seq)


@contextmanager
def link_errors() -> Iterator[None]:
    """Turn the client's many errors into the two a caller can act upon."""
    try:
        yield
    except nats.errors.MaxPayloadError as error:
        raise LinkRefused("link_refused", "larger than the link allows") from error
    except BadRequestError as error:
        raise LinkRefused("link_refused", error.description or "the broker refuses it") from error
    except APIError as error:
        raise LinkDown("link_down", error.description or "the broker cannot") from error
    except (nats.errors.Error, TimeoutError, OSError) as error:
        raise LinkDown("link_down", type(error).__name__) from error


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel until they are over: the NATS client swallows a cancellation that meets it while it publishes."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)
