"""A member's end of its link."""

import asyncio
import json
from collections.abc import Mapping
from typing import Final

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from sangkien.federation.connection import API_SECONDS, Connection, end, link_errors, store
from sangkien.federation.crossing import Arrived, Backlog
from sangkien.federation.errors import FederationError
from sangkien.federation.names import Names, checked_address
from sangkien.federation.pulling import Reader, purge_below
from sangkien.federation.streams import Source, begin_anew, in_stream, out_stream, put_right

LOOK_SECONDS: Final = 0.5
"""How often a member asks its own server, one on the same machine, whether the link stands."""
_CHECK_EVERY: Final = 60

_log = structlog.get_logger("sangkien.federation")


class LeafBroker:
    """The member's own link server as `exchange` sees it. `url` is `MemberFolder.broker_url(port)`, `node` its id."""

    def __init__(self, url: str, node: str) -> None:
        self._names = Names(node)
        self._connection = Connection(url, f"exchange-{node}", on_reconnect=self._reconnected)
        self._out, self._in = out_stream(self._names), in_stream(self._names)
        self._reader = Reader(self._connection, self._in, "exchange", me=node, hub=False)
        self._up: int | None = None
        self._source = Source(
            lambda: self._connection.js, self._in, up=lambda: self._up is not None, gate=asyncio.Semaphore(1)
        )
        self._task: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Connect, however long that takes, and watch the link from then on."""
        await self._connection.connect()
        await self._connection.client.subscribe(self._names.wake_down, cb=self._woken)
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        if self._task is not None:
            await end(self._task)
        await self._source.close()
        await self._connection.close()

    async def ensure(self) -> None:
        """Bring OUT_ and IN_ and the consumer into being; what exists is put right. Raises LinkDown, LinkRefused."""
        with link_errors():
            await put_right(self._connection.js, self._out)
        await self._reader.take_over()

    async def offer(
        self, receiver: str, message_type: str, body: bytes, headers: Mapping[str, str], msg_id: str
    ) -> int:
        """Store one message for `receiver` durably; returns its sequence in OUT_. Many may be in flight.

        Raises LinkDown when it is not known whether it was stored (offer again), LinkRefused, BadName.
        """
        peer, kind = checked_address(receiver, message_type)
        return await store(self._connection.js, f"out.{peer}.{kind}", body, headers, msg_id)

    async def arrived(self, most: int, wait_s: float) -> list[Arrived]:
        """Up to `most` messages of IN_, in order; as `HubLink.fetch`. `receiver` is this node."""
        return await self._reader.fetch(most, wait_s)

    async def rewind(self) -> None:
        """Begin `arrived` again at the first message not acknowledged. Raises LinkDown."""
        await self._reader.take_over()

    def connected(self) -> bool:
        """Whether the link to the hub stands, as last looked at most half a second ago."""
        return self._up is not None and self._connection.connected

    @property
    def reachable(self) -> bool:
        """Whether the member's own link server answers; that the link stands is another matter."""
        return self._connection.connected

    async def backlog(self) -> Backlog:
        """`leaving` counts what OUT_ holds, receipted or not. Raises LinkDown."""
        info = await self._reader.info()
        with link_errors():
            out = (await self._connection.js.stream_info(str(self._out.name))).state
        return Backlog((info.num_pending or 0) + (info.num_ack_pending or 0), out.messages, out.bytes)

    async def reset_out(self) -> None:
        """Begin OUT_ anew, above every sequence it ever had: for a leaf that lost its tail. Offer again afterwards.

        The hub goes on above the sequence it read last, and would skip in silence what comes below it. Raises LinkDown.
        """
        with link_errors():
            await begin_anew(self._connection.js, self._out)
        await self._wake_hub()

    async def drop_offered(self, up_to: int) -> int:
        """Forget what was offered up to this sequence of OUT_, once it is receipted. Returns how many."""
        return await purge_below(self._connection.js, str(self._out.name), up_to + 1)

    async def drop_taken(self) -> int:
        """Forget what arrived and was acknowledged, all but the last. Returns how many."""
        return await self._reader.drop_taken()

    async def _watch(self) -> None:
        looks = 0
        while True:
            looks += 1
            try:
                if self._connection.lost:
                    await self._connection.connect()
                    await self._connection.client.subscribe(self._names.wake_down, cb=self._woken)
                    self._reader.reconnected()
                await self._look()
                if looks % _CHECK_EVERY == 0:
                    await put_right(self._connection.js, self._out)
                    await self._source.check()
            except (FederationError, NatsError, TimeoutError, OSError, ValueError, KeyError) as error:
                if self._up is not None:
                    _log.warning("link_not_seen", error_type=type(error).__name__)
                self._up = None
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        """The server tells an account's users of that account's connections: no system user is needed."""
        _ = self._connection.js
        with link_errors():
            answer = await self._connection.client.request("$SYS.REQ.ACCOUNT.PING.CONNZ", b"{}", timeout=API_SECONDS)
        connections = json.loads(answer.data)["data"]["connections"]
        leaf = next((each["cid"] for each in connections if each["kind"] == "Leafnode"), None)
        came, self._up = leaf is not None and leaf != self._up, leaf
        if came:
            self._source.revive()
            await self._wake_hub()

    async def _wake_hub(self) -> None:
        with link_errors():
            await self._connection.client.publish(self._names.wake_up, b"")

    async def _woken(self, _: Msg) -> None:
        self._source.revive()

    def _reconnected(self) -> None:
        self._up = None
        self._reader.reconnected()
