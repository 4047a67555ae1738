"""What the use cases need of the world, and the seam between the core and what is said across it."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from sangkien.exchange.domain.foreign import Certificate
from sangkien.store import Op

if TYPE_CHECKING:
    from sangkien.custody import Seal

Commit = Callable[[Sequence[Op]], Awaitable[None]]
"""Writes one unit; raises Duplicate, Conflict and StoreUnavailable with nothing written."""

NodeState = Literal["invited", "joining", "active", "suspended", "leaving", "left"]


class World(Protocol):
    """The clock, the calendar of Hanoi and the source of ids."""

    def now(self) -> datetime: ...

    def today(self) -> date: ...

    def new_id(self) -> str: ...


class Traces(Protocol):
    """Spans; `parent` is a traceparent, "" begins a trace."""

    def span(self, name: str, *, parent: str | None = None) -> AbstractContextManager[Any]: ...


class Message(Protocol):
    """One message to or from another node: `sangkien.contracts.crossing.Crossing` is one."""

    TYPE: ClassVar[str]

    def key(self) -> str:
        """The business key: the same whenever the same thing is said again."""
        ...

    def to_bytes(self) -> bytes:
        """The body as it is sealed and sent."""
        ...


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message that this node wants to say to another one, or to `hub`; `trace` is a traceparent, "" for none.

    Saying the same business key to the same receiver again changes nothing.
    """

    receiver: str
    message: Message
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a message that arrived leads to: written with the mark that it was taken, in one unit."""

    ops: Sequence[Op] = ()
    outbound: Sequence[Outbound] = ()


class NotYet(Exception):
    """Something that a message depends on is not there yet, or a service does not answer: it is tried again.

    `reason` is a stable word for operators, never a value out of the message.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Waits(Exception):
    """Events that may be about something which this service is still doing: they come again, the others go on.

    `ids` are those of the events.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"{len(ids)} wait")
        self.ids = tuple(ids)


class Inward(Protocol):
    """What messages of other nodes do here."""

    async def take(self, sender: str, message: Message, seal: "Seal") -> Taken:
        """The effect of one message. Sender, body and seal have been verified; messages come in order of their number.

        Called at least once for a message, until its effect is committed: what it does outside the unit (a call to
        another service) must be idempotent. Raises NotYet, or an error of a call that could not be made, to be asked
        again, which holds up what follows; any other error (a Refusal, a bug) puts this message aside as failed with
        its reason, and the next one is taken.
        """
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """An event of this node's own services as it was delivered; `event` is its contract, `trace` a traceparent."""

    id: str
    type: str
    event: object
    aggregate_id: str
    aggregate_version: int
    at: datetime
    trace: str


class Outward(Protocol):
    """What events of this node's services have to say to other nodes. One for each consumer of exchange."""

    async def __call__(self, heard: Sequence[Heard]) -> Taken:
        """The operations and messages of a batch; the core commits both with the marks that the events were handled.

        Called again with the same events, alone or in other company, until the commit succeeds. Writes nothing itself.
        Raises NotYet for what has to wait, like the handlers of `sangkien.messaging`, and Waits for some of it.
        """
        ...


@dataclass(frozen=True, slots=True)
class KnownNode:
    """A node as the hub registered it. `parent` is "" at the top; `seal_keys` are base64url, newest first."""

    node: str
    name: str
    profile: str
    parent: str
    state: NodeState
    epoch: int
    seal_keys: tuple[str, ...]
    version: int


class Registry(Protocol):
    """The nodes of the federation as this one last heard; answers come from memory."""

    @property
    def me(self) -> KnownNode: ...

    def node(self, node: str) -> KnownNode | None: ...

    def parent(self) -> KnownNode | None:
        """The node that this one files to and reports to; None at the top."""
        ...

    def children(self) -> Sequence[KnownNode]:
        """The nodes whose parent this one is, whatever their state, by id."""
        ...


@dataclass(frozen=True, slots=True)
class CustodyStep:
    """One step in the way of a dossier that crosses: who held it from then on, and why.

    `what` is one of filed, sent, received, not_received, accepted, supplement_requested, refused, voted, recognised,
    not_recognised, withdrawn; `in_custody` and `delivered` follow from the fate of the message and are not recorded.
    `dossier_id` and `code` are this node's, `remote_id` the other one's. On a `sent` step, `message_receiver` and
    `message_key` name the message.
    `answer_from` and `answer_due`: who must answer by when, from this step on.
    """

    dossier_id: str
    node: str
    what: str
    at: datetime
    detail: str = ""
    code: str = ""
    remote_id: str = ""
    answer_from: str = ""
    answer_due: date | None = None
    message_receiver: str = ""
    message_key: str = ""


class CustodySteps(Protocol):
    """The steps of dossiers that crossed, as this node saw them."""

    def recorded(self, step: CustodyStep) -> Op:
        """The operation that adds a step; put it into the unit of what it tells of."""
        ...

    async def of(self, dossier: str) -> Sequence[CustodyStep]:
        """All steps of a dossier by its id or receipt code here, oldest first."""
        ...


class Certificates(Protocol):
    """Certificates that other nodes issued for dossiers of this one."""

    async def certificates(self, dossier_id: str) -> Sequence[Certificate]:
        """In order of issue."""
        ...
