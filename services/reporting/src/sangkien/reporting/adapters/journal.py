"""The journal in the store: one document an event, under its id."""

from datetime import datetime

from sangkien.contracts.events import UndecodableEvent, decode
from sangkien.messaging import Incoming
from sangkien.reporting.adapters.facts import JOURNAL, REBUILD
from sangkien.reporting.adapters.projection import facts_of
from sangkien.reporting.application.ports import Entry, Fact, Progress
from sangkien.store import Delete, Document, Insert, Op, Replace, Store

_LONGEST_STORY = 1_000
_ONE = "rebuild"


class Journal:
    """Writes and reads the journal."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def row_of(self, incoming: Incoming) -> Insert:
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

    def facts_in(self, incoming: Incoming) -> list[Fact]:
        """The facts an event stands for as it comes in."""
        return facts_of(incoming.event)

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


class StoredRebuild:
    """The `RebuildLog` port: one document while a rebuild is under way."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def progress(self) -> Progress | None:
        document = await self._store.get(REBUILD, _ONE)
        if document is None:
            return None
        return Progress(document["cleared"], document["after"], document["read"], document["ver"])

    def begin(self) -> Op:
        return Insert(REBUILD, {"_id": _ONE, "cleared": False, "after": None, "read": 0})

    def cleared(self, progress: Progress) -> Op:
        return Replace(REBUILD, {"_id": _ONE, "cleared": True, "after": None, "read": 0}, progress.version)

    def reached(self, progress: Progress, after: str | None, read: int) -> Op:
        if after is None:
            return Delete(REBUILD, _ONE)
        return Replace(REBUILD, {"_id": _ONE, "cleared": True, "after": after, "read": read}, progress.version)


def _entry(document: Document) -> Entry:
    return Entry(document["_id"], document["type"], datetime.fromisoformat(document["at"]), document["body"])
