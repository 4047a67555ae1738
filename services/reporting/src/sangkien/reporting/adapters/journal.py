"""The journal in the store: one document an event, under its id."""

from datetime import datetime

from sangkien.contracts.events import UndecodableEvent, decode
from sangkien.messaging import Incoming
from sangkien.reporting.adapters.facts import JOURNAL
from sangkien.reporting.adapters.projection import facts_of
from sangkien.reporting.application.ports import Entry, Fact
from sangkien.store import Document, Insert, Store

_LONGEST_STORY = 1_000


def journal_row(incoming: Incoming) -> Insert:
    """The event as it is kept, with the dossier it is about."""
    return Insert(
        JOURNAL,
        {
            "_id": incoming.id,
            "type": incoming.type,
            "aggregate_id": incoming.aggregate_id,
            "aggregate_version": incoming.aggregate_version,
            "at": incoming.at.isoformat(),
            "dossier_id": getattr(incoming.event, "dossier_id", None),
            "body": incoming.body.decode(),
        },
    )


class Journal:
    """Reads the journal."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, after: str | None, limit: int) -> tuple[list[Entry], str | None]:
        page = await self._store.page(JOURNAL, limit=limit, after=after)
        return [_entry(document) for document in page.items], page.next

    async def of_dossier(self, dossier_id: str) -> list[Entry]:
        found = await self._store.find(JOURNAL, {"dossier_id": dossier_id}, limit=_LONGEST_STORY)
        return sorted(map(_entry, found), key=lambda entry: (entry.at, entry.event_id))

    async def extent(self) -> tuple[int, datetime | None]:
        newest = await self._store.find(JOURNAL, sort=[("_id", -1)], limit=1)
        return await self._store.count(JOURNAL), _entry(newest[0]).at if newest else None

    def facts_of(self, entry: Entry) -> list[Fact]:
        """Facts of an entry. One of a type that has been given up since stands for none."""
        try:
            return facts_of(decode(entry.type, entry.body))
        except UndecodableEvent:
            return []


def _entry(document: Document) -> Entry:
    return Entry(document["_id"], document["type"], datetime.fromisoformat(document["at"]), document["body"])
