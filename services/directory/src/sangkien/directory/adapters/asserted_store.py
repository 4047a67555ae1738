"""Organisations of other nodes as documents, apart from the node's own."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from sangkien.directory.adapters.organisation_store import (
    period_document,
    read_period,
    read_steps,
    steps_document,
)
from sangkien.directory.domain.errors import PageTokenInvalid
from sangkien.directory.domain.succession import AssertedOrganisation
from sangkien.store import Document, Index, Invalid, Op, Schema, Store, save
from sangkien.text import collation_key

ASSERTED: Final = "asserted_organisations"

SCHEMA = Schema((ASSERTED,), (Index(ASSERTED, ("sort_key",)), Index(ASSERTED, ("node", "sort_key"))))


class StoredAsserted:
    """The `AssertedOrganisations` port on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get_many(self, ids: Iterable[str]) -> dict[str, AssertedOrganisation]:
        found = await self._store.get_many(ASSERTED, list(ids))
        return {id: _organisation(document) for id, document in found.items()}

    async def page(
        self, node: str, kind: str, parent_id: str, on: date | None, limit: int, after: str
    ) -> tuple[list[AssertedOrganisation], str]:
        named = {"node": node, "kind": kind, "parent_id": parent_id}
        where: dict[str, object] = {field: value for field, value in named.items() if value}
        if on is not None:
            where |= {"valid_from": {"lte": on.isoformat()}, "valid_to": {"gte": on.isoformat()}}
        try:
            page = await self._store.page(ASSERTED, where, sort=[("sort_key", 1)], limit=limit, after=after or None)
        except Invalid:
            raise PageTokenInvalid(field="page_token") from None
        return [_organisation(document) for document in page.items], page.next or ""

    def save(self, organisation: AssertedOrganisation) -> Op:
        document = {
            "_id": organisation.id,
            "node": organisation.node,
            "version": organisation.version,
            "kind": organisation.kind,
            "name": organisation.name,
            "sort_key": collation_key(organisation.name),
            "parent_id": organisation.parent_id,
            **period_document(organisation.validity),
            **steps_document(organisation),
        }
        return save(ASSERTED, document, organisation.stored)


def _organisation(document: Document) -> AssertedOrganisation:
    return AssertedOrganisation(
        document["_id"],
        document["node"],
        document["version"],
        document["kind"],
        document["name"],
        document["parent_id"],
        read_period(document),
        read_steps(document, "successors"),
        read_steps(document, "predecessors"),
        document["ver"],
    )
