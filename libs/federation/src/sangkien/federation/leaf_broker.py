"""A member's end of its link."""

from collections.abc import Mapping

from sangkien.federation.crossing import Arrived, Backlog


class LeafBroker:
    """The member's own link server as `exchange` sees it. `url` is that of `MemberFolder.broker_url(port)`."""

    def __init__(self, url: str, node: str) -> None:
        raise NotImplementedError

    async def connect(self) -> None:
        """Connect, however long that takes, and watch the link from then on."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    async def ensure(self) -> None:
        """Bring OUT_ and IN_ and the consumer into being; what exists is put right. Raises LinkDown, LinkRefused."""
        raise NotImplementedError

    async def offer(
        self,
        receiver: str,
        message_type: str,
        body: bytes,
        headers: Mapping[str, str],
        msg_id: str,
    ) -> int:
        """Store one message for `receiver` durably; returns its sequence in OUT_. Many may be in flight.

        Raises LinkDown when it is not known whether it was stored (offer again), LinkRefused, BadName.
        """
        raise NotImplementedError

    async def arrived(self, most: int, wait_s: float) -> list[Arrived]:
        """Up to `most` messages of IN_, in order; as `HubLink.fetch`. `receiver` is this node."""
        raise NotImplementedError

    async def rewind(self) -> None:
        """Begin `arrived` again at the first message not acknowledged. Raises LinkDown."""
        raise NotImplementedError

    def connected(self) -> bool:
        """Whether the link to the hub stands, as last looked."""
        raise NotImplementedError

    async def backlog(self) -> Backlog:
        """Raises LinkDown."""
        raise NotImplementedError

    async def reset_out(self) -> None:
        """Begin OUT_ anew, above every sequence it ever had: for a leaf that lost its tail. Offer again afterwards."""
        raise NotImplementedError

    async def drop_offered(self, up_to: int) -> int:
        """Forget what was offered up to this sequence of OUT_, once it is receipted. Returns how many."""
        raise NotImplementedError

    async def drop_taken(self) -> int:
        """Forget what arrived and was acknowledged, all but the last. Returns how many."""
        raise NotImplementedError
