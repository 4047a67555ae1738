"""What the chain's use cases need of the world: its documents, and this node's end of the link."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sangkien.custody import Head
from sangkien.exchange.application.ports import KnownNode, Message, Registry
from sangkien.exchange.domain.incoming import Received
from sangkien.exchange.domain.outgoing import Outgoing
from sangkien.store import Op

SEAL_HEADER = "Sk-Seal"
CUSTODY_HEADER = "Sk-Custody"
GONE_HEADER = "Sk-Gone"
RECEIPT_TYPE = "receipt.v1"
HISTORY_TYPE = "history.v1"


@dataclass(frozen=True, slots=True)
class Chain:
    """The end of this node's chain. `reconciling`: nothing is sealed until the hub's history was adopted.

    `out_seq` is the highest sequence that the leaf's stream ever gave us.
    """

    head: Head
    reconciling: bool = False
    out_seq: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class HubWord:
    """What the hub last said. `confirmed` is the number up to which its log and our chain agree.

    `at` is the hub's clock, `seen_at` ours; None before the first receipt of this epoch.
    """

    epoch: int
    confirmed: int = 0
    at: datetime | None = None
    seen_at: datetime | None = None
    position: int = 0
    state: str = "open"
    stamped_last: int = 0
    stamped_at: datetime | None = None
    down: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Inflow:
    """How far what comes down is stored here: the highest contiguous number of an epoch."""

    epoch: int
    n: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Membership:
    """`state` is joining, active, leaving or left; `goodbye` the document of the last message of this life."""

    state: str
    goodbye: str = ""
    version: int = 0


class Ledger(Protocol):
    """The four small documents above. Methods named `stored` return the operation, with the version it was read at."""

    async def chain(self) -> Chain: ...

    async def word(self) -> HubWord: ...

    async def inflow(self) -> Inflow: ...

    async def membership(self) -> Membership: ...

    def stored(self, one: Chain | HubWord | Inflow | Membership) -> Op: ...


@dataclass(frozen=True, slots=True)
class PeerCounts:
    """What was sent to one peer, by state; `retries` are the offers beyond the first of each message."""

    by_state: Mapping[str, int]
    retries: int
    oldest_waiting: datetime | None


class Outgoings(Protocol):
    """Messages of this node. Lists are in order and bounded."""

    async def get(self, id: str) -> Outgoing | None: ...

    async def get_many(self, ids: Sequence[str]) -> Mapping[str, Outgoing]: ...

    async def find(self, id_or_key: str) -> Outgoing | None:
        """By message id or business key; of several receivers, the latest."""
        ...

    async def posted(self, limit: int) -> Sequence[Outgoing]:
        """Those without a number, in the order they were posted."""
        ...

    async def waiting(self, epoch: int, limit: int) -> Sequence[Outgoing]:
        """Those to be offered, by number."""
        ...

    async def numbered(self, epoch: int, above: int, up_to: int, limit: int) -> Sequence[Outgoing]:
        """Those with `above` < n ≤ `up_to`, by number."""
        ...

    async def at(self, epoch: int, n: int) -> Outgoing | None: ...

    async def undelivered(self, epoch: int, above: int, up_to: int, limit: int) -> Sequence[Outgoing]:
        """Receipted ones with `above` < n ≤ `up_to`, by number."""
        ...

    async def not_of(self, epoch: int, limit: int) -> Sequence[Outgoing]:
        """Waiting or offered ones with a number of an earlier epoch, by number."""
        ...

    async def old(self, settled_before: datetime, limit: int) -> Sequence[Outgoing]:
        """Delivered ones settled before then whose body is still kept."""
        ...

    async def unsettled(self) -> tuple[int, datetime | None]:
        """How many the hub is not known to have, and when the oldest of them was posted."""
        ...

    async def offered_count(self, epoch: int) -> int: ...

    async def on_their_way(self, epoch: int) -> tuple[int, int]:
        """How many are offered and not receipted, and what they weigh together, in bytes."""
        ...

    async def by_receiver(self) -> Mapping[str, PeerCounts]: ...

    async def bodies(self, ids: Sequence[str]) -> Mapping[str, bytes]: ...

    def forgotten(self, message: Outgoing) -> Op:
        """The operation that removes a message of which nothing is known but a seal that the hub has as well."""
        ...

    def stored(self, message: Outgoing) -> Op: ...

    def with_body(self, id: str, body: bytes) -> Op: ...

    def without_body(self, id: str) -> Op: ...


class Incomings(Protocol):
    """Messages for this node. Lists are in order and bounded."""

    async def get_many(self, ids: Sequence[str]) -> Mapping[str, Received]: ...

    async def find(self, id_or_key: str) -> Received | None: ...

    async def waiting(self, limit: int) -> Sequence[Received]:
        """Those that wait to be applied, by epoch and number."""
        ...

    async def old(self, settled_before: datetime, limit: int) -> Sequence[Received]:
        """Applied ones settled before then whose body is still kept."""
        ...

    async def by_sender(self) -> Mapping[str, tuple[int, datetime | None]]:
        """How many came from each sender, and when the last did."""
        ...

    async def bodies(self, ids: Sequence[str]) -> Mapping[str, bytes]: ...

    def forgotten(self, message: Received) -> Op: ...

    def stored(self, message: Received) -> Op: ...

    def with_body(self, id: str, body: bytes) -> Op: ...

    def without_body(self, id: str) -> Op: ...


class LinkAway(Exception):
    """The leaf did not answer: it is not known whether it has what it was given."""


class OfferRefused(Exception):
    """The leaf refuses a message for good."""


class Parcel(Protocol):
    """One message as it comes off the leaf."""

    @property
    def sender(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> bytes: ...

    async def ack(self) -> None: ...


class Leaf(Protocol):
    """This node's link server. Raises LinkAway and OfferRefused."""

    def connected(self) -> bool:
        """Whether the link to the hub stands, as last looked."""
        ...

    async def offer(
        self, receiver: str, message_type: str, body: bytes, headers: Mapping[str, str], msg_id: str
    ) -> int:
        """Store one message durably; its sequence in the leaf's stream. Many may be in flight."""
        ...

    async def arrived(self, most: int, wait_s: float) -> Sequence[Parcel]: ...

    async def reset_out(self) -> None:
        """Begin the outgoing stream anew, above every sequence it ever had."""
        ...

    async def drop_offered(self, up_to: int) -> int: ...

    async def drop_taken(self) -> int: ...


class NodeBook(Registry, Protocol):
    """The registry, and how it changes."""

    def everyone(self) -> Sequence[KnownNode]: ...

    def changed(self, node: KnownNode) -> Op | None:
        """The operation that stores a newer word on a node; None for what is not newer."""
        ...

    def learn(self, nodes: Sequence[KnownNode]) -> None:
        """Answer with these from now on: their operations were committed."""
        ...


class Unreadable(Exception):
    """A body that this version cannot read. `reason` is a stable word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Crossings(Protocol):
    """The contracts of what crosses."""

    def read(self, message_type: str, body: bytes) -> Message:
        """Raises Unreadable."""
        ...

    def allowed(self, message_type: str, sender_profile: str, receiver_profile: str) -> bool: ...

    def fleeting(self, message_type: str) -> bool:
        """Whether bodies of this type are dropped as soon as they were delivered or taken: they are parts of files."""
        ...

    def word_on_node(self, message: Message) -> KnownNode | None:
        """What a message of the hub says of a node; None for another message."""
        ...

    def echo(self, text: str) -> Message: ...

    def goodbye(self, on: date) -> Message: ...


Steady = Callable[[], float]
"""Seconds of a clock that never goes back."""


class Notes(Protocol):
    """Lines in the log for operators: what happened, and figures, codes and node ids."""

    def info(self, event: str, **facts: object) -> object: ...

    def warning(self, event: str, **facts: object) -> object: ...

    def error(self, event: str, **facts: object) -> object: ...
