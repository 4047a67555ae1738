"""What the use cases need of the world."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, Protocol, TypeVar

from sangkien.kernel.numbering import NumberRegister
from sangkien.recognition.domain.candidate import Candidate
from sangkien.recognition.domain.decision import Decision
from sangkien.recognition.domain.record import PersonRecord
from sangkien.recognition.domain.register import Certificate, Entered, Entry
from sangkien.store import Op

T = TypeVar("T")

Commit = Callable[[Sequence[Op]], Awaitable[None]]
"""Writes one unit; raises Duplicate, Conflict and StoreUnavailable with nothing written."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts: `organisation` is the one the roles hold in."""

    person_id: str
    roles: frozenset[str]
    organisation: str


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """One page of a list; `next` is "" at the end."""

    items: Sequence[T]
    next: str


class World(Protocol):
    """The clock, the calendar of Hanoi and the source of ids."""

    def now(self) -> datetime: ...

    def today(self) -> date: ...

    def new_id(self) -> str: ...


class Traces(Protocol):
    """Spans."""

    def span(
        self, name: str, *, parent: str | None = None, links: Sequence[str] = (), **attributes: Any
    ) -> AbstractContextManager[Any]: ...

    def traceparent(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Unit:
    """An organisation as directory knows it; dates are the first and last day it stood, None for no bound."""

    name: str
    kind: str
    parent_id: str
    valid_from: date | None = None
    valid_to: date | None = None


class Directory(Protocol):
    """Names. Ids that directory does not know are missing from the answers. Raises ConnectionError when it is down."""

    async def people(self, ids: Sequence[str]) -> Mapping[str, str]: ...

    async def units(self, ids: Sequence[str]) -> Mapping[str, Unit]: ...


class Candidates(Protocol):
    """Voted dossiers. Methods that return operations write nothing."""

    async def get_many(self, dossier_ids: Sequence[str]) -> Mapping[str, Candidate]: ...

    async def waiting(self, round_id: str, limit: int) -> Sequence[Candidate]:
        """The first candidates of the round that stand in no decision, by dossier id."""
        ...

    async def list_waiting(self, round_id: str, limit: int, token: str) -> Listed[Candidate]:
        """The same, page by page. Raises RecognitionPageTokenInvalid."""
        ...

    async def of_decision(self, decision_id: str, *, after: str, limit: int) -> Sequence[Candidate]:
        """The items of a decision by dossier id, those behind `after`."""
        ...

    async def claimed(self, claims: Sequence[str]) -> Sequence[str]:
        """Those of `claims` that are taken."""
        ...

    def stored(self, candidate: Candidate) -> Op:
        """The operation that stores the candidate, new or changed."""
        ...

    def claiming(self, candidate: Candidate) -> Op:
        """The operation that takes the candidate's claim; its commit raises Duplicate when it is taken."""
        ...


class Decisions(Protocol):
    """Decisions of this node. The commit of `added` raises Duplicate when the key is used or the round is being
    drafted.
    """

    async def get(self, decision_id: str) -> Decision | None: ...

    async def under_key(self, key: str) -> tuple[str, str] | None:
        """Id and fingerprint of the decision drafted under the key."""
        ...

    def added(self, decision: Decision, key: str, fingerprint: str) -> Sequence[Op]: ...

    def changed(self, decision: Decision) -> Sequence[Op]:
        """The operations that store a changed decision with what it recorded."""
        ...


class Registers(Protocol):
    """Number registers."""

    async def get(self, register_id: str) -> NumberRegister | None: ...

    def stored(self, register: NumberRegister) -> Op: ...


@dataclass(frozen=True, slots=True)
class Work:
    """An issued decision on its way into the register: `cursor` is the last dossier entered, `certificates` how many
    are fixed, `traceparent` the call that issued it.
    """

    decision_id: str
    traceparent: str
    cursor: str = ""
    certificates: int = 0
    version: int = 0


class Works(Protocol):
    """Decisions whose entering is not finished."""

    async def get(self, decision_id: str) -> Work | None: ...

    async def open(self) -> Sequence[str]:
        """Ids of all of them."""
        ...

    def stored(self, work: Work) -> Op: ...

    def done(self, work: Work) -> Op: ...


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """A certificate with the name of its PDF, "" before it was first rendered, at the store's `version`."""

    certificate: Certificate
    pdf_sha256: str
    version: int


class Register(Protocol):
    """The register of initiatives and the certificates. Lists raise RecognitionPageTokenInvalid."""

    def written(self, entered: Entered, traceparent: str) -> Sequence[Op]:
        """The operations that store one item's entry, certificates and events."""
        ...

    def code_taken(self, error: Exception) -> bool:
        """Whether a commit failed because another certificate has the same check code."""
        ...

    async def entries(self, where: Mapping[str, str | int], limit: int, token: str) -> tuple[Listed[Entry], int]:
        """Entries that match, latest first, and how many match in all."""
        ...

    async def certificates(self, where: Mapping[str, str], limit: int, token: str) -> tuple[Listed[Certificate], int]:
        """Certificates that match, by ordinal, and how many match in all."""
        ...

    async def certificate(self, certificate_id: str) -> StoredCertificate | None: ...

    async def by_code(self, check_code: str) -> Certificate | None: ...

    def rendered(self, stored: StoredCertificate, pdf_sha256: str) -> Op: ...


class Records(Protocol):
    """Records of people."""

    async def get_many(self, person_ids: Sequence[str]) -> dict[str, PersonRecord]:
        """One for each, empty and new where nothing is stored."""
        ...

    def stored(self, record: PersonRecord, traceparent: str) -> Sequence[Op]:
        """The operations that store a record with what it recorded."""
        ...


class Blobs(Protocol):
    """Files by SHA-256."""

    async def put(self, blob: bytes) -> str: ...

    async def get(self, sha256: str) -> bytes | None: ...
