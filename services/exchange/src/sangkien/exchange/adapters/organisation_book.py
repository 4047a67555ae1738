"""The port `OrganisationBook` on the store: `own_organisations` by id, and `introductions` by `<node>/<epoch>`."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sangkien.contracts.crossing import PersonLinkProposed
from sangkien.exchange.adapters.documents import OUTGOING
from sangkien.exchange.domain.outgoing import OutState
from sangkien.exchange.domain.reorganised import OwnOrganisation, Step
from sangkien.store import Document, Insert, Op, Schema, Store, save

ORGANISATIONS: Final = "own_organisations"
INTRODUCTIONS: Final = "introductions"
_TURN: Final = "turn"
_PAGE: Final = 1_000

ORGANISATION_SCHEMA: Final = Schema((ORGANISATIONS, INTRODUCTIONS))


class StoredOrganisations:
    """Never writes itself."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get_many(self, ids: Sequence[str]) -> dict[str, OwnOrganisation]:
        docs = await self._store.get_many(ORGANISATIONS, ids)
        return {id: _organisation(doc) for id, doc in docs.items()}

    async def all(self) -> Sequence[OwnOrganisation]:
        found: list[OwnOrganisation] = []
        after: str | None = None
        while True:
            page = await self._store.page(ORGANISATIONS, limit=_PAGE, after=after)
            found += map(_organisation, page.items)
            if page.next is None:
                return found
            after = page.next

    async def introduced(self, lives: Sequence[tuple[str, int]]) -> frozenset[tuple[str, int]]:
        docs = await self._store.get_many(INTRODUCTIONS, [_life(*life) for life in lives])
        return frozenset(life for life in lives if _life(*life) in docs)

    def introduce(self, node: str, epoch: int) -> Op:
        return Insert(INTRODUCTIONS, {"_id": _life(node, epoch)})

    async def refused_proposals(self, after: str, limit: int) -> Sequence[tuple[str, str, str]]:
        where = {"state": OutState.REFUSED, "type": PersonLinkProposed.TYPE, "message_id": {"gt": after}}
        docs = await self._store.find(OUTGOING, where, sort=[("message_id", 1)], limit=limit)
        return [(doc["message_id"], doc["key"].removeprefix(f"{doc['type']}:"), doc["reason"]) for doc in docs]

    async def turn(self) -> Op:
        doc = await self._store.get(INTRODUCTIONS, _TURN)
        return save(INTRODUCTIONS, {"_id": _TURN}, doc["ver"] if doc else 0)

    def keep(self, one: OwnOrganisation) -> Op:
        document = {
            "_id": one.organisation_id,
            "version": one.version,
            "kind": one.kind,
            "name": one.name,
            "parent_id": one.parent_id,
            "valid_from": one.valid_from.isoformat() if one.valid_from else "",
            "valid_to": one.valid_to.isoformat() if one.valid_to else "",
            "successors": _steps_document(one.successors),
            "predecessors": _steps_document(one.predecessors),
        }
        return save(ORGANISATIONS, document, one.stored)


def _life(node: str, epoch: int) -> str:
    return f"{node}/{epoch}"


def _steps_document(steps: Sequence[Step]) -> list[list[str]]:
    return [[step.organisation_id, step.share, step.on.isoformat(), step.document] for step in steps]


def _steps(kept: Sequence[Sequence[str]]) -> tuple[Step, ...]:
    return tuple([Step(id, share, date.fromisoformat(on), document) for id, share, on, document in kept])


def _organisation(doc: Document) -> OwnOrganisation:
    return OwnOrganisation(
        doc["_id"],
        doc["version"],
        doc["kind"],
        doc["name"],
        doc["parent_id"],
        date.fromisoformat(doc["valid_from"]) if doc["valid_from"] else None,
        date.fromisoformat(doc["valid_to"]) if doc["valid_to"] else None,
        _steps(doc["successors"]),
        _steps(doc["predecessors"]),
        doc["ver"],
    )
