"""The hub's broker as the use cases see it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sangkien.federation import BadName, FederationError, HubBroker, HubLink, UnknownNode
from sangkien.hub.application.ports import Away, Parcel, Stock


@contextmanager
def _told_as_away() -> Iterator[None]:
    try:
        yield
    except (FederationError, BadName) as error:
        raise Away(str(error)) from error


class BrokerWire:
    """The port `Wire`."""

    def __init__(self, link: HubLink) -> None:
        self._link = link

    async def fetch(self, most: int, wait_s: float) -> Sequence[Parcel]:
        return await self._link.fetch(most, wait_s)

    async def rewind(self) -> None:
        with _told_as_away():
            await self._link.rewind()

    async def send(self, sender: str, message_type: str, body: bytes, headers: Mapping[str, str], msg_id: str) -> int:
        with _told_as_away():
            return await self._link.send(sender, message_type, body, headers, msg_id)

    async def drop_taken(self) -> int:
        with _told_as_away():
            return await self._link.drop_taken()

    async def drop_sent(self, up_to: int) -> int:
        with _told_as_away():
            return await self._link.drop_sent(up_to)


class BrokerLinks:
    """The port `Links`."""

    def __init__(self, broker: HubBroker) -> None:
        self._broker = broker

    async def connect(self) -> None:
        """Connect, however long that takes."""
        await self._broker.connect()

    async def close(self) -> None:
        await self._broker.close()

    async def add(self, node: str, *, user_public: str) -> str:
        with _told_as_away():
            return await self._broker.add(node, user_public=user_public)

    async def open(self, node: str) -> None:
        with _told_as_away():
            await self._broker.open(node)

    async def suspend(self, node: str) -> None:
        with _told_as_away():
            await self._broker.suspend(node)

    async def reinstate(self, node: str) -> None:
        with _told_as_away():
            await self._broker.reinstate(node)

    async def revoke(self, node: str) -> None:
        """One that never came has nothing to be ended."""
        try:
            with _told_as_away():
                await self._broker.revoke(node)
        except Away as away:
            if not isinstance(away.__cause__, UnknownNode):
                raise

    async def rotate(self, node: str, new_user_public: str) -> str:
        with _told_as_away():
            return await self._broker.rotate(node, new_user_public)

    async def reset_down(self, node: str, epoch: int) -> None:
        with _told_as_away():
            await self._broker.reset_down(node, epoch)

    async def reset_up(self, node: str) -> None:
        with _told_as_away():
            await self._broker.reset_up(node)

    def connected(self) -> Collection[str]:
        return self._broker.connected()

    def link(self, node: str) -> BrokerWire:
        with _told_as_away():
            return BrokerWire(self._broker.link(node))

    async def stock(self, node: str) -> Stock | None:
        try:
            backlog = await self._broker.link(node).backlog()
        except FederationError:
            return None
        return Stock(backlog.arrived, backlog.leaving)
