"""Organisations as documents.

Days are ISO strings that compare as text; an open beginning is 0001-01-01 and an open end 9999-12-31.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

from sangkien.directory.application.ports import OrganisationPage
from sangkien.directory.domain.errors import PageTokenInvalid
from sangkien.directory.domain.organisation import Namesakes, Organisation
from sangkien.directory.domain.succession import AssertedOrganisation, Step
from sangkien.kernel import DateRange
from sangkien.store import Document, Index, Invalid, Op, Schema, Store, save
from sangkien.text import collation_key

ORGANISATIONS: Final = "organisations"
NAMESAKES: Final = "organisation_namesakes"

SCHEMA = Schema(
    (ORGANISATIONS, NAMESAKES),
    (
        Index(ORGANISATIONS, ("sort_key",)),
        Index(ORGANISATIONS, ("kind", "sort_key")),
        Index(ORGANISATIONS, ("parent_id", "sort_key")),
    ),
)

_PAGE = 1_000


class StoredOrganisations:
    """The `Organisations` port on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get_many(self, ids: Iterable[str]) -> dict[str, Organisation]:
        found = await self._store.get_many(ORGANISATIONS, list(ids))
        return {id: _organisation(document) for id, document in found.items()}

    async def namesakes(self, keys: Iterable[str]) -> dict[str, Namesakes]:
        keys = list(keys)
        found = await self._store.get_many(NAMESAKES, keys)
        return {key: _namesakes(found[key]) if key in found else Namesakes(key, []) for key in keys}

    async def page(self, kind: str, parent_id: str, on: date | None, limit: int, after: str) -> OrganisationPage:
        where: dict[str, object] = {"kind": kind} if kind else {}
        if parent_id:
            where["parent_id"] = parent_id
        if on is not None:
            where |= {"valid_from": {"lte": on.isoformat()}, "valid_to": {"gte": on.isoformat()}}
        try:
            page = await self._store.page(
                ORGANISATIONS, where, sort=[("sort_key", 1)], limit=limit, after=after or None
            )
        except Invalid:
            raise PageTokenInvalid(field="page_token") from None
        return OrganisationPage([_organisation(document) for document in page.items], page.next or "")

    async def all(self) -> list[Organisation]:
        found: list[Organisation] = []
        after: str | None = None
        while True:
            page = await self._store.page(ORGANISATIONS, limit=_PAGE, after=after)
            found += map(_organisation, page.items)
            if page.next is None:
                return found
            after = page.next

    def save(self, organisation: Organisation) -> Op:
        document = {
            "_id": organisation.id,
            "kind": organisation.kind,
            "name": organisation.name,
            "sort_key": collation_key(organisation.name),
            "parent_id": organisation.parent_id,
            **period_document(organisation.validity),
            "email": organisation.email,
            "aliases": list(organisation.aliases),
            **steps_document(organisation),
        }
        return save(ORGANISATIONS, document, organisation.version)

    def save_namesakes(self, namesakes: Namesakes) -> Op:
        periods = [{"id": id, **period_document(period)} for id, period in namesakes.periods]
        return save(NAMESAKES, {"_id": namesakes.key, "periods": periods}, namesakes.version)


def _organisation(document: Document) -> Organisation:
    organisation = Organisation(
        document["_id"],
        document["kind"],
        document["name"],
        document["parent_id"],
        read_period(document),
        document["email"],
        tuple(document["aliases"]),
        read_steps(document, "successors"),
        read_steps(document, "predecessors"),
    )
    organisation.version = document["ver"]
    return organisation


def _namesakes(document: Document) -> Namesakes:
    namesakes = Namesakes(document["_id"], [(each["id"], read_period(each)) for each in document["periods"]])
    namesakes.version = document["ver"]
    return namesakes


def steps_document(organisation: Organisation | AssertedOrganisation) -> Document:
    return {
        name: [[step.organisation_id, step.share, step.on.isoformat(), step.document] for step in steps]
        for name, steps in (("successors", organisation.successors), ("predecessors", organisation.predecessors))
    }


def read_steps(document: Document, name: str) -> tuple[Step, ...]:
    steps = document.get(name, ())  # none were known when it was written
    return tuple([Step(other, share, date.fromisoformat(on), symbol) for other, share, on, symbol in steps])


def period_document(period: DateRange) -> Document:
    return {"valid_from": period.valid_from.isoformat(), "valid_to": (period.valid_to or date.max).isoformat()}


def read_period(document: Document) -> DateRange:
    return DateRange(date.fromisoformat(document["valid_from"]), date.fromisoformat(document["valid_to"]))
