"""What the use cases need of the world."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sangkien.kernel.numbering import NumberRegister
from sangkien.reward.domain.decision import RewardDecision
from sangkien.reward.domain.ledger import Entitlement, Entry, Kind
from sangkien.reward.domain.recipients import Chunk, Named
from sangkien.store import Op

Commit = Callable[[Sequence[Op]], Awaitable[None]]
"""Writes one unit. Raises the store's Duplicate and Conflict with nothing written."""


class World(Protocol):
    """The clock and the source of ids."""

    def now(self) -> datetime: ...

    def today(self) -> date: ...

    def new_id(self) -> str: ...


class Traces(Protocol):
    """Spans; `parent=""` begins a trace of its own."""

    def span(
        self, name: str, *, parent: str | None = None, links: Sequence[str] = (), **attributes: Any
    ) -> AbstractContextManager[Any]: ...

    def traceparent(self) -> str: ...


class Record(Protocol):
    """Turns domain events into the operations that publish them."""

    def __call__(self, events: Iterable[object], *, version: int, traceparent: str) -> list[Op]:
        """`version` is the aggregate's after the change, `traceparent` the span the events continue."""
        ...


class Decisions(Protocol):
    """Decisions, their lists and the number registers as they are stored. What saves writes nothing by itself."""

    async def get(self, decision_id: str) -> RewardDecision | None: ...

    async def by_key(self, idempotency_key: str) -> RewardDecision | None: ...

    async def chunks(self, decision_id: str) -> list[Chunk]:
        """The whole list, in its order."""
        ...

    async def due_chunks(self, decision_id: str = "", limit: int = 20) -> list[Chunk]:
        """Some of those that have to become entitlements yet, of one decision or of any; none when all are done."""
        ...

    async def register(self, register_id: str) -> NumberRegister | None: ...

    def save(self, decision: RewardDecision) -> Op: ...

    def save_chunk(self, chunk: Chunk) -> Op: ...

    def save_register(self, register: NumberRegister) -> Op: ...

    async def document(self, decision_id: str) -> str | None:
        """The SHA-256 of the rendered document, None before it was first asked for."""
        ...

    def save_document(self, decision_id: str, sha256: str) -> Op:
        """Remember it once; a second one is Duplicate."""
        ...


@dataclass(frozen=True, slots=True)
class KeptPayment:
    """What an idempotency key stands for."""

    payment_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class EntitlementPage:
    """One stretch of a list; `next` is "" at the end."""

    items: list[Entitlement]
    next: str


@dataclass(frozen=True, slots=True)
class Balance:
    """Sums of a decision's ledger by kind, in whole đồng, and how many entries there are."""

    sums: Mapping[Kind, int]
    entries: int


class Ledger(Protocol):
    """Entitlements and the entries of the ledger as they are stored."""

    async def entitlements(self, ids: Sequence[str]) -> dict[str, Entitlement]: ...

    async def page(self, decision_id: str, holder_id: str, limit: int, after: str) -> EntitlementPage:
        """Of a decision in the order of its list, or of a holder, oldest first. Raises PageTokenInvalid."""
        ...

    async def payments(self, keys: Sequence[str]) -> dict[str, KeptPayment]:
        """What is kept under those of the keys that were used."""
        ...

    async def balance(self, decision_id: str) -> Balance: ...

    def save(self, entitlement: Entitlement) -> Op: ...

    def add(self, entry: Entry, *, at: datetime, by: str, key: str = "", fingerprint: str = "") -> Op:
        """A line of the ledger, entered by a person or a service; `key` is a payment's idempotency key."""
        ...


@dataclass(frozen=True, slots=True)
class Achievement:
    """A recognised initiative as one holder's: an author's, or the unit's. `traceparent` continues its dossier."""

    holder_id: str
    initiative_id: str
    tier: str
    recognised_on: date
    traceparent: str

    @property
    def id(self) -> str:
        """The same initiative counts once at each tier, for each holder."""
        return f"{self.initiative_id}/{self.tier}/{self.holder_id}"


class Achievements(Protocol):
    """Recognised initiatives as recognition's events told them; may lag behind by about a second."""

    async def known(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids (`Achievement.id`) that are stored."""
        ...

    async def traces(self, holder_ids: Sequence[str]) -> dict[str, str]:
        """The trace of the latest initiative of every holder that has one."""
        ...

    def add(self, achievement: Achievement) -> Op: ...


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation as documents name it."""

    name: str
    parent_id: str


class Directory(Protocol):
    """Names by id; those it does not know are left out."""

    async def people(self, ids: Sequence[str]) -> Mapping[str, Named]: ...

    async def organisations(self, ids: Sequence[str]) -> Mapping[str, Organisation]: ...


class Blobs(Protocol):
    """Immutable files by SHA-256."""

    async def put(self, blob: bytes) -> str: ...

    async def get(self, sha256: str) -> bytes | None: ...
