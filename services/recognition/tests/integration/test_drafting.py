"""Drafting over a round too long for one unit, broken off in the middle."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sangkien.messaging import MESSAGING_SCHEMA
from sangkien.recognition.adapters.documents import CANDIDATES, SCHEMA, candidate_document
from sangkien.recognition.adapters.event_mapping import EventRows
from sangkien.recognition.adapters.stored import StoredCandidates, StoredDecisions
from sangkien.recognition.application.draft_decision import Collector, Draft, DraftDecision
from sangkien.recognition.application.ports import Caller
from sangkien.recognition.application.submit_decision import SubmitDecision
from sangkien.recognition.domain.candidate import Author, Candidate, Vote
from sangkien.recognition.domain.errors import RoundBeingDrafted
from sangkien.runtime import new_id
from sangkien.store import Insert, Op, Store

ITEMS = 1_200
SECRETARY = Caller("hn:S", frozenset({"secretary"}), "hn:I")
COMMAND = Draft("k1", "hn:I", "/QĐ-UBND", "R1")


class Killed(Exception):
    """Where the process would have died."""


class Calendar:
    """A fixed day."""

    def now(self) -> datetime:
        return datetime(2023, 12, 20, 3, 0, tzinfo=UTC)

    def today(self) -> date:
        return date(2023, 12, 20)

    def new_id(self) -> str:
        return new_id()


def process(store: Store, survives: int = 1_000) -> tuple[DraftDecision, SubmitDecision]:
    """The use cases of a process that dies instead of committing its unit number `survives` + 1."""
    units = iter(range(1_000))

    async def commit(ops: Sequence[Op]) -> None:
        if next(units) >= survives:
            raise Killed
        await store.apply(ops)

    world = Calendar()
    decisions = StoredDecisions(store, EventRows(new_id, world.now), lambda: "")
    candidates = StoredCandidates(store)
    collector = Collector(decisions, candidates, commit)
    drafting = DraftDecision(decisions, candidates, collector, world, commit)
    return drafting, SubmitDecision(decisions, collector, commit)


@pytest.fixture
async def broken_off(sqlite_store: Store) -> Store:
    """A store whose process died after the first chunk of a draft."""
    await sqlite_store.ensure(SCHEMA + MESSAGING_SCHEMA)
    facts: tuple[Any, ...] = (date(2023, 11, 20), "rules", "Tên", "", "hn:U", (Author("hn:A", 10_000),), "")
    votes = [Vote(f"D{n:04}", "R1", "district", True, *facts) for n in range(ITEMS)]
    await sqlite_store.apply([Insert(CANDIDATES, candidate_document(Candidate(vote, 5, ""))) for vote in votes])
    drafting, _ = process(sqlite_store, survives=1)
    with pytest.raises(Killed):
        await drafting(COMMAND, SECRETARY)
    assert await sqlite_store.count(CANDIDATES, {"decision_id": None}) == ITEMS - 500
    return sqlite_store


async def test_draft_broken_off_is_completed_by_the_same_key(broken_off: Store) -> None:
    drafting, _ = process(broken_off)
    decision = await drafting(COMMAND, SECRETARY)
    assert (decision.recognised, decision.collected) == (ITEMS, True)
    assert await broken_off.count(CANDIDATES, {"decision_id": decision.decision_id}) == ITEMS


async def test_draft_broken_off_is_completed_by_submitting_it(broken_off: Store) -> None:
    (half,) = await broken_off.find("decisions")
    _, submitting = process(broken_off)
    await submitting(half["_id"], SECRETARY)
    (whole,) = await broken_off.find("decisions")
    assert (whole["state"], whole["recognised"], whole["collecting"]) == ("TRINH_KY", ITEMS, None)


async def test_second_draft_waits_while_the_round_is_being_drafted(broken_off: Store) -> None:
    drafting, _ = process(broken_off)
    with pytest.raises(RoundBeingDrafted):
        await drafting(Draft("k2", "hn:I", "/QĐ-UBND", "R1"), SECRETARY)
    assert await broken_off.count("decisions") == 1
