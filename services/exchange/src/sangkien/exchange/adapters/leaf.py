"""The port `Leaf` on this node's link server."""

from collections.abc import Mapping, Sequence

from sangkien.exchange.application.link_ports import LinkAway, OfferRefused, Parcel
from sangkien.federation import BadName, LeafBroker, LinkDown, LinkRefused


class LinkLeaf:
    """Words the library's errors as the port's. Until `open` succeeded nothing is connected."""

    def __init__(self, broker: LeafBroker) -> None:
        self._broker = broker
        self._open = False

    async def open(self) -> None:
        """Connect, however long that takes, and bring the streams into being. Raises LinkAway, OfferRefused."""
        await self._broker.connect()
        try:
            await self._broker.ensure()
        except LinkDown as down:
            raise LinkAway from down
        except LinkRefused as refused:
            raise OfferRefused from refused
        self._open = True

    async def close(self) -> None:
        self._open = False
        await self._broker.close()

    def connected(self) -> bool:
        return self._open and self._broker.connected()

    async def offer(
        self, receiver: str, message_type: str, body: bytes, headers: Mapping[str, str], msg_id: str
    ) -> int:
        if not self._open:
            raise LinkAway
        try:
            return await self._broker.offer(receiver, message_type, body, headers, msg_id)
        except LinkDown as down:
            raise LinkAway from down
        except (LinkRefused, BadName) as refused:
            raise OfferRefused from refused

    async def arrived(self, most: int, wait_s: float) -> Sequence[Parcel]:
        if not self._open:
            raise LinkAway
        try:
            return await self._broker.arrived(most, wait_s)
        except LinkDown as down:
            raise LinkAway from down

    async def reset_out(self) -> None:
        try:
            await self._broker.reset_out()
        except LinkDown as down:
            raise LinkAway from down

    async def drop_offered(self, up_to: int) -> int:
        try:
            return await self._broker.drop_offered(up_to)
        except LinkDown as down:
            raise LinkAway from down

    async def drop_taken(self) -> int:
        try:
            return await self._broker.drop_taken()
        except LinkDown as down:
            raise LinkAway from down
