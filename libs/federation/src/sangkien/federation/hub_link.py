"""One node's link at the hub."""

import asyncio
from collections.abc import Callable, Mapping

from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from sangkien.federation.accounts import credentials
from sangkien.federation.connection import Connection, link_errors, store
from sangkien.federation.crossing import Arrived, Backlog
from sangkien.federation.hub_folder import HubFolder
from sangkien.federation.names import Names, checked_address
from sangkien.federation.pulling import Reader, purge_below
from sangkien.federation.streams import Source, begin_anew, down_stream, fed_stream, put_right


class HubLink:
    """Reads FED_<node> and writes DOWN_<node>. From `HubBroker.link`; one at a time may fetch."""

    def __init__(
        self, url: str, folder: HubFolder, node: str, *, up: Callable[[], bool], gate: asyncio.Semaphore
    ) -> None:
        self.node = node
        self._names = Names(node)

        def login() -> str:
            return credentials(*folder.service_login(node))

        self._connection = Connection(url, f"hub-{node}", login=login, on_reconnect=self._reconnected)
        self._fed, self._down = fed_stream(self._names), down_stream(self._names)
        self._reader = Reader(self._connection, self._fed, "hub", me=node, hub=True)
        self.source = Source(lambda: self._connection.js, self._fed, up=up, gate=gate)

    async def fetch(self, most: int, wait_s: float) -> list[Arrived]:
        """Up to `most` messages of this node in order of `stream_seq`; empty when none came within `wait_s` seconds.

        What is not acknowledged comes again: after `rewind()`, a lost connection or a restart at once and in order,
        else after 60 s. After a crash of the server some acknowledged ones may come again as well. Only messages whose
        stamped sender is this node are handed out; others are logged and dropped. Never raises for a broker that is
        away: it answers an empty list, after a short pause.
        """
        return await self._reader.fetch(most, wait_s)

    async def rewind(self) -> None:
        """Begin `fetch` again at the first message not acknowledged. Raises LinkDown."""
        await self._reader.take_over()

    async def send(self, sender: str, message_type: str, body: bytes, headers: Mapping[str, str], msg_id: str) -> int:
        """Store one message for the node durably; returns its sequence in DOWN_<node>. Many may be in flight.

        Raises LinkDown when it is not known whether it was stored (send again), LinkRefused, BadName.
        """
        peer, kind = checked_address(sender, message_type)
        return await store(self._connection.js, f"down.{peer}.{kind}", body, headers, msg_id)

    async def backlog(self) -> Backlog:
        """Raises LinkDown."""
        info = await self._reader.info()
        with link_errors():
            down = (await self._connection.js.stream_info(str(self._down.name))).state
        return Backlog((info.num_pending or 0) + (info.num_ack_pending or 0), down.messages, down.bytes)

    async def drop_taken(self) -> int:
        """Forget the bodies of what was acknowledged, all but the last (the source's position). Returns how many."""
        return await self._reader.drop_taken()

    async def drop_sent(self, up_to: int) -> int:
        """Forget what was sent up to this sequence of DOWN_<node>, once it is receipted. Returns how many."""
        return await purge_below(self._connection.js, str(self._down.name), up_to + 1)

    async def connect(self) -> None:
        """Connect, put the streams right, take over reading. Raises LinkDown."""
        if not self._connection.connected:
            with link_errors():
                async with asyncio.timeout(10):
                    await self._connection.connect()
                    await self._connection.client.subscribe(self._names.wake_up, cb=self._woken)
        with link_errors():
            await put_right(self._connection.js, self._down)
        await self._reader.take_over()

    async def close(self) -> None:
        await self.source.close()
        await self._connection.close()

    async def reset_down(self) -> None:
        """Begin DOWN_<node> anew. Raises LinkDown."""
        with link_errors():
            await begin_anew(self._connection.js, self._down)
            await self._connection.client.publish(self._names.wake_down, b"")

    async def reset_up(self) -> None:
        """Begin FED_<node> anew. Raises LinkDown."""
        await self._reader.begin_anew(lambda: self._drop(str(self._fed.name)))
        self.source.revive()

    async def drop_streams(self) -> None:
        """Nothing of the node stays. Raises LinkDown."""
        for stream in (self._down, self._fed):
            await self._drop(str(stream.name))

    @property
    def reachable(self) -> bool:
        return self._connection.connected

    @property
    def lost(self) -> bool:
        return self._connection.lost

    async def _drop(self, stream: str) -> None:
        with link_errors():
            try:
                await self._connection.js.delete_stream(stream)
            except NotFoundError:
                return

    async def _woken(self, _: Msg) -> None:
        self.source.revive()

    def _reconnected(self) -> None:
        self._reader.reconnected()
        self.source.revive()
