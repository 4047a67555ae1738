"""The one way a service connects to NATS: FastStream's broker with the guards its defaults lack."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import nats.errors
import structlog
from faststream import AckPolicy
from faststream.message import StreamMessage
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.broker.broker import UNRECOVERABLE_CONNECT_ERRORS
from faststream.nats.subscriber.usecases import BatchPullStreamSubscriber
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy as JetStreamAckPolicy
from nats.js.api import ConsumerConfig

from sangkien.contracts.topology import ConsumerSpec

_log = structlog.get_logger("sangkien.messaging.broker")

CONNECT_SECONDS = 3
RECONNECT_WAIT_SECONDS = 0.25
API_SECONDS = 5.0
DRAIN_SECONDS = 5

Consume = Callable[[Sequence[Msg]], Awaitable[None]]


class Broker:
    """A NATS connection that reconnects for ever, and reports the two ways in which it cannot.

    `on_fatal` is called with a reason when the client closes although nobody asked it to, or the server refuses our
    credentials: the consuming loops would otherwise spin or stand still for good, so the process has to end.
    `on_disconnect` is called on the loop before anything of the next connection is sent or received.
    """

    def __init__(
        self,
        *,
        name: str,
        url: str,
        on_disconnect: Callable[[], None],
        on_reconnect: Callable[[], None],
        on_fatal: Callable[[str], None],
    ) -> None:
        self._name = name
        self._on_reconnect = on_reconnect
        self._on_disconnect = on_disconnect
        self._on_fatal = on_fatal
        self._closing = False
        self._reported: set[str] = set()
        self.faststream = NatsBroker(
            url,
            name=name,
            # A finite number of attempts freezes the event loop once they are used up.
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_WAIT_SECONDS,  # type: ignore[arg-type]  # the client sleeps on any number
            connect_timeout=CONNECT_SECONDS,
            ping_interval=20,
            drain_timeout=DRAIN_SECONDS,
            js_options={"timeout": API_SECONDS},
            # The default terminates a message on any error: lost for ever.
            ack_policy=AckPolicy.MANUAL,
            apply_types=False,
            logger=None,
            error_cb=self._failed,
            disconnected_cb=self._disconnected,
            reconnected_cb=self._reconnected,
            closed_cb=self._closed,
        )

    @property
    def client(self) -> Client:
        """The NATS client. Raises IncorrectState before `connect`."""
        client: Client = self.faststream.config.connection_state.connection
        return client

    @property
    def jetstream(self) -> JetStreamContext:
        """JetStream on that client. Raises IncorrectState before `connect`."""
        jetstream: JetStreamContext = self.faststream.config.connection_state.stream
        return jetstream

    @property
    def connected(self) -> bool:
        """Whether the server can be reached now."""
        return bool(self.faststream.config.connection_state) and self.client.is_connected

    async def connect(self) -> None:
        """Return once connected, however long that takes. Raises nats errors when the server refuses us."""
        await self.faststream.connect()

    def subscriber(
        self, spec: ConsumerSpec, consume: Consume, *, batch: int, poll_seconds: float
    ) -> BatchPullStreamSubscriber:
        """A durable pull subscription that hands raw messages to `consume`, at most `batch` at a time."""
        subscriber = self.faststream.subscriber(
            # The stream is declared by `provision`: a declaration here would overwrite it.
            stream=JStream(spec.stream, declare=False),
            durable=spec.name,
            config=ConsumerConfig(
                filter_subjects=list(spec.filter_subjects),
                ack_policy=JetStreamAckPolicy.EXPLICIT,
                ack_wait=spec.ack_wait_seconds,
                max_deliver=-1,
                max_ack_pending=spec.max_ack_pending,
            ),
            pull_sub=PullSub(batch_size=batch, timeout=poll_seconds, batch=True),
            # The default decoder fails the whole batch for one bad body.
            decoder=_undecoded,
            ack_policy=AckPolicy.MANUAL,
            # A `reply_to` header would make us publish to a subject the sender chose.
            no_reply=True,
            title=spec.name,
        )

        async def handler(messages: Sequence[Msg]) -> None:
            await consume(messages)

        subscriber(handler)
        return subscriber

    async def close(self) -> None:
        """Stop what still subscribes and close the connection."""
        self._closing = True
        with suppress(nats.errors.Error, OSError):  # what it is connected to may be gone in the middle of it
            if self.faststream.config.connection_state and not self.connected:
                # Draining needs a server; without one only closing ends the reconnect task.
                await self.client.close()
            await self.faststream.stop()

    async def _failed(self, error: Exception) -> None:
        reason = str(error).removeprefix("nats: ").strip("'").lower()
        kind = type(error).__name__
        if kind not in self._reported:  # a refused batch is hundreds of the same
            self._reported.add(kind)
            _log.warning("nats_error", client=self._name, error_type=kind)
        # FastStream raises these out of the client's reconnect task, which then never tries again.
        if reason in UNRECOVERABLE_CONNECT_ERRORS and not self._closing:
            self._on_fatal(f"the NATS server refuses {self._name}: {reason}")

    async def _disconnected(self) -> None:
        self._on_disconnect()
        if not self._closing:
            _log.warning("nats_disconnected", client=self._name)

    async def _reconnected(self) -> None:
        self._reported.clear()
        _log.info("nats_reconnected", client=self._name)
        self._on_reconnect()

    async def _closed(self) -> None:
        if not self._closing:
            self._on_fatal(f"the NATS client of {self._name} closed and will not reconnect")


async def _undecoded(message: StreamMessage[list[Msg]]) -> list[Msg]:
    return message.raw_message
