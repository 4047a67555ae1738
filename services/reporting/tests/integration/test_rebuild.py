"""A rebuild that is cut off at any page goes on from there, on both stores."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sangkien.contracts.events import CertificateIssued
from sangkien.messaging import Incoming
from sangkien.reporting.adapters.facts import SCHEMA, Facts
from sangkien.reporting.adapters.journal import Journal, StoredRebuild
from sangkien.reporting.adapters.projection import facts_of
from sangkien.reporting.application.rebuild_facts import RebuildFacts
from sangkien.runtime import new_id
from sangkien.store import Op, Store, open_store

EVENTS = 1_200


class CutOff(Exception):
    """What a killed process leaves undone."""


@pytest.fixture(params=["sqlite", "mongo"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite://{tmp_path}" if request.param == "sqlite" else request.getfixturevalue("mongo_uri")
    chosen = await open_store(url, database=f"reporting_{new_id()}")
    await chosen.ensure(SCHEMA)
    yield chosen
    await chosen.close()


def certificate(number: int) -> Incoming:
    event = CertificateIssued(
        certificate_id=f"C{number}",
        initiative_id="I",
        dossier_id=f"X{number}",
        round_id=f"R{number % 2}",
        person_id="local:A",
        number=f"{number}",
        data_sha256="0" * 64,
        issued_on=date(2023, 12, 20),
    )
    at = datetime(2023, 12, 20, tzinfo=UTC)
    return Incoming(new_id(), event.TYPE, event, event.certificate_id, 1, at, "", event.to_bytes(), 1)


async def filled(store: Store) -> Facts:
    facts = Facts(store)
    messages = [certificate(number) for number in range(EVENTS)]
    for start in range(0, EVENTS, 400):
        some = messages[start : start + 400]
        found = [fact for message in some for fact in facts_of(message.event)]
        await store.apply([*map(Journal(store).row_of, some), *facts.inserts(found)])
    return facts


def rebuild(store: Store, commits: int) -> RebuildFacts:
    """A rebuild in a process that dies after so many commits."""
    left = commits

    async def commit(ops: Sequence[Op]) -> None:
        nonlocal left
        if left == 0:
            raise CutOff
        left -= 1
        await store.apply(ops)

    return RebuildFacts(Facts(store), Journal(store), StoredRebuild(store), commit)


async def lived(one: RebuildFacts) -> int | None:
    """Ask for a rebuild and let the process run; the events read, None when it died before it was through."""
    running = asyncio.create_task(one.run())
    asked = asyncio.create_task(one())
    done, _ = await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
    for task in (running, asked):
        task.cancel()
        with suppress(asyncio.CancelledError, CutOff):
            await task
    return asked.result() if asked in done and not asked.exception() else None


async def test_rebuild_cut_off_again_and_again_ends_in_the_same_facts(store: Store) -> None:
    facts = await filled(store)
    before = await facts.count_by("certificates", "round_id")

    lives = [await lived(rebuild(store, commits=2)) for _ in range(3)]
    under_way = await StoredRebuild(store).progress()
    last = await lived(rebuild(store, commits=100))

    assert lives == [None] * 3
    assert under_way is not None
    assert last == EVENTS
    assert await facts.count_by("certificates", "round_id") == before == {"R0": 600, "R1": 600}
    assert await StoredRebuild(store).progress() is None


async def test_rebuild_puts_right_what_the_facts_lost_and_what_they_have_too_much(store: Store) -> None:
    facts = await filled(store)
    await store.apply(facts.removals("certificates", ["C0", "C2"]))
    await store.apply(facts.inserts(facts_of(certificate(EVENTS + 1).event)))

    assert await lived(rebuild(store, commits=100)) == EVENTS

    assert await facts.count_by("certificates", "round_id") == {"R0": 600, "R1": 600}


async def test_rebuild_asked_for_by_two_replicas_at_once_is_one(store: Store) -> None:
    facts = await filled(store)

    answers = await asyncio.gather(*(lived(rebuild(store, commits=100)) for _ in range(2)))

    assert EVENTS in answers
    assert await facts.count_by("certificates", "round_id") == {"R0": 600, "R1": 600}
    assert await StoredRebuild(store).progress() is None
