"""What the broker loses, the store still has: lost tails, empty and restored brokers (DESIGN §6.5), on both stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from sangkien.messaging import MESSAGING_SCHEMA, Bus, reoffer
from sangkien.messaging.lease import Lease
from sangkien.messaging.outbox import Outgoing
from sangkien.messaging.reoffer import Reoffer
from sangkien.runtime import new_id
from sangkien.store import Delete, Insert, Store, StoreUnavailable, open_store
from sangkien.testkit import NatsServer, eventually


@pytest.fixture(params=["sqlite", "mongo"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = request.getfixturevalue("mongo_uri") if request.param == "mongo" else f"sqlite://{tmp_path / 'store'}"
    store = await open_store(url, database=f"t_{new_id().lower()}")
    await store.ensure(MESSAGING_SCHEMA)
    yield store
    await store.close()


@asynccontextmanager
async def server_down(server: NatsServer, nc: Client) -> AsyncIterator[None]:
    """Inside, the server is stopped; afterwards it runs and `nc` is connected to it again."""
    reconnects = nc.stats["reconnects"]
    server.stop()
    yield
    server.start()
    await eventually(lambda: nc.stats["reconnects"] > reconnects and nc.is_connected)


async def publish(bus: Bus, store: Store, rows: list[Insert]) -> list[str]:
    """Commit the rows and wait until all of them count as sent."""
    await store.apply(rows)
    bus.wake_relay()
    await eventually(lambda: store.count("outbox"), value=0)
    return [row.doc["_id"] for row in rows]


async def events_of(nc: Client) -> list[str]:
    js = nc.jetstream()
    try:
        state = (await js.stream_info("EV_INTAKE")).state
    except NotFoundError:
        return []
    messages = [await js.get_msg("EV_INTAKE", seq=n) for n in range(max(1, state.first_seq), state.last_seq + 1)]
    return [(m.headers or {}).get("ce-id", "") for m in messages if (m.subject or "").startswith("ev.")]


async def consistent(nc: Client, store: Store, ids: list[str]) -> None:
    """Everything is in the stream, and the store remembers each event where the stream has it."""
    js = nc.jetstream()

    async def all_there() -> bool:
        return set(await events_of(nc)) >= set(ids) and await store.count("outbox") == 0

    await eventually(all_there, what="every event in the stream")
    sent = await store.find("outbox_sent", limit=1_000)
    assert {row["_id"] for row in sent} == set(ids)
    for row in sent:
        assert ((await js.get_msg("EV_INTAKE", seq=row["seq"])).headers or {})["ce-id"] == row["_id"]


async def test_lost_tail_is_offered_again(
    own_nats_server: NatsServer, store: Store, start_bus: Any, withdrawn: Any, nc: Client, tmp_path: Path
) -> None:
    bus = await start_bus("intake", store)
    kept = await publish(bus, store, withdrawn(12))
    async with server_down(own_nats_server, nc):
        own_nats_server.save_store(tmp_path / "copy")
    lost = await publish(bus, store, withdrawn(30))

    async with server_down(own_nats_server, nc):
        own_nats_server.set_store_back(tmp_path / "copy")

    await consistent(nc, store, kept + lost)
    assert await events_of(nc) == kept + lost


async def test_empty_broker_gets_everything_again(
    own_nats_server: NatsServer, store: Store, start_bus: Any, withdrawn: Any, nc: Client
) -> None:
    bus = await start_bus("intake", store)
    ids = await publish(bus, store, withdrawn(25))

    async with server_down(own_nats_server, nc):
        own_nats_server.wipe()

    await consistent(nc, store, ids)
    assert await events_of(nc) == ids


async def test_refilled_numbers_do_not_hide_a_lost_tail(
    own_nats_server: NatsServer, store: Store, start_bus: Any, withdrawn: Any, nc: Client, tmp_path: Path
) -> None:
    first = await start_bus("intake", store)
    kept = await publish(first, store, withdrawn(10))
    async with server_down(own_nats_server, nc):
        own_nats_server.save_store(tmp_path / "copy")
    lost = await publish(first, store, withdrawn(7))
    await first.drain()
    async with server_down(own_nats_server, nc):
        own_nats_server.set_store_back(tmp_path / "copy")
    # Beyond the last number that is remembered, so that the last sequence looks better than well.
    js = nc.jetstream()
    for n in range(9):
        await js.publish("replay.intake.review__intake.x", b"{}", headers={"ce-id": f"other-{n}"})
    assert (await js.stream_info("EV_INTAKE")).state.last_seq == 19

    second = await start_bus("intake", store)
    new = await publish(second, store, withdrawn(3))

    await consistent(nc, store, kept + lost + new)
    assert await events_of(nc) == kept + lost + new


async def test_stream_made_anew_while_connected_is_filled_again(
    store: Store, start_bus: Any, withdrawn: Any, nc: Client
) -> None:
    bus = await start_bus("intake", store)
    before = await publish(bus, store, withdrawn(8))
    config = (await nc.jetstream().stream_info("EV_INTAKE")).config

    await nc.jetstream().delete_stream("EV_INTAKE")
    await nc.jetstream().add_stream(config)
    after = await publish(bus, store, withdrawn(2))

    await consistent(nc, store, before + after)
    assert set(await events_of(nc)) == {*before, *after}


async def test_purged_stream_is_filled_again_although_the_broker_remembers_the_ids(
    store: Store, start_bus: Any, withdrawn: Any, nc: Client
) -> None:
    first = await start_bus("intake", store)
    ids = await publish(first, store, withdrawn(6))
    await first.drain()
    await nc.jetstream().purge_stream("EV_INTAKE")

    await start_bus("intake", store)

    await consistent(nc, store, ids)
    assert sorted(await events_of(nc)) == sorted(ids)


async def test_number_that_two_rows_claim_goes_to_the_one_the_broker_has(
    store: Store, start_bus: Any, withdrawn: Any, nc: Client
) -> None:
    bus = await start_bus("intake", store)
    ids = await publish(bus, store, withdrawn(3))
    await bus.drain()
    (row,) = await store.find("outbox_sent", {"seq": 2})
    unrecorded = Outgoing.from_sent(row)
    claimant = {**row, "_id": "0000000000000000000000GONE"}
    await store.apply([Delete("outbox_sent", unrecorded.id), unrecorded.again(), Insert("outbox_sent", claimant)])

    await start_bus("intake", store)

    await consistent(nc, store, [*ids, claimant["_id"]])
    assert await events_of(nc) == [*ids, claimant["_id"]]


async def test_going_back_may_be_cut_off_anywhere(
    own_nats_server: NatsServer,
    sqlite_store: Store,
    start_bus: Any,
    withdrawn: Any,
    nc: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = sqlite_store
    bus = await start_bus("intake", store)
    kept = await publish(bus, store, withdrawn(5))
    async with server_down(own_nats_server, nc):
        own_nats_server.save_store(tmp_path / "copy")
    lost = await publish(bus, store, withdrawn(20))
    await bus.drain()
    async with server_down(own_nats_server, nc):
        own_nats_server.set_store_back(tmp_path / "copy")
    monkeypatch.setattr(reoffer, "CHUNK", 6)
    apply, applied = store.apply, 0

    async def two_chunks_only(ops: Any) -> None:
        nonlocal applied
        if applied == 2:
            raise StoreUnavailable("the process is gone here")
        applied += 1
        await apply(ops)

    monkeypatch.setattr(store, "apply", two_chunks_only)
    with pytest.raises(StoreUnavailable):
        await Reoffer(store, nc.jetstream(), "EV_INTAKE", Lease(store)).check()
    monkeypatch.setattr(store, "apply", apply)
    assert (await store.count("outbox"), await store.count("outbox_sent")) == (12, 13)

    rest = await Reoffer(store, nc.jetstream(), "EV_INTAKE", Lease(store)).check()
    assert (rest.top, rest.returned) == (5, 8)
    await start_bus("intake", store)
    await consistent(nc, store, kept + lost)


async def test_check_of_a_sound_stream_changes_nothing(
    store: Store, start_bus: Any, withdrawn: Any, nc: Client
) -> None:
    bus = await start_bus("intake", store)
    ids = await publish(bus, store, withdrawn(4))
    before = await store.find("outbox_sent")
    await bus.drain()

    verified = await Reoffer(store, nc.jetstream(), "EV_INTAKE", Lease(store)).check()

    assert (verified.top, verified.returned) == (4, 0)
    assert await store.find("outbox_sent") == before
    assert await events_of(nc) == ids
