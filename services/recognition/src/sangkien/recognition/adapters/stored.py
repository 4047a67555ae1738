"""The ports of decisions, candidates, number registers and open works on the service's store."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from sangkien.kernel.numbering import NumberRegister
from sangkien.recognition.adapters.documents import (
    CANDIDATES,
    CLAIMS,
    DECISIONS,
    DRAFT_KEYS,
    REGISTERS,
    WORKS,
    candidate_document,
    decision_document,
    read_candidate,
    read_decision,
)
from sangkien.recognition.adapters.event_mapping import EventRows
from sangkien.recognition.adapters.reading import found, paged
from sangkien.recognition.application.ports import Listed, Work
from sangkien.recognition.domain.candidate import Candidate
from sangkien.recognition.domain.decision import Decision
from sangkien.recognition.domain.events import RecognitionEvent
from sangkien.store import Delete, Document, Insert, Op, Replace, Store, save

_ALL_WORKS = 1_000


class StoredCandidates:
    """The port `Candidates`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get_many(self, dossier_ids: Sequence[str]) -> Mapping[str, Candidate]:
        docs = await self._store.get_many(CANDIDATES, dossier_ids)
        return {id: read_candidate(doc) for id, doc in docs.items()}

    async def waiting(self, round_id: str, limit: int) -> Sequence[Candidate]:
        docs = await self._store.find(CANDIDATES, {"round_id": round_id, "decision_id": None}, limit=limit)
        return [read_candidate(doc) for doc in docs]

    async def list_waiting(self, round_id: str, limit: int, token: str) -> Listed[Candidate]:
        where = {"round_id": round_id, "decision_id": None}
        page = await paged(self._store, CANDIDATES, where, (), limit, token)
        return Listed([read_candidate(doc) for doc in page.items], page.next or "")

    async def of_decision(self, decision_id: str, *, after: str, limit: int) -> Sequence[Candidate]:
        where: dict[str, object] = {"decision_id": decision_id}
        if after:
            where["_id"] = {"gt": after}
        return [read_candidate(doc) for doc in await self._store.find(CANDIDATES, where, limit=limit)]

    async def claimed(self, claims: Sequence[str]) -> Sequence[str]:
        return list(await self._store.get_many(CLAIMS, claims))

    def stored(self, candidate: Candidate) -> Op:
        doc = candidate_document(candidate)
        return save(CANDIDATES, doc, candidate.version)

    def claiming(self, candidate: Candidate) -> Op:
        return Insert(CLAIMS, {"_id": candidate.claim, "dossier_id": candidate.dossier_id})


class StoredDecisions:
    """The port `Decisions`."""

    def __init__(self, store: Store, events: EventRows, traceparent: Callable[[], str]) -> None:
        self._store = store
        self._events = events
        self._traceparent = traceparent

    async def get(self, decision_id: str) -> Decision | None:
        doc = await found(self._store, DECISIONS, decision_id)
        return read_decision(doc) if doc else None

    async def under_key(self, key: str) -> tuple[str, str] | None:
        doc = await self._store.get(DRAFT_KEYS, key)
        return (doc["decision_id"], doc["fingerprint"]) if doc else None

    def added(self, decision: Decision, key: str, fingerprint: str) -> Sequence[Op]:
        return [
            Insert(DRAFT_KEYS, {"_id": key, "fingerprint": fingerprint, "decision_id": decision.decision_id}),
            Insert(DECISIONS, decision_document(decision)),
        ]

    def changed(self, decision: Decision) -> Sequence[Op]:
        events = cast("list[RecognitionEvent]", decision.pull_events())
        version = decision.version + 1
        return [
            Replace(DECISIONS, decision_document(decision), expect=decision.version),
            *[self._events.row(event, version=version, traceparent=self._traceparent()) for event in events],
        ]


class StoredRegisters:
    """The port `Registers`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, register_id: str) -> NumberRegister | None:
        doc = await self._store.get(REGISTERS, register_id)
        return NumberRegister.from_document(doc) if doc else None

    def stored(self, register: NumberRegister) -> Op:
        return save(REGISTERS, register.as_document(), register.version)


class StoredWorks:
    """The port `Works`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, decision_id: str) -> Work | None:
        doc = await self._store.get(WORKS, decision_id)
        return Work(doc["_id"], doc["traceparent"], doc["cursor"], doc["certificates"], doc["ver"]) if doc else None

    async def open(self) -> Sequence[str]:
        return [doc["_id"] for doc in await self._store.find(WORKS, limit=_ALL_WORKS)]

    def stored(self, work: Work) -> Op:
        doc: Document = {
            "_id": work.decision_id,
            "traceparent": work.traceparent,
            "cursor": work.cursor,
            "certificates": work.certificates,
        }
        return save(WORKS, doc, work.version)

    def done(self, work: Work) -> Op:
        return Delete(WORKS, work.decision_id)
