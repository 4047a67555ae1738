"""Entering an issued decision on real stores: broken off after any unit, and by several at once."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sangkien.kernel.numbering import Numbered
from sangkien.messaging import MESSAGING_SCHEMA
from sangkien.recognition.adapters import drawing
from sangkien.recognition.adapters.documents import CANDIDATES, DECISIONS, SCHEMA, candidate_document, decision_document
from sangkien.recognition.adapters.event_mapping import EventRows
from sangkien.recognition.adapters.stored import StoredCandidates, StoredDecisions, StoredWorks
from sangkien.recognition.adapters.stored_register import StoredRegister
from sangkien.recognition.application.enter_items import EnterItems
from sangkien.recognition.application.ports import Work
from sangkien.recognition.domain.candidate import Author, Candidate, PrintedNames, Vote
from sangkien.recognition.domain.decision import Decision, Issue, State
from sangkien.recognition.domain.register import CertificateData, Sealed
from sangkien.recognition.domain.signature import Authority, Issuer, Signature
from sangkien.runtime import new_id
from sangkien.store import Insert, Op, Store

ITEMS, CHUNKS = 450, 3
DAY = date(2023, 12, 20)


class Killed(Exception):
    """Where the process would have died."""


class World:
    """The clock, the ids and no traces."""

    def now(self) -> datetime:
        return datetime(2023, 12, 20, 3, 0, tzinfo=UTC)

    def today(self) -> date:
        return DAY

    def new_id(self) -> str:
        return new_id()

    def span(self, name: str, **attributes: Any) -> Any:
        return nullcontext()

    def traceparent(self) -> str:
        return ""


@pytest.fixture(params=["sqlite_store", "mongo_store"])
def kept(request: pytest.FixtureRequest) -> Store:
    """Each of the two real stores."""
    chosen: Store = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
async def store(kept: Store) -> Store:
    """A store with one decision just issued over 450 dossiers of two authors each, nothing entered."""
    await kept.ensure(SCHEMA + MESSAGING_SCHEMA)
    authority = Authority("TM", "Chủ tịch")
    decision = Decision("DEC", "hn:1", "/QĐ-UBND", "R1", (), "hn:S", State.BAN_HANH, True, "district", ITEMS)
    decision.issue = Issue(
        Numbered(7, "07/QĐ-UBND"), DAY, Issuer("UBND"), Signature("hn:L", "Lan", authority), ("Căn cứ",), "Sáng kiến"
    )
    ops: list[Op] = [Insert(DECISIONS, decision_document(decision)), StoredWorks(kept).stored(Work("DEC", ""))]
    for n in range(ITEMS):
        authors = (Author(f"hn:A{n}", 5_000), Author(f"hn:B{n}", 5_000))
        vote = Vote(f"D{n:03}", "R1", "district", True, DAY, "rules", f"Sáng kiến {n}", "", "hn:U", authors, "")
        candidate = Candidate(vote, 5, "", "DEC", "", PrintedNames("Trường", ("An", "Bình")))
        ops.append(Insert(CANDIDATES, candidate_document(candidate)))
    await kept.apply(ops)
    return kept


def entering(
    store: Store, *, survives: int = 1_000, seal: Callable[[CertificateData], Sealed] = drawing.seal
) -> EnterItems:
    """A process that dies instead of committing its unit number `survives` + 1."""
    world, units = World(), iter(range(1_000))

    async def commit(ops: Sequence[Op]) -> None:
        if next(units) >= survives:
            raise Killed
        await store.apply(ops)

    events = EventRows(new_id, world.now)
    return EnterItems(
        StoredDecisions(store, events, world.traceparent),
        StoredCandidates(store),
        StoredWorks(store),
        StoredRegister(store, events),
        world,
        world,
        seal,
        commit,
    )


async def expect_all_entered_once(store: Store) -> None:
    certificates = await store.find("certificates", sort=[("ordinal", 1)], limit=1_000)
    assert [doc["ordinal"] for doc in certificates] == list(range(1, 2 * ITEMS + 1))
    assert len({(doc["dossier_id"], doc["person_id"]) for doc in certificates}) == 2 * ITEMS
    assert sorted(doc["dossier_id"] for doc in await store.find("initiatives", limit=1_000)) == [
        f"D{n:03}" for n in range(ITEMS)
    ]
    types = await store.count_by("outbox", "type")
    assert types == {
        "ev.recognition.initiative.recognised.v1": ITEMS,
        "ev.recognition.certificate.issued.v1": 2 * ITEMS,
    }
    decision = await store.get("decisions", "DEC")
    assert decision is not None
    assert (decision["certificates"], decision["entered"], await store.count("works")) == (2 * ITEMS, True, 0)


@pytest.mark.parametrize("survives", range(CHUNKS))
async def test_entering_broken_off_after_any_unit_is_finished_by_the_next_process(store: Store, survives: int) -> None:
    with pytest.raises(Killed):
        await entering(store, survives=survives)("DEC")
    after = entering(store)
    assert list(await after.unfinished()) == ["DEC"]
    assert await after("DEC") == 2 * ITEMS
    await expect_all_entered_once(store)


async def test_several_processes_entering_at_once_enter_everything_once(store: Store) -> None:
    answers = await asyncio.gather(*[entering(store)("DEC") for _ in range(3)])
    assert answers == [2 * ITEMS] * 3
    await expect_all_entered_once(store)


async def test_taken_check_code_is_avoided_by_salting_the_data(store: Store) -> None:
    def seal(data: CertificateData) -> Sealed:
        sealed = drawing.seal(data)
        collides = str(data["number"]).startswith(("07.0301/", "07.0302/")) and "salt" not in data
        return Sealed(sealed.text, sealed.sha256, "0000000000") if collides else sealed

    assert await entering(store, seal=seal)("DEC") == 2 * ITEMS
    await expect_all_entered_once(store)
    salted = [doc["ordinal"] for doc in await store.find("certificates", limit=1_000) if '"salt":1' in doc["data"]]
    assert sorted(salted) == list(range(1, 401))
