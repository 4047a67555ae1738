"""Reading what review stored."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sangkien.review.adapters import documents as docs
from sangkien.review.adapters import schema
from sangkien.review.adapters.case_document import case_from_document, sheet_from_document
from sangkien.review.application.ports import Counts
from sangkien.review.domain.case import Case
from sangkien.review.domain.council import Council
from sangkien.review.domain.errors import PageInvalid
from sangkien.review.domain.minutes import Minutes, MinutesRegister
from sangkien.review.domain.round import Round
from sangkien.review.domain.session import Seat, Session, SessionState
from sangkien.review.domain.sheet import ScoreSheet
from sangkien.review.domain.tally import Ballot
from sangkien.store import Document, Invalid, Sort, Store, Where

T = TypeVar("T")

_MANY = 1_000


class StoreRecords:
    """The `Records` port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def council(self, id: str) -> Council | None:
        return await self._one(schema.COUNCILS, id, docs.council_from_document)

    async def councils(self, ids: Sequence[str]) -> Mapping[str, Council]:
        return await self._many(schema.COUNCILS, ids, docs.council_from_document)

    async def council_by_key(self, key: str) -> Council | None:
        return await self._first(schema.COUNCILS, {"key": key}, docs.council_from_document)

    async def round(self, id: str) -> Round | None:
        return await self._one(schema.ROUNDS, id, docs.round_from_document)

    async def rounds(self, ids: Sequence[str]) -> Mapping[str, Round]:
        return await self._many(schema.ROUNDS, ids, docs.round_from_document)

    async def round_by_key(self, key: str) -> Round | None:
        return await self._first(schema.ROUNDS, {"key": key}, docs.round_from_document)

    async def cases(self, ids: Sequence[str]) -> Mapping[str, Case]:
        return await self._many(schema.CASES, ids, case_from_document)

    async def sheets(self, ids: Sequence[str]) -> Mapping[str, ScoreSheet]:
        return await self._many(schema.SHEETS, ids, sheet_from_document)

    async def session(self, id: str) -> Session | None:
        return await self._one(schema.SESSIONS, id, docs.session_from_document)

    async def session_by_key(self, key: str) -> Session | None:
        return await self._first(schema.SESSIONS, {"key": key}, docs.session_from_document)

    async def ready_cases(self, round_id: str, limit: int) -> list[Case]:
        where = {"round_id": round_id, "state": "CHO_HOP"}
        return [case_from_document(doc) for doc in await self._store.find(schema.CASES, where, limit=limit)]

    async def unclosed_session(self, round_id: str) -> Session | None:
        return await self._first(schema.SESSIONS, {"open_round": round_id}, docs.session_from_document)

    async def sessions_being_counted(self) -> list[str]:
        where = {"state": SessionState.COUNTING.value}
        return [doc["_id"] for doc in await self._store.find(schema.SESSIONS, where, limit=_MANY)]

    async def seats(self, ids: Sequence[str]) -> Mapping[str, Seat]:
        return await self._many(schema.SEATS, ids, docs.seat_from_document)

    async def ballots(self, ids: Sequence[str]) -> Mapping[str, Ballot]:
        return await self._many(schema.BALLOTS, ids, docs.ballot_from_document)

    async def ballots_on(self, session_id: str, dossier_ids: Sequence[str], voters: int) -> Mapping[str, list[Ballot]]:
        where = {"session_id": session_id, "dossier_id": {"in": list(dossier_ids)}}
        found: dict[str, list[Ballot]] = {}
        limit = max(1, voters * len(dossier_ids))
        for doc in await self._store.find(schema.BALLOTS, where, limit=limit):
            found.setdefault(doc["dossier_id"], []).append(docs.ballot_from_document(doc))
        return found

    async def barred(self, dossier_ids: Sequence[str], person_id: str) -> frozenset[str]:
        rows = await self._store.get_many(schema.BARS, [f"{id}:{person_id}" for id in dossier_ids])
        return frozenset(row["dossier_id"] for row in rows.values())

    async def barred_in_round(self, round_id: str, person_id: str) -> frozenset[str]:
        where = {"person_id": person_id, "round_id": round_id}
        found: set[str] = set()
        after: str | None = None
        while True:
            page = await self._store.page(schema.BARS, where, limit=_MANY, after=after)
            found.update(row["dossier_id"] for row in page.items)
            if page.next is None:
                return frozenset(found)
            after = page.next

    async def minutes(self, session_id: str) -> Minutes | None:
        return await self._one(schema.MINUTES, session_id, docs.minutes_from_document)

    async def register(self, council_id: str, year: int) -> MinutesRegister | None:
        return await self._one(schema.REGISTERS, f"{council_id}:{year}", docs.register_from_document)

    async def _one(self, coll: str, id: str, read: Callable[[Document], T]) -> T | None:
        doc = await self._store.get(coll, id) if id else None
        return None if doc is None else read(doc)

    async def _first(self, coll: str, where: Where, read: Callable[[Document], T]) -> T | None:
        found = await self._store.find(coll, where, limit=1)
        return read(found[0]) if found else None

    async def _many(self, coll: str, ids: Sequence[str], read: Callable[[Document], T]) -> dict[str, T]:
        wanted = [id for id in ids if id]
        found = await self._store.get_many(coll, wanted) if wanted else {}
        return {id: read(doc) for id, doc in found.items()}


class StoreLists:
    """The `Lists` port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def cases(self, round_id: str, state: str, size: int, token: str) -> tuple[list[Case], str]:
        where = {"round_id": round_id, "state": state} if state else {"round_id": round_id}
        return await self._page(schema.CASES, where, (), size, token, case_from_document)

    async def rounds(self, size: int, token: str) -> tuple[list[Round], str]:
        return await self._page(schema.ROUNDS, {}, (("opens_on", -1),), size, token, docs.round_from_document)

    async def counts(self, round_id: str) -> Counts:
        where = {"round_id": round_id}
        states = await self._store.count_by(schema.CASES, "state", where)
        outcomes = await self._store.count_by(schema.CASES, "outcome", where)
        return Counts(states, outcomes.get("passed", 0), outcomes.get("failed", 0))

    async def _page(
        self, coll: str, where: Where, sort: Sort, size: int, token: str, read: Callable[[Document], T]
    ) -> tuple[list[T], str]:
        try:
            page = await self._store.page(coll, where, sort=sort, limit=size, after=token or None)
        except Invalid:
            raise PageInvalid(field="page_token") from None
        return [read(doc) for doc in page.items], page.next or ""
