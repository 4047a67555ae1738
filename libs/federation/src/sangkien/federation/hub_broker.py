"""The hub's end of every link: accounts, streams, one connection a node."""

from collections.abc import Mapping
from pathlib import Path

from sangkien.federation.crossing import Arrived, Backlog
from sangkien.federation.hub_folder import HubFolder


class HubLink:
    """One node's link at the hub. From `HubBroker.link`."""

    node: str

    async def fetch(self, most: int, wait_s: float) -> list[Arrived]:
        """Up to `most` messages of this node in order of `stream_seq`; empty when none came within `wait_s` seconds.

        What is not acknowledged comes again: after `rewind()` or a restart at once and in order, else after 60 s.
        Only messages whose stamped sender is this node are handed out; others are logged and dropped. Never raises for
        a broker that is away: it answers an empty list no sooner than `wait_s` or a short pause.
        """
        raise NotImplementedError

    async def rewind(self) -> None:
        """Begin `fetch` again at the first message not acknowledged. Raises LinkDown."""
        raise NotImplementedError

    async def send(
        self,
        sender: str,
        message_type: str,
        body: bytes,
        headers: Mapping[str, str],
        msg_id: str,
    ) -> int:
        """Store one message for the node durably; returns its sequence in DOWN_<node>. Raises LinkDown, LinkRefused."""
        raise NotImplementedError

    async def backlog(self) -> Backlog:
        """Raises LinkDown."""
        raise NotImplementedError

    async def drop_taken(self) -> int:
        """Forget the bodies of what was acknowledged, all but the last (the source's position). Returns how many."""
        raise NotImplementedError

    async def drop_sent(self, up_to: int) -> int:
        """Forget what was sent up to this sequence of DOWN_<node>, once it is receipted. Returns how many."""
        raise NotImplementedError


class HubBroker:
    """The hub's server as the hub service sees it: one connection per account, and one to the system account."""

    def __init__(self, url: str, folder: HubFolder | Path) -> None:
        raise NotImplementedError

    async def connect(self) -> None:
        """Connect to the system account, however long that takes, and watch links from then on."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    async def add(self, node: str, *, user_public: str) -> str:
        """Make the node's account, streams and connection; returns the JWT of its leaf's user.

        Idempotent for the same key. For a node that was revoked, or comes with another key, it is a new life: former
        user keys are revoked. Raises RequestRefused for something that is no user key, ClaimsRefused, LinkDown.
        """
        raise NotImplementedError

    async def open(self, node: str) -> None:
        """Take up a node known from before: put right claims and streams, connect. Raises UnknownNode, LinkDown."""
        raise NotImplementedError

    async def suspend(self, node: str) -> None:
        """Cut the leaf and keep it out; everything of it is kept. Raises UnknownNode, ClaimsRefused, LinkDown."""
        raise NotImplementedError

    async def reinstate(self, node: str) -> None:
        """Undo `suspend`: the leaf comes back by itself and goes on where it stopped."""
        raise NotImplementedError

    async def revoke(self, node: str) -> None:
        """End the node's user key for good, cut its leaf, drop what waits for it and close its connection."""
        raise NotImplementedError

    async def rotate(self, node: str, new_user_public: str) -> str:
        """Mint a JWT for a new key of the leaf's user. The old key works until `retire(node)`."""
        raise NotImplementedError

    async def retire(self, node: str) -> None:
        """Revoke every user key of the node but the newest, once it is known to use that one."""
        raise NotImplementedError

    def connected(self) -> frozenset[str]:
        """Nodes whose leaf is connected, as last heard from the server."""
        raise NotImplementedError

    def nodes(self) -> frozenset[str]:
        """Nodes that are open."""
        raise NotImplementedError

    async def reset_down(self, node: str, epoch: int) -> None:
        """Begin DOWN_<node> anew for another life of the node. Raises UnknownNode, LinkDown."""
        raise NotImplementedError

    async def reset_up(self, node: str) -> None:
        """Begin FED_<node> anew: what was not fetched is dropped, and the leaf's stream is read from its start."""
        raise NotImplementedError

    def link(self, node: str) -> HubLink:
        """Raises UnknownNode for a node that is not open."""
        raise NotImplementedError
