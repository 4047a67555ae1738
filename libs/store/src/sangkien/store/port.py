"""The document-store port every service codes against (DESIGN §5, ADR 0002).

Two adapters keep these promises, SQLite and MongoDB, and one contract suite runs on both. The port is narrow on
purpose: what it leaves out (change streams, text search, server-side updates) is what the two cannot do alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sangkien.store.checks import check_collection, check_path

Document = dict[str, Any]
"""A JSON-safe mapping: str, bool, None, finite floats, ints within ±2**53, lists and mappings of those.

``_id`` is a non-empty str. ``ver`` belongs to the store: 1 on insert, one more on every replace; whatever a written
document says under ``ver`` is ignored. Tuples come back as lists, enum members as their values. Times are kept as
ISO strings or epoch milliseconds, never as datetimes.
"""

Where = Mapping[str, object]
"""Conditions joined by AND, by field path (``"unit.id"`` reaches into mappings).

``{"f": v}`` is equality, ``{"f": None}`` matches null and missing alike, ``{"f": {"in": [...]}}`` any of the listed
values (None allowed, an empty list matches nothing), ``{"f": {"gt"|"gte"|"lt"|"lte": x}}`` a range over numbers or
over strings: values of the other type never match. Queried paths hold scalars; what a condition on a list or a mapping
matches is not promised. Keep booleans and numbers apart: SQLite takes ``True`` for 1, MongoDB does not.
"""

Sort = Sequence[tuple[str, int]]
"""Field paths with 1 (ascending) or -1. A field sorted by holds numbers or strings, and may be null or missing: those
come first ascending. Strings sort by code point. Ties are broken by ``_id``, in the direction of the last field."""


@dataclass(frozen=True, slots=True)
class Insert:
    """Add ``doc``; its ``_id`` must be free."""

    coll: str
    doc: Document


@dataclass(frozen=True, slots=True)
class Replace:
    """Put ``doc`` in place of the document with its ``_id``, if that is still at version ``expect``."""

    coll: str
    doc: Document
    expect: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the document ``id``; nothing happens when it is gone already."""

    coll: str
    id: str


Op = Insert | Replace | Delete


def save(coll: str, doc: Document, version: int) -> Op:
    """Insert ``doc`` at version 0, which was never stored, else replace the version that was loaded."""
    return Replace(coll, doc, version) if version else Insert(coll, doc)


@dataclass(frozen=True, slots=True)
class Index:
    """An index over one or more field paths of ``coll``.

    A ``unique`` one binds only documents in which every one of its fields holds a value: drafts without a number do
    not collide.
    """

    coll: str
    fields: tuple[str, ...]
    unique: bool = False

    def __post_init__(self) -> None:
        check_collection(self.coll)
        if not self.fields:
            raise ValueError(f"an index on {self.coll!r} needs at least one field")
        for field in self.fields:
            check_path(field)


@dataclass(frozen=True, slots=True)
class Schema:
    """Collections and indexes one part of a service needs; ``a + b`` joins two and drops what both declare."""

    collections: tuple[str, ...]
    indexes: tuple[Index, ...] = ()

    def __post_init__(self) -> None:
        for coll in self.collections:
            check_collection(coll)
        for index in self.indexes:
            if index.coll not in self.collections:
                raise ValueError(f"index on {index.coll!r}, which is not among the schema's collections")

    def __add__(self, other: "Schema") -> "Schema":
        return Schema(
            tuple(dict.fromkeys(self.collections + other.collections)),
            tuple(dict.fromkeys(self.indexes + other.indexes)),
        )


@dataclass(frozen=True, slots=True)
class Page:
    """One stretch of a longer list; ``next`` is what to pass as ``after`` for the following one, None at the end."""

    items: list[Document]
    next: str | None


class Store(Protocol):
    """Documents in collections, written in atomic units.

    Every method may raise StoreUnavailable, and Invalid for names, documents or queries the port does not allow.
    A collection is usable once ``ensure`` has declared it in this process.
    """

    @property
    def exclusive(self) -> bool:
        """True when this process alone can own the store, so that leases left in it may be taken over at once."""
        ...

    async def ensure(self, schema: Schema) -> None:
        """Create what is missing of ``schema``; what the schema no longer names is left alone.

        Raises SchemaDrift when an index exists over the same fields with another definition, and Duplicate when
        stored documents break a new unique index.
        """
        ...

    async def get(self, coll: str, id: str) -> Document | None:
        """The document as of the last acknowledged unit, or None; None as well for what no document can have as id."""
        ...

    async def get_many(self, coll: str, ids: Sequence[str]) -> dict[str, Document]:
        """The documents that exist among ``ids``, by id; any number of ids, repeats allowed."""
        ...

    async def find(self, coll: str, where: Where | None = None, *, sort: Sort = (), limit: int = 100) -> list[Document]:
        """Up to ``limit`` (≥ 1) matching documents in the order of ``sort``, by ``_id`` when it is empty."""
        ...

    async def page(
        self, coll: str, where: Where | None = None, *, sort: Sort = (), limit: int = 100, after: str | None = None
    ) -> Page:
        """The next ``limit`` (≥ 1) matching documents beyond the cursor ``after``.

        The cursor names the last document's place in the order, so inserts and deletes between two calls neither
        repeat nor hide a document that was there all along. Pass the same ``where`` and ``sort`` with it; a cursor
        of another order is Invalid. It holds field values in readable form: keep it out of logs.
        """
        ...

    async def count(self, coll: str, where: Where | None = None) -> int:
        """How many documents match."""
        ...

    async def count_by(self, coll: str, field: str, where: Where | None = None) -> dict[Any, int]:
        """How many matching documents hold each value of ``field``; None stands for null and missing."""
        ...

    async def sum_by(self, coll: str, field: str, amount: str, where: Where | None = None) -> dict[Any, int]:
        """The exact total of the integers at ``amount`` for each value of ``field``; null, missing and text add 0.

        Raises StoreError when an amount is a float.
        """
        ...

    async def apply(self, ops: Sequence[Op]) -> None:
        """Do all of ``ops`` or nothing; durable on disk (a majority of disks) when it returns.

        Steps on one document take effect in the order given. Raises Conflict and Duplicate, with nothing written; a
        unit of different documents that would meet both raises Conflict, since what it was built on is stale.
        After StoreUnavailable or a cancellation the unit may or may not have been written: trying again is safe, as
        an insert then meets Duplicate and a replace Conflict.
        An empty unit is allowed and does nothing.
        """
        ...

    async def ping(self) -> None:
        """Return when the store can serve; raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Finish what was submitted and let go of the store; closing twice is allowed."""
        ...
