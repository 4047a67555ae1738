"""Facts in the store: one collection a kind, one document a fact, written once."""

from collections.abc import Sequence
from typing import Any

from sangkien.reporting.application.ports import Fact
from sangkien.store import Delete, Index, Insert, Op, Schema, Store

JOURNAL = "journal"
_KINDS = (
    "rounds",
    "filed",
    "withdrawn",
    "checked",
    "voted",
    "decided",
    "certificates",
    "reward_decisions",
    "entitlements",
    "payments",
    "node_decisions",
)
REBUILD = "rebuild"
_PAGE = 1_000

SCHEMA = Schema(
    (JOURNAL, REBUILD, *_KINDS),
    (
        Index(JOURNAL, ("dossier_id",)),
        Index("filed", ("round_id",)),
        Index("withdrawn", ("round_id",)),
        Index("checked", ("verdict", "round_id")),
        Index("voted", ("outcome", "round_id")),
        Index("decided", ("outcome", "round_id")),
        Index("certificates", ("round_id",)),
        Index("entitlements", ("holder", "decision_id")),
        Index("payments", ("decision_id",)),
    ),
)


class Facts:
    """The fact book over the document store."""

    kinds: Sequence[str] = _KINDS

    def __init__(self, store: Store) -> None:
        self._store = store

    async def missing(self, facts: Sequence[Fact]) -> list[Fact]:
        wanted: dict[tuple[str, str], Fact] = {}
        for fact in facts:
            wanted.setdefault((fact.kind, fact.id), fact)
        for kind in {kind for kind, _ in wanted}:
            ids = [id for other, id in wanted if other == kind]
            for held in await self._store.get_many(kind, ids):
                del wanted[kind, held]
        return list(wanted.values())

    def inserts(self, facts: Sequence[Fact]) -> list[Op]:
        return [Insert(fact.kind, {"_id": fact.id, **fact.fields}) for fact in facts]

    async def some(self, kind: str, limit: int) -> list[str]:
        return [document["_id"] for document in await self._store.find(kind, limit=limit)]

    def removals(self, kind: str, ids: Sequence[str]) -> list[Op]:
        return [Delete(kind, id) for id in ids]

    async def all(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            page = await self._store.page(kind, limit=_PAGE, after=after)
            found += ({"id": document.pop("_id"), **document} for document in page.items)
            if page.next is None:
                return found
            after = page.next

    async def count_by(self, kind: str, field: str, **where: str) -> dict[str, int]:
        return await self._store.count_by(kind, field, where)

    async def sum_by(self, kind: str, field: str, amount: str, **where: str) -> dict[str, int]:
        return await self._store.sum_by(kind, field, amount, where)
