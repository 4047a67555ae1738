"""The port `Files`: what is fetched and what may be fetched from here, as stored documents.

`file_fetches` and `files_named` by `<node>/<sha256>`; `dossier_files` says which of them a dossier here names, by
`<dossier>/<node>/<sha256>`. No names of files: people write their own into them.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from sangkien.exchange.adapters.documents import moment
from sangkien.exchange.application.file_ports import FileCounts
from sangkien.exchange.domain.files import MISSING, Fetch, FileState, Named, file_id
from sangkien.store import Delete, Document, Index, Insert, Op, Schema, Store, save

FETCHES: Final = "file_fetches"
NAMED: Final = "files_named"
LINKS: Final = "dossier_files"
_MOST_OF_DOSSIER: Final = 1_000
_MOST_SHOWN: Final = 1_000
_MOST_COMING: Final = 10_000

FILES_SCHEMA: Final = Schema(
    (FETCHES, NAMED, LINKS),
    (
        Index(FETCHES, ("state", "node", "noted_at")),
        Index(FETCHES, ("sha256",)),
        Index(NAMED, ("sha256",)),
        Index(LINKS, ("dossier_id",)),
        Index(LINKS, ("sha256",)),
    ),
)


class StoredFiles:
    """Never writes itself."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def fetches(self, node: str, hashes: Sequence[str]) -> Mapping[str, Fetch]:
        docs = await self._store.get_many(FETCHES, [file_id(node, one) for one in hashes]) if hashes else {}
        return {doc["sha256"]: _fetch(doc) for doc in docs.values()}

    async def named(self, node: str, hashes: Sequence[str]) -> Mapping[str, Named]:
        docs = await self._store.get_many(NAMED, [file_id(node, one) for one in hashes]) if hashes else {}
        return {doc["sha256"]: _named(doc) for doc in docs.values()}

    async def coming(self) -> Sequence[Fetch]:
        docs = await self._store.find(FETCHES, {"state": FileState.COMING.value}, limit=_MOST_COMING)
        return [_fetch(doc) for doc in docs]

    async def wanted(self) -> Mapping[str, int]:
        return await self._store.count_by(FETCHES, "node", {"state": FileState.WANTED.value})

    async def wanted_of(self, node: str, limit: int) -> Sequence[Fetch]:
        where = {"state": FileState.WANTED.value, "node": node}
        docs = await self._store.find(FETCHES, where, sort=[("noted_at", 1)], limit=limit)
        return [_fetch(doc) for doc in docs]

    async def missing(self) -> Sequence[Fetch]:
        where = {"state": {"in": [state.value for state in MISSING]}}
        docs = await self._store.find(FETCHES, where, sort=[("node", 1), ("noted_at", 1)], limit=_MOST_SHOWN)
        return [_fetch(doc) for doc in docs]

    async def of_hash(self, sha256: str) -> Sequence[Fetch]:
        return [_fetch(doc) for doc in await self._store.find(FETCHES, {"sha256": sha256})]

    async def of_dossier(self, dossier_id: str) -> tuple[Sequence[Fetch], Sequence[Named]]:
        links = await self._store.find(LINKS, {"dossier_id": dossier_id}, limit=_MOST_OF_DOSSIER)
        ids = sorted({file_id(doc["node"], doc["sha256"]) for doc in links})
        fetches, named = await self._store.get_many(FETCHES, ids), await self._store.get_many(NAMED, ids)
        return [_fetch(fetches[id]) for id in ids if id in fetches], [_named(named[id]) for id in ids if id in named]

    async def counts(self) -> Mapping[str, FileCounts]:
        missing: dict[str, int] = {}
        for state in MISSING:
            for node, count in (await self._store.count_by(FETCHES, "node", {"state": state.value})).items():
                missing[node] = missing.get(node, 0) + count
        here = {"state": FileState.HELD.value}
        held = await self._store.count_by(FETCHES, "node", here)
        size = await self._store.sum_by(FETCHES, "node", "size", here)
        return {
            node: FileCounts(missing.get(node, 0), held.get(node, 0), size.get(node, 0)) for node in {*missing, *held}
        }

    async def unnamed(
        self, dossier_id: str, node: str, hashes: Collection[str]
    ) -> tuple[Sequence[Fetch], Sequence[Op]]:
        links = await self._store.find(LINKS, {"dossier_id": dossier_id, "node": node}, limit=_MOST_OF_DOSSIER)
        gone = [doc for doc in links if doc["sha256"] not in hashes]
        alone = [
            doc["sha256"]
            for doc in gone
            if await self._store.count(LINKS, {"sha256": doc["sha256"], "node": node}) == 1
        ]
        return [*(await self.fetches(node, alone)).values()], [Delete(LINKS, doc["_id"]) for doc in gone]

    async def unlinked(self, dossier_id: str, node: str, hashes: Collection[str]) -> Sequence[Op]:
        ids = {f"{dossier_id}/{file_id(node, one)}": one for one in hashes}
        known = await self._store.get_many(LINKS, list(ids)) if ids else {}
        return [
            Insert(LINKS, {"_id": id, "dossier_id": dossier_id, "node": node, "sha256": sha256})
            for id, sha256 in ids.items()
            if id not in known
        ]

    def keep(self, one: Fetch | Named) -> Op:
        match one:
            case Fetch():
                return save(FETCHES, _fetch_document(one), one.stored)
            case Named():
                return save(NAMED, _named_document(one), one.stored)


def turns_change(op: Op) -> bool:
    """Whether an operation may let another file have its turn."""
    return op.coll == FETCHES and not isinstance(op, Delete) and op.doc["state"] != FileState.COMING.value


def _fetch_document(one: Fetch) -> Document:
    return {
        "_id": file_id(one.node, one.sha256),
        "node": one.node,
        "sha256": one.sha256,
        "size": one.size,
        "noted_at": moment(one.noted_at),
        "state": one.state.value,
        "received": one.received,
        "until": one.until,
        "attempt": one.attempt,
        "since": one.since,
        "in_vain": one.in_vain,
        "spoiled": one.spoiled,
        "stalled": one.stalled,
        "asked": one.asked,
        "due_at": moment(one.due_at) if one.due_at else None,
        "reason": one.reason,
    }


def _fetch(doc: Document) -> Fetch:
    return Fetch(
        node=doc["node"],
        sha256=doc["sha256"],
        size=doc["size"],
        noted_at=datetime.fromisoformat(doc["noted_at"]),
        state=FileState(doc["state"]),
        received=doc["received"],
        until=doc["until"],
        attempt=doc["attempt"],
        since=doc["since"],
        in_vain=doc["in_vain"],
        spoiled=doc["spoiled"],
        stalled=doc["stalled"],
        asked=doc["asked"],
        due_at=datetime.fromisoformat(doc["due_at"]) if doc["due_at"] else None,
        reason=doc["reason"],
        stored=doc["ver"],
    )


def _named_document(one: Named) -> Document:
    return {
        "_id": file_id(one.node, one.sha256),
        "node": one.node,
        "sha256": one.sha256,
        "size": one.size,
        "dossier_id": one.dossier_id,
        "reached": one.reached,
        "until": one.until,
        "last": one.last,
        "there": one.there,
        "gone": one.gone,
    }


def _named(doc: Document) -> Named:
    return Named(
        node=doc["node"],
        sha256=doc["sha256"],
        size=doc["size"],
        dossier_id=doc["dossier_id"],
        reached=doc["reached"],
        until=doc["until"],
        last=doc["last"],
        there=doc["there"],
        gone=doc["gone"],
        stored=doc["ver"],
    )
