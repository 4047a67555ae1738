"""The ports `Rounds` and `RoundBook` on the read model that review's events fill."""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from sangkien.intake.adapters.documents import ROUNDS, read_round, round_document
from sangkien.intake.adapters.stored_owners import StoredOwners
from sangkien.intake.application.ports import KnownRound
from sangkien.intake.domain.rounds import Round
from sangkien.store import Op, Store, save

_FRESH_SECONDS: Final = 1.0
_MOST_ROUNDS: Final = 1_000


class StoredRounds:
    """Rounds, remembered for a second: every filing asks, and what review says takes as long to arrive anyway.

    A round that is not remembered is always looked for, so a new one can be filed for as soon as it is stored.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owners = StoredOwners(store)
        self._rounds: dict[str, tuple[float, Round]] = {}
        self._open: tuple[float, Sequence[Round]] = (0.0, ())

    async def get(self, round_id: str) -> Round | None:
        kept = self._rounds.get(round_id)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        doc = await self._store.get(ROUNDS, round_id)
        if doc is None:
            return None
        if len(self._rounds) >= _MOST_ROUNDS:
            self._rounds.clear()
        [found] = await self._owners.joined([read_round(doc)])
        self._rounds[round_id] = (time.monotonic() + _FRESH_SECONDS, found)
        return found

    async def open_rounds(self) -> Sequence[Round]:
        until, rounds = self._open
        if rounds and until > time.monotonic():
            return rounds
        docs = await self._store.find(ROUNDS, {"state": "open"}, limit=_MOST_ROUNDS)
        rounds = await self._owners.joined([read_round(doc) for doc in docs])
        self._open = (time.monotonic() + _FRESH_SECONDS, rounds)
        return rounds


class StoredRoundBook:
    """Rounds as they are stored this moment."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def known(self, round_ids: Sequence[str]) -> Mapping[str, KnownRound]:
        docs = await self._store.get_many(ROUNDS, round_ids) if round_ids else {}
        return {id: KnownRound(read_round(doc), doc["applied"], doc["ver"]) for id, doc in docs.items()}

    def written(self, known: KnownRound) -> Op:
        doc = round_document(known.round, applied=known.applied)
        return save(ROUNDS, doc, known.version)
