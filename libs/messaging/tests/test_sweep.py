"""What is swept, and that what may be asked for again is not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import MESSAGING_SCHEMA, Retention, sweep
from sangkien.messaging.sweep import oldest_ulid, sweep_once
from sangkien.store import Insert, Store

NOW = datetime(2023, 11, 20, tzinfo=UTC)
CONSUMERS = (TOPOLOGY.consumer("review__intake"),)


def sent(event: datetime, at: datetime, seq: int) -> Insert:
    return Insert(
        "outbox_sent",
        {"_id": oldest_ulid(event) + "0" * 16, "created": 1, "seq": seq, "sent_at": at.isoformat()},
    )


def done(event: datetime, at: datetime, consumer: str = "review__intake") -> Insert:
    return Insert("inbox", {"_id": f"{consumer}:{oldest_ulid(event)}{'0' * 16}", "at": at.isoformat()})


async def test_sweep_deletes_what_is_old_by_both_clocks(sqlite_store: Store) -> None:
    await sqlite_store.ensure(MESSAGING_SCHEMA)
    old, stuck, young = (NOW - timedelta(days=days) for days in (20, 19, 3))
    rows: list[Any] = [sent(old, old, 1), sent(stuck, young, 2), sent(young, young, 3)]
    rows += [done(old, old), done(stuck, young), done(young, young), done(old, old, "notification__intake")]
    await sqlite_store.apply(rows)

    swept = await sweep_once(sqlite_store, CONSUMERS, Retention(), now=NOW)

    assert swept == 2
    assert [row["seq"] for row in await sqlite_store.find("outbox_sent")] == [2, 3]
    kept = {row["_id"] for row in await sqlite_store.find("inbox")}
    assert kept == {row.doc["_id"] for row in rows[4:]}


async def test_sweep_takes_a_bounded_piece(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "PIECE", 3)
    await sqlite_store.ensure(MESSAGING_SCHEMA)
    old = [NOW - timedelta(days=30, seconds=n) for n in range(5)]
    await sqlite_store.apply([sent(at, at, n) for n, at in enumerate(old)])

    swept = [await sweep_once(sqlite_store, CONSUMERS, Retention(), now=NOW) for _ in range(3)]

    assert swept == [3, 2, 0]


def test_inbox_must_outlive_what_can_be_offered_again() -> None:
    with pytest.raises(ValueError, match="kept longer"):
        Retention(sent=timedelta(days=7), inbox=timedelta(days=7))
