"""Replicas over one store: one of them relays, and one that was overtaken can do no harm."""

from datetime import timedelta
from typing import Any

import pytest
from nats.aio.client import Client

from sangkien.messaging import MESSAGING_SCHEMA
from sangkien.messaging.lease import Lease
from sangkien.messaging.publishing import Batch
from sangkien.runtime import new_id
from sangkien.store import Conflict, Insert, Replace, Store
from sangkien.testkit import eventually


@pytest.fixture
async def store(mongo_store: Store) -> Store:
    await mongo_store.ensure(MESSAGING_SCHEMA)
    return mongo_store


async def test_lease_has_one_holder_until_it_ends(store: Store) -> None:
    first, second = Lease(store, length=timedelta(minutes=5)), Lease(store)

    assert [await first.hold(), await second.hold(), await first.hold()] == [True, False, True]
    lease = await store.get("relay", "lease")
    assert lease is not None
    await store.apply([Replace("relay", {**lease, "until_ms": lease["until_ms"] - 300_000}, lease["ver"])])
    await eventually(second.hold)
    assert (first.term, second.term) == (1, 1)


async def test_overtaken_holder_commits_nothing(store: Store) -> None:
    first, second = Lease(store, length=timedelta(milliseconds=50)), Lease(store, length=timedelta(minutes=5))
    await first.hold()
    await eventually(second.hold)

    with pytest.raises(Conflict):
        await store.apply([*first.renewal(), Insert("outbox_sent", {"_id": new_id()})])

    assert await store.count("outbox_sent") == 0
    first.lost()
    assert await first.hold() is False


async def test_release_lets_another_take_over_at_once(store: Store) -> None:
    first, second = Lease(store), Lease(store)
    await first.hold()

    await first.release()

    assert await second.hold() is True


async def test_renewal_keeps_the_lease_and_its_term(store: Store) -> None:
    lease = Lease(store, length=timedelta(seconds=2))
    await lease.hold()
    for n in range(3):
        await store.apply([*lease.renewal(), Insert("outbox_sent", {"_id": f"row-{n}"})])
        lease.renewed()

    assert (await lease.hold(), lease.term, await store.count("outbox_sent")) == (True, 1, 3)


async def test_store_of_one_process_needs_no_lease(sqlite_store: Store) -> None:
    await sqlite_store.ensure(MESSAGING_SCHEMA)
    lease = Lease(sqlite_store)

    assert await lease.hold() is True
    assert (lease.renewal(), await sqlite_store.count("relay")) == ([], 0)


async def test_two_relays_over_one_store_publish_each_event_once(
    store: Store, start_bus: Any, withdrawn: Any, nc: Client
) -> None:
    buses = [await start_bus("intake", store), await start_bus("intake", store)]
    rows = withdrawn(60)
    for n in range(0, 60, 10):
        await store.apply(rows[n : n + 10])
        buses[n // 10 % 2].wake_relay()

    await eventually(lambda: store.count("outbox"), value=0)
    await buses[0].drain()
    more = withdrawn(5)
    await store.apply(more)
    buses[1].wake_relay()
    await eventually(lambda: store.count("outbox"), value=0)

    info = await nc.jetstream().stream_info("EV_INTAKE")
    sent = await store.find("outbox_sent", limit=100)
    assert info.state.messages == 65
    assert sorted(row["seq"] for row in sent) == list(range(1, 66))
    assert {row["_id"] for row in sent} == {row.doc["_id"] for row in [*rows, *more]}


async def test_relay_that_loses_the_lease_while_publishing_moves_nothing(
    store: Store, start_bus: Any, withdrawn: Any, nc: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await start_bus("intake", store)
    await store.apply(withdrawn())
    first.wake_relay()
    await eventually(lambda: store.count("outbox"), value=0)
    answers = Batch.answers
    overtaken = Lease(store)

    async def overtake_then_send(batch: Batch, seconds: float) -> Any:
        lease = await store.get("relay", "lease")
        assert lease is not None
        if lease["until_ms"]:
            await store.apply([Replace("relay", {**lease, "until_ms": 0}, lease["ver"])])
            await overtaken.hold()
        return await answers(batch, seconds)

    monkeypatch.setattr(Batch, "answers", overtake_then_send)
    (row,) = withdrawn()
    await store.apply([row])
    first.wake_relay()

    info = nc.jetstream().stream_info
    await eventually(lambda: _messages(info), value=2)
    assert await store.count("outbox") == 1
    assert await store.get("outbox_sent", row.doc["_id"]) is None

    await overtaken.release()
    monkeypatch.undo()
    await eventually(lambda: store.count("outbox"), value=0)
    assert await _messages(info) == 2


async def _messages(info: Any) -> int:
    return int((await info("EV_INTAKE")).state.messages)
