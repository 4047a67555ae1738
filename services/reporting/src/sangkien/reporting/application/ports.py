"""What the use cases need of the store."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sangkien.store import Op

Commit = Callable[[Sequence[Op]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is so, kept once under its id: a dossier was filed, passed, recognised; somebody is owed a sum."""

    kind: str
    id: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as the journal keeps it."""

    event_id: str
    type: str
    at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rebuild came: whether the old facts are gone, the journal's cursor, the events read."""

    cleared: bool
    after: str | None
    read: int
    version: int


class RebuildLog(Protocol):
    """The one rebuild under way."""

    async def progress(self) -> Progress | None:
        """None when there is none."""
        ...

    def begin(self) -> Op:
        """Meets Duplicate when one is under way."""
        ...

    def cleared(self, progress: Progress) -> Op:
        """The old facts are gone. Meets Conflict, like `reached`, when another replica came further."""
        ...

    def reached(self, progress: Progress, after: str | None, read: int) -> Op:
        """A page is read; None for `after` ends the rebuild."""
        ...


class FactBook(Protocol):
    """Facts by kind."""

    async def missing(self, facts: Sequence[Fact]) -> list[Fact]:
        """Those of `facts` not held yet, each once."""
        ...

    def inserts(self, facts: Sequence[Fact]) -> list[Op]:
        """Operations that add them."""
        ...

    async def some(self, kind: str, limit: int) -> list[str]:
        """Up to `limit` ids of a kind."""
        ...

    def removals(self, kind: str, ids: Sequence[str]) -> list[Op]:
        """Operations that remove them."""
        ...

    @property
    def kinds(self) -> Sequence[str]:
        """Every kind there is."""
        ...

    async def all(self, kind: str) -> list[dict[str, Any]]:
        """Every fact of a kind of which there are few (rounds, decisions), with its `id`."""
        ...

    async def count_by(self, kind: str, field: str, **where: str) -> dict[str, int]:
        """How many facts of a kind hold each value of a field."""
        ...

    async def sum_by(self, kind: str, field: str, amount: str, **where: str) -> dict[str, int]:
        """Sums of an amount for each value of a field."""
        ...


class EventJournal(Protocol):
    """Every event, in order of its id."""

    async def page(self, after: str | None, limit: int) -> tuple[list[Entry], str | None]:
        """Entries beyond a cursor, and the next cursor, None at the end."""
        ...

    async def of_dossier(self, dossier_id: str) -> list[Entry]:
        """What happened to one dossier, in order."""
        ...

    async def extent(self) -> tuple[int, datetime | None]:
        """How many events there are, and when the last happened."""
        ...

    def facts_of(self, entry: Entry) -> list[Fact]:
        """The facts an entry stands for."""
        ...
