"""What streams, subjects and accounts of a link are called, and what a leaf may do (ADR 0008)."""

import re
from dataclasses import dataclass
from typing import Final

NODE_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""Lower case letters, digits, hyphens; at most 63: one token of a subject, one host label, one part of a file name."""
RESERVED: Final = frozenset({"hub"})
"""Names no node may bear."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+")


class BadName(ValueError):
    """A node id or message type that may not stand in a subject."""


def checked_node(node: str) -> str:
    """The id itself. Raises BadName for one that could mean something else in a subject, a path or a certificate."""
    if NODE_ID.fullmatch(node) is None or node in RESERVED:
        raise BadName(f"{node[:70]!r} is no node id: lower case letters, digits, hyphens; at most 63; not `hub`")
    return node


def checked_address(peer: str, message_type: str) -> tuple[str, str]:
    """A peer (node id or `hub`) and a type as they stand in a subject. Raises BadName for wildcards and the like."""
    if peer not in RESERVED:
        checked_node(peer)
    if not message_type or not all(_TOKEN.fullmatch(token) for token in message_type.split(".")):
        raise BadName(f"{message_type[:70]!r} is no message type")
    return peer, message_type


@dataclass(frozen=True, slots=True)
class Names:
    """The names that belong to one node's link."""

    node: str

    def __post_init__(self) -> None:
        checked_node(self.node)

    @property
    def account(self) -> str:
        return f"NODE_{self.node}"

    @property
    def domain(self) -> str:
        return f"leaf-{self.node}"

    @property
    def out(self) -> str:
        return f"OUT_{self.node}"

    @property
    def fed(self) -> str:
        return f"FED_{self.node}"

    @property
    def down(self) -> str:
        return f"DOWN_{self.node}"

    @property
    def in_(self) -> str:
        return f"IN_{self.node}"

    @property
    def deliver_up(self) -> str:
        return f"deliver.up.{self.node}"

    @property
    def deliver_down(self) -> str:
        return f"deliver.down.{self.node}"

    @property
    def wake_up(self) -> str:
        """Subject by which a leaf tells the hub that its source has to be taken up anew."""
        return f"{self.deliver_up}.wake"

    @property
    def wake_down(self) -> str:
        """The same the other way."""
        return f"{self.deliver_down}.wake"

    def leaf_may_publish(self) -> list[str]:
        """The first column of the ADR's table."""
        return [
            f"{self.deliver_up}.>",
            "$JSC.R.>",
            f"$JS.hub.API.CONSUMER.CREATE.{self.down}.>",
            f"$JS.FC.{self.down}.>",
        ]

    def leaf_may_subscribe(self) -> list[str]:
        """The second column of the ADR's table."""
        return [
            f"$JS.{self.domain}.API.CONSUMER.CREATE.{self.out}.>",
            f"$JS.FC.{self.out}.>",
            f"{self.deliver_down}.>",
            "$JSC.R.>",
        ]
