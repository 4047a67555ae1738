"""Reading one stream of a link in order, through a durable consumer that survives its reader."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy, StreamConfig
from nats.js.errors import NotFoundError

from sangkien.federation.connection import Connection, link_errors
from sangkien.federation.crossing import Arrived
from sangkien.federation.errors import FederationError
from sangkien.federation.streams import put_right

ACK_WAIT_SECONDS: Final = 60.0
MOST_UNACKNOWLEDGED: Final = 10_000
_TROUBLE_PAUSE_SECONDS: Final = 0.2
_LINGER_SECONDS: Final = 0.005
_HEARTBEAT: Final = "100"
_UNSETTLED: Final = (nats.errors.Error, OSError, FederationError)

_log = structlog.get_logger("sangkien.federation")


class Reader:
    """The one reader of a stream. `prefix` is what its subjects begin with; what comes next is the sender.

    At the hub that is `fed` and the stamp has to be `sender`; at a member it is `in`. One at a time may read.
    """

    def __init__(self, connection: Connection, stream: StreamConfig, durable: str, *, me: str, hub: bool) -> None:
        self._connection = connection
        self._stream, self._durable = stream, durable
        self._me, self._hub = me, hub
        self._waiting: deque[Msg] = deque()
        self._came = asyncio.Event()
        self._subscription: Subscription | None = None
        self._owed = 0
        self._owed_until = 0.0
        self._trouble = False
        self._reading = asyncio.Lock()

    async def take_over(self) -> None:
        """Become the reader: what a former one had fetched and not acknowledged comes first. Raises LinkDown.

        Left to the server it would come again only after a minute, behind newer messages.
        """
        async with self._reading:
            await self._take_over()

    async def begin_anew(self, drop: Callable[[], Awaitable[None]]) -> None:
        """Have the stream dropped, and read the new one from its start. Raises LinkDown, and what `drop` raises.

        Nobody may find the stream missing meanwhile and make it: the server takes it from its list first and from the
        disk a moment later, and a stream made in between loses its files for good.
        """
        self.reconnected()  # whoever waits for a message stops waiting
        async with self._reading:
            await drop()
            await self._take_over()

    async def fetch(self, most: int, wait_s: float) -> list[Arrived]:
        """See `HubLink.fetch`."""
        async with self._reading:
            loop = asyncio.get_running_loop()
            until = loop.time() + wait_s
            try:
                if self._trouble or self._subscription is None:
                    await self._take_over()
                await self._ask(most, until)
            except _UNSETTLED:
                self._trouble = True
                await asyncio.sleep(min(_TROUBLE_PAUSE_SECONDS, wait_s))
                return []
            return [each for message in self._taken(most) if (each := await self._read(message))]

    def reconnected(self) -> None:
        """What was on its way when the connection broke has to come first, not a minute later behind newer ones."""
        self._trouble = True
        self._came.set()

    async def info(self) -> ConsumerInfo:
        """Raises LinkDown."""
        with link_errors():
            info: ConsumerInfo = await self._connection.js.consumer_info(str(self._stream.name), self._durable)
        return info

    async def drop_taken(self) -> int:
        """Purge what lies below the last acknowledged message. Raises LinkDown."""
        info = await self.info()
        floor = info.ack_floor.stream_seq if info.ack_floor else 0
        return await purge_below(self._connection.js, str(self._stream.name), floor)

    async def _take_over(self) -> None:
        name, js = str(self._stream.name), self._connection.js
        with link_errors():
            await put_right(js, self._stream)
            try:
                found = await js.consumer_info(name, self._durable)
            except NotFoundError:
                await self._create(js, 1)
            else:
                if found.num_ack_pending or found.num_waiting:
                    # A former reader's question may still stand, though nobody hears the answer any more.
                    await js.delete_consumer(name, self._durable)
                    await self._create(js, (found.ack_floor.stream_seq if found.ack_floor else 0) + 1)
            await self._listen(self._connection.client)
        self._trouble = False

    async def _create(self, js: JetStreamContext, start: int) -> None:
        config = ConsumerConfig(
            name=self._durable,
            durable_name=self._durable,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE if start > 1 else DeliverPolicy.ALL,
            opt_start_seq=start if start > 1 else None,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_SECONDS,
            max_deliver=-1,
            max_ack_pending=MOST_UNACKNOWLEDGED,
        )
        await js.add_consumer(str(self._stream.name), config)

    async def _listen(self, client: Client) -> None:
        """On a fresh inbox, so that nothing of an earlier round is taken for this one's."""
        if self._subscription is not None:
            with suppress(nats.errors.Error):
                await self._subscription.unsubscribe()
        self._waiting.clear()
        self._owed = 0
        inbox = client.new_inbox()
        waiting = self._waiting = deque()

        async def came(message: Msg) -> None:
            waiting.append(message)
            if waiting is self._waiting:
                self._owed -= 1
                self._came.set()

        self._inbox = inbox
        self._subscription = await client.subscribe(inbox, cb=came)

    async def _ask(self, most: int, until: float) -> None:
        """Return when something waits, at `until`, or at once when the server says that it cannot."""
        loop = asyncio.get_running_loop()
        self._sort_out()
        while not self._waiting and (left := until - loop.time()) > 0:
            if self._trouble:
                raise nats.errors.Error
            if self._owed <= 0 or loop.time() >= self._owed_until:
                await self._request(most, left)
            self._came.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, max(0.05, self._owed_until - loop.time()))):
                    await self._came.wait()
            self._sort_out()
        # Those on the way behind the first make one batch with it.
        while 0 < len(self._waiting) < most and self._owed > 0:
            self._came.clear()
            try:
                async with asyncio.timeout(_LINGER_SECONDS):
                    await self._came.wait()
            except TimeoutError:
                self._sort_out()  # the server's own word may have come at the same moment
                return
            self._sort_out()

    async def _request(self, most: int, left: float) -> None:
        name = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream.name}.{self._durable}"
        body = f'{{"batch":{most},"expires":{max(int(left * 1e9), 1_000_000)}}}'
        with link_errors():
            _ = self._connection.js
            await self._connection.client.publish(name, body.encode(), reply=self._inbox)
        self._owed, self._owed_until = most, asyncio.get_running_loop().time() + left

    def _sort_out(self) -> None:
        """Take the server's own words out of what came."""
        for _ in range(len(self._waiting)):
            message = self._waiting.popleft()
            status = (message.headers or {}).get("Status")
            if message.reply.startswith("$JS.ACK."):
                self._waiting.append(message)
            elif status != _HEARTBEAT:
                self._owed = 0
                # 404 and 408 end a round; 409 (consumer deleted and the like) and 503 (nobody answers) are trouble.
                self._trouble = self._trouble or status in {"409", "503"}

    def _taken(self, most: int) -> list[Msg]:
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    async def _read(self, message: Msg) -> Arrived | None:
        parts = message.subject.split(".")
        metadata = message.metadata
        settle = _settler(message)
        if self._hub and (len(parts) < 4 or parts[:2] != ["fed", self._me]):
            # A leaf can inject into its own stream by its source's subject; under another name it comes to nothing.
            _log.warning("link_foreign_subject", node=self._me)
            await settle()
            return None
        if not self._hub and (len(parts) < 3 or parts[0] != "in"):
            _log.warning("link_foreign_subject", node=self._me)
            await settle()
            return None
        sender, receiver, rest = (self._me, parts[2], parts[3:]) if self._hub else (parts[1], self._me, parts[2:])
        return Arrived(
            subject=message.subject,
            sender=sender,
            receiver=receiver,
            type=".".join(rest),
            headers=dict(message.headers or {}),
            body=message.data,
            stream_seq=metadata.sequence.stream,
            deliveries=metadata.num_delivered or 1,
            settle=settle,
        )


async def purge_below(js: JetStreamContext, stream: str, seq: int) -> int:
    """Purge every message before `seq`; returns how many went. Raises LinkDown."""
    if seq <= 1:
        return 0
    with link_errors():
        before = (await js.stream_info(stream)).state.messages
        await js.purge_stream(stream, seq=seq)
        return max(0, before - (await js.stream_info(stream)).state.messages)


def _settler(message: Msg) -> Callable[[], Awaitable[None]]:
    async def settle() -> None:
        with suppress(*_UNSETTLED):
            await message.ack()

    return settle
