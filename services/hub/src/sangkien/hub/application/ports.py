"""What the use cases need of the world."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from sangkien.custody import SealKey
from sangkien.hub.domain.node import Node
from sangkien.hub.domain.peer import BEGINNING, Peer
from sangkien.store import Op

Commit = Callable[[Sequence[Op]], Awaitable[None]]
"""Writes one unit; raises Duplicate, Conflict and StoreUnavailable. After the last it may be written all the same."""

Judge = Callable[[str, bytes], str]
"""Type and body → why no body of this type can be read from it, "" when one can."""

RegistryWord = Callable[[Node], tuple[str, str, bytes]]
"""Type, business key and body of what other nodes are told of a node."""

RECEIPT = "receipt.v1"
HISTORY = "history.v1"
SEAL_HEADER = "Sk-Seal"
GONE_HEADER = "Sk-Gone"
CUSTODY_HEADER = "Sk-Custody"


class World(Protocol):
    """The clock and the source of ids."""

    def now(self) -> datetime: ...

    def new_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Log:
    """How far the log and its stamps are. `unstamped_since`: when the oldest entry without a stamp was taken."""

    position: int = 0
    hash: str = BEGINNING
    batch: int = 0
    stamp_hash: str = BEGINNING
    stamped: int = 0
    stamped_at: datetime | None = None
    unstamped_since: datetime | None = None
    stored: int = 0

    def grown(self, position: int, entry_hash: str, at: datetime) -> "Log":
        """With entries up to this one, taken at that time."""
        return replace(self, position=position, hash=entry_hash, unstamped_since=self.unstamped_since or at)

    def overdue(self, now: datetime, limit: timedelta) -> bool:
        """Whether stamping has failed for too long to take anything more."""
        return self.unstamped_since is not None and now - self.unstamped_since > limit


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the log as it is kept: its exact bytes, the seal it is of, when its receiver confirmed it."""

    position: int
    id: str
    sender: str
    epoch: int
    n: int
    raw: bytes
    seal: str
    delivered_at: datetime | None = None
    stored: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """A message on its way to `receiver` under the number `n`, kept until it is confirmed.

    `body` is None for a message of a node: it lies apart, under `position`. What the hub itself says is sealed by the
    hub, has no place in the log, and names the newest one.
    """

    receiver: str
    epoch: int
    n: int
    sender: str
    sender_epoch: int
    sender_n: int
    type: str
    seal: str
    seal_sha256: str
    position: int
    at: datetime
    body: bytes | None = None

    @property
    def id(self) -> str:
        """Its number on the way down, which is its id in the receiver's stream as well."""
        return f"{self.receiver}:{self.epoch}:{self.n}"


@dataclass(frozen=True, slots=True)
class StoredStamp:
    """A batch's stamp; `token` is empty where no authority is configured."""

    batch: int
    first: int
    last: int
    stamp: str
    token: bytes = b""


class Shelf(Protocol):
    """The hub's documents. Methods that answer an operation write nothing."""

    async def nodes(self) -> Sequence[Node]: ...

    async def peers(self) -> Sequence[Peer]: ...

    async def log(self) -> Log: ...

    async def line(self, position: int) -> Line | None: ...

    async def lines(self, positions: Sequence[int]) -> Mapping[int, Line]: ...

    async def lines_from(self, position: int, most: int, sender: str = "") -> Sequence[Line]:
        """In order of the log."""
        ...

    async def lines_of_id(self, id: str) -> Sequence[Line]:
        """In order of the log: ids are the senders', and two of them may use the same."""
        ...

    async def chain(self, sender: str, epoch: int, first: int, most: int) -> Sequence[Line]:
        """A stretch of a sender's chain, by number."""
        ...

    async def numbered(self, sender: str, epoch: int, numbers: Sequence[int]) -> Sequence[Line]: ...

    async def held(self, receiver: str, epoch: int, above: int, most: int) -> Sequence[Held]:
        """What is on its way to the receiver, by number."""
        ...

    async def all_held(self, receiver: str) -> Sequence[Held]:
        """Everything on its way to the receiver, of all its lives, in order."""
        ...

    async def bodies(self, positions: Sequence[int]) -> Mapping[int, bytes]: ...

    async def held_of(self, sender: str, most: int) -> Sequence[Held]:
        """What a sender's receivers have not confirmed, in order of the log."""
        ...

    async def count_held(self) -> Mapping[str, int]:
        """How many messages are on their way to each receiver."""
        ...

    async def stamp(self, batch: int) -> StoredStamp | None: ...

    async def stamp_over(self, position: int) -> StoredStamp | None:
        """The stamp that covers an entry."""
        ...

    async def stamps_from(self, batch: int, most: int) -> Sequence[StoredStamp]: ...

    def save_node(self, node: Node) -> Op: ...

    def save_peer(self, peer: Peer) -> Op: ...

    def save_log(self, log: Log) -> Op: ...

    def add_line(self, line: Line) -> Op: ...

    def change_line(self, line: Line) -> Op: ...

    def add_held(self, held: Held) -> Op: ...

    def drop_held(self, held: Held) -> Op: ...

    def add_body(self, position: int, body: bytes) -> Op: ...

    def drop_body(self, position: int) -> Op: ...

    def add_stamp(self, stamp: StoredStamp) -> Op: ...


@dataclass(frozen=True, slots=True)
class Stock:
    """Messages that lie at the hub's broker: not taken yet from a node, not fetched yet by it."""

    arrived: int
    leaving: int


class Parcel(Protocol):
    """A message as it lies in a node's stream. `sender` is stamped by the server."""

    @property
    def sender(self) -> str: ...

    @property
    def receiver(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> bytes: ...

    async def ack(self) -> None: ...


class Wire(Protocol):
    """One node's streams at the hub's broker."""

    async def fetch(self, most: int, wait_s: float) -> Sequence[Parcel]: ...

    async def rewind(self) -> None: ...

    async def send(
        self, sender: str, message_type: str, body: bytes, headers: Mapping[str, str], msg_id: str
    ) -> int: ...

    async def drop_taken(self) -> int: ...

    async def drop_sent(self, up_to: int) -> int: ...


class Links(Protocol):
    """The hub's broker. Everything of it that waits raises Away when it does not answer, or not as asked."""

    async def connect(self) -> None:
        """Connect, however long that takes."""
        ...

    async def close(self) -> None: ...

    async def add(self, node: str, *, user_public: str) -> str: ...

    async def open(self, node: str) -> None: ...

    async def suspend(self, node: str) -> None: ...

    async def reinstate(self, node: str) -> None: ...

    async def revoke(self, node: str) -> None: ...

    async def rotate(self, node: str, new_user_public: str) -> str: ...

    async def reset_down(self, node: str, epoch: int) -> None: ...

    async def reset_up(self, node: str) -> None: ...

    def connected(self) -> Collection[str]: ...

    def link(self, node: str) -> Wire: ...

    async def stock(self, node: str) -> Stock | None:
        """None when the broker does not answer."""
        ...


class Signer(Protocol):
    """The hub's own keys: what it seals with, and its authority over the nodes' certificates."""

    @property
    def authority_pem(self) -> str: ...

    @property
    def hub_key(self) -> SealKey: ...

    def sign(self, csr_pem: str, node: str, now: datetime) -> tuple[str, datetime]:
        """A certificate and the end of its life. Raises JoinKeysMalformed."""
        ...

    def requested_key(self, csr_pem: str) -> str:
        """The public key of a certificate request, in hex. Raises JoinKeysMalformed."""
        ...

    def check_user_key(self, user_key: str) -> None:
        """Raises JoinKeysMalformed."""
        ...


class Readers(Protocol):
    """Who reads the nodes' streams."""

    async def start(self, node: str) -> None:
        """Read the node's stream from its first message that was not taken on; whoever reads it already begins anew."""
        ...

    async def stop(self, node: str) -> None:
        """Read no more of it; what was read and not taken stays in the stream."""
        ...

    def held_off(self, node: str) -> AbstractAsyncContextManager[None]:
        """Nobody reads it meanwhile, whoever starts to. Start again afterwards."""
        ...


class Away(Exception):
    """Something the hub needs (its broker, the time-stamping authority) does not answer, or not as asked: later."""
