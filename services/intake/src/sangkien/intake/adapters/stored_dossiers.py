"""The port `Dossiers` on the service's store."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import cast

from sangkien.intake.adapters.documents import (
    AUTHORSHIPS,
    DOSSIERS,
    EVIDENCE,
    KEYS,
    VERSIONS,
    dossier_document,
    draft_document,
    read_dossier,
    read_draft,
    version_id,
)
from sangkien.intake.adapters.event_mapping import contract_event
from sangkien.intake.application.ports import Filed, KeptKey
from sangkien.intake.domain.dossier import Dossier
from sangkien.intake.domain.draft import Draft
from sangkien.intake.domain.events import DossierEvent, DossierFiled, DossierMended, DossierTakenBack
from sangkien.messaging import outbox_row
from sangkien.store import Delete, Insert, Op, Replace, Store


class StoredDossiers:
    """Keeps dossiers, their versions, keys and authorships. Never writes itself."""

    def __init__(self, store: Store, new_id: Callable[[], str]) -> None:
        self._store = store
        self._new_id = new_id

    async def keys(self, keys: Sequence[str]) -> Mapping[str, KeptKey]:
        docs = await self._store.get_many(KEYS, keys)
        return {
            key: KeptKey(
                doc["fingerprint"],
                Filed(doc["dossier_id"], doc["code"], date.fromisoformat(doc["answer_due"])),
            )
            for key, doc in docs.items()
        }

    async def get(self, dossier_id: str) -> Dossier | None:
        doc = await self._store.get(DOSSIERS, dossier_id)
        return read_dossier(doc) if doc is not None else None

    async def get_many(self, dossier_ids: Sequence[str]) -> Mapping[str, Dossier]:
        docs = await self._store.get_many(DOSSIERS, dossier_ids) if dossier_ids else {}
        return {id: read_dossier(doc) for id, doc in docs.items()}

    async def id_of_code(self, code: str) -> str | None:
        found = await self._store.find(DOSSIERS, {"code": code}, limit=1)
        return cast("str", found[0]["_id"]) if found else None

    async def drafts(self, dossiers: Sequence[Dossier]) -> Mapping[str, Draft]:
        ids = {one.dossier_id: version_id(one.dossier_id, one.revision) for one in dossiers}
        docs = await self._store.get_many(VERSIONS, list(ids.values())) if ids else {}
        return {dossier_id: read_draft(docs[version]) for dossier_id, version in ids.items()}

    async def newest(self, where: Mapping[str, object], *, before: str, limit: int) -> list[Dossier]:
        bound = {"_id": {"lt": before}} if before else {}
        docs = await self._store.find(DOSSIERS, {**where, **bound}, sort=[("_id", -1)], limit=limit)
        return [read_dossier(doc) for doc in docs]

    async def authored(self, person_id: str, *, before: str, limit: int) -> list[str]:
        # "0" is the character after "/": what lies between is exactly what begins with "<person>/".
        highest = f"{person_id}/{before}" if before else f"{person_id}0"
        between = {"_id": {"gt": f"{person_id}/", "lt": highest}}
        docs = await self._store.find(AUTHORSHIPS, between, sort=[("_id", -1)], limit=limit)
        return [doc["_id"].rpartition("/")[2] for doc in docs]

    async def named(self, sha256s: Sequence[str]) -> list[str]:
        # "0" is the character after "/".
        found = [
            await self._store.find(EVIDENCE, {"_id": {"gt": f"{one}/", "lt": f"{one}0"}}, limit=1) for one in sha256s
        ]
        return [one for one, docs in zip(sha256s, found, strict=True) if docs]

    async def filed_at(self, dossier_id: str) -> datetime:
        doc = await self._store.get(VERSIONS, version_id(dossier_id, 1))
        if doc is None:
            raise KeyError(dossier_id)
        return datetime.fromisoformat(doc["at"])

    def added(self, dossier: Dossier, kept: str, filed: Filed, *, now: datetime) -> list[Op]:
        key = {
            "_id": kept,
            "fingerprint": dossier.fingerprint,
            "dossier_id": filed.dossier_id,
            "code": filed.code,
            "answer_due": filed.answer_due.isoformat(),
        }
        return [
            Insert(KEYS, key),
            Insert(DOSSIERS, dossier_document(dossier)),
            *[Insert(AUTHORSHIPS, {"_id": f"{id}/{dossier.dossier_id}"}) for id in dossier.author_ids],
            *self._recorded(dossier, now, dossier.traceparent),
        ]

    def changed(self, dossier: Dossier, *, now: datetime, traceparent: str) -> list[Op]:
        return [
            Replace(DOSSIERS, dossier_document(dossier), expect=dossier.version),
            *self._recorded(dossier, now, traceparent),
        ]

    def _recorded(self, dossier: Dossier, now: datetime, traceparent: str) -> list[Op]:
        ops: list[Op] = []
        for event in cast("list[DossierEvent]", dossier.pull_events()):
            match event:
                case DossierFiled():
                    ops.append(self._version(dossier, 1, event.draft, event.filed_by, now))
                    ops += [Insert(EVIDENCE, {"_id": id}) for id in _namings(dossier, event.draft)]
                case DossierMended():
                    ops.append(self._version(dossier, event.revision, event.draft, event.filed_by, now))
                    ops += _authorships_anew(dossier)
                    ops += _anew(EVIDENCE, _namings(dossier, event.draft))
                case DossierTakenBack():
                    pass  # a withdrawal has no content of its own
            ops.append(
                outbox_row(
                    contract_event(dossier, event),
                    event_id=self._new_id(),
                    aggregate_id=dossier.dossier_id,
                    aggregate_version=dossier.version + 1,
                    at=now,
                    traceparent=traceparent,
                )
            )
        return ops

    @staticmethod
    def _version(dossier: Dossier, revision: int, draft: Draft, filed_by: str, now: datetime) -> Op:
        return Insert(VERSIONS, draft_document(dossier, revision, draft, filed_by=filed_by, at=now.isoformat()))


def _authorships_anew(dossier: Dossier) -> list[Op]:
    """Authors may have joined, and some of these may have been authors before."""
    return _anew(AUTHORSHIPS, [f"{person}/{dossier.dossier_id}" for person in dossier.author_ids])


def _namings(dossier: Dossier, draft: Draft) -> list[str]:
    return [f"{file.sha256}/{dossier.dossier_id}" for file in draft.files]


def _anew(coll: str, ids: Sequence[str]) -> list[Op]:
    """Documents of an id alone; what is there already is put again."""
    return [*[Delete(coll, id) for id in ids], *[Insert(coll, {"_id": id}) for id in ids]]
