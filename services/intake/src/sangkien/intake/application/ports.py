"""What the use cases need of the world."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sangkien.intake.domain.dossier import Dossier
from sangkien.intake.domain.draft import Draft
from sangkien.intake.domain.rounds import Round
from sangkien.kernel import Refusal
from sangkien.store import Op

Commit = Callable[[Sequence[Op]], Awaitable[None]]
"""Writes one unit; raises Duplicate, Conflict and StoreUnavailable with nothing written."""


class DirectoryDown(ConnectionError):
    """The directory did not answer. The same request may succeed later."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts. `person_id` is "" for a service; `organisation` is the one the roles hold in.

    `service` is the subject of the one service that acts for people of other nodes, "" for everybody else.
    """

    person_id: str
    roles: frozenset[str]
    organisation: str
    service: str = ""

    @property
    def filer(self) -> str:
        """Whom a dossier is kept as filed by."""
        return self.person_id or self.service


@dataclass(frozen=True, slots=True)
class Filed:
    """The answer to a filing: what the receipt says. `already` when the same key had filed it before."""

    dossier_id: str
    code: str
    answer_due: date
    already: bool = False
    warnings: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptKey:
    """What an idempotency key stands for."""

    fingerprint: str
    filed: Filed


@dataclass(frozen=True, slots=True)
class UnitAnswer:
    """What the directory makes of a unit's name. `unit_id` is "" when none or several fit."""

    unit_id: str
    suggestions: tuple[str, ...] = ()
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class PersonAsked:
    """An author as the directory is asked about: by name within a unit."""

    unit_id: str
    full_name: str
    birth_date: date | None
    staff_code: str
    email: str
    job_title: str


@dataclass(frozen=True, slots=True)
class PersonTurnedDown:
    """The directory's refusal of a person: its `reason` code and its own words."""

    reason: str
    why: str


@dataclass(frozen=True, slots=True)
class PersonNamed:
    """A person as documents name them."""

    full_name: str
    unit_name: str


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


class Dossiers(Protocol):
    """The dossiers of this node. Reads raise StoreUnavailable; the methods that return operations write nothing."""

    async def keys(self, keys: Sequence[str]) -> Mapping[str, KeptKey]:
        """What is kept under those of `keys` that were used."""
        ...

    async def get(self, dossier_id: str) -> Dossier | None: ...

    async def get_many(self, dossier_ids: Sequence[str]) -> Mapping[str, Dossier]: ...

    async def id_of_code(self, code: str) -> str | None: ...

    async def drafts(self, dossiers: Sequence[Dossier]) -> Mapping[str, Draft]:
        """The latest content of each, by dossier id."""
        ...

    async def newest(self, where: Mapping[str, object], *, before: str, limit: int) -> list[Dossier]:
        """Those that match, newest first, filed before the dossier `before` ("" for no bound)."""
        ...

    async def authored(self, person_id: str, *, before: str, limit: int) -> list[str]:
        """Ids of the dossiers the person is or was an author of, newest first."""
        ...

    async def named(self, sha256s: Sequence[str]) -> Sequence[str]:
        """Which of these files some version of some dossier names."""
        ...

    async def filed_at(self, dossier_id: str) -> datetime:
        """When the first version was recorded, aware. Raises KeyError for an unknown dossier."""
        ...

    def added(self, dossier: Dossier, kept: str, filed: Filed, *, now: datetime) -> list[Op]:
        """The operations that store a new dossier under the key `kept`, with its first version and its event."""
        ...

    def changed(self, dossier: Dossier, *, now: datetime, traceparent: str) -> list[Op]:
        """The operations that store a changed dossier, with what it recorded."""
        ...


class Rounds(Protocol):
    """Rounds as review's events told them; may lag behind by about a second."""

    async def get(self, round_id: str) -> Round | None: ...

    async def open_rounds(self) -> Sequence[Round]: ...


@dataclass(frozen=True, slots=True)
class KnownRound:
    """A round as stored. `applied` is the version of review's round it stands at, `version` the store's, 0 if new."""

    round: Round
    applied: int
    version: int = 0


class RoundBook(Protocol):
    """The stored rounds, for whoever keeps them."""

    async def known(self, round_ids: Sequence[str]) -> Mapping[str, KnownRound]: ...

    def written(self, known: KnownRound) -> Op:
        """The operation that stores the round, new or changed."""
        ...


class ReviewDown(ConnectionError):
    """Review did not answer. The same request may succeed later."""


class Councils(Protocol):
    """Who judges, owned by review. Raises ReviewDown."""

    async def may_judge(self, dossier_id: str, person_id: str) -> bool:
        """Whether the person sits on the council of the dossier, and nothing bars them from it."""
        ...


class Directory(Protocol):
    """Units and people, owned by the directory. Raises DirectoryDown."""

    async def units(self, names: Sequence[str], on: date) -> Sequence[UnitAnswer]:
        """One answer a name, in order."""
        ...

    async def people(self, asked: Sequence[PersonAsked]) -> Sequence[str | PersonTurnedDown]:
        """The id of each person, registered where unknown, in order."""
        ...

    async def named(self, person_ids: Sequence[str]) -> Mapping[str, PersonNamed]: ...

    async def unit_names(self, unit_ids: Sequence[str]) -> Mapping[str, str]: ...
