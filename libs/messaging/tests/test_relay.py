"""Every committed event reaches its stream exactly once, whatever dies in between (pitfalls of publish_async, §2)."""

import asyncio
import re
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js.errors import TooManyStalledMsgsError

from sangkien.contracts.events import RewardDecisionIssued
from sangkien.messaging import EventTooLarge, outbox_row, relay
from sangkien.messaging import bus as bus_module
from sangkien.messaging.publishing import Batch
from sangkien.runtime import new_id
from sangkien.store import Store
from sangkien.testkit import NatsServer, eventually


async def stored(nc: Client) -> list[str]:
    """The event ids of intake's stream, in its order."""
    js = nc.jetstream()
    state = (await js.stream_info("EV_INTAKE")).state
    return [
        ((await js.get_msg("EV_INTAKE", seq=seq)).headers or {})["ce-id"]
        for seq in range(state.first_seq, state.last_seq + 1)
    ]


async def emptied(store: Store) -> None:
    await eventually(lambda: store.count("outbox"), value=0)


async def test_events_leave_in_order_with_our_headers(
    new_store: Any, start_bus: Any, withdrawn: Any, nc: Client
) -> None:
    store = await new_store("intake")
    bus = await start_bus("intake", store)
    parent = f"00-{7:032x}-{9:016x}-01"
    rows = [*withdrawn(), *withdrawn(traceparent=parent), *withdrawn(1_200)]
    await store.apply(rows)
    bus.wake_relay()
    await emptied(store)

    assert await stored(nc) == [row.doc["_id"] for row in rows]
    second = await nc.jetstream().get_msg("EV_INTAKE", seq=2)
    headers = dict(second.headers or {})
    traceparent = headers.pop("traceparent")
    event_id = rows[1].doc["_id"]
    assert (second.subject, second.data) == ("ev.intake.dossier.withdrawn.v1", rows[1].doc["body"].encode())
    assert headers == {
        "Nats-Expected-Stream": "EV_INTAKE",
        "Nats-Msg-Id": event_id,
        "ce-id": event_id,
        "ce-source": "/n1/intake",
        "ce-specversion": "1.0",
        "ce-subject": "D0",
        "ce-time": "2023-11-20T08:30:00+00:00",
        "ce-type": "ev.intake.dossier.withdrawn.v1",
        "content-type": "application/json",
        "correlation_id": "D0",
        "x-aggregate-version": "1",
    }
    assert re.fullmatch(rf"00-{7:032x}-[0-9a-f]{{16}}-01", traceparent)
    assert traceparent != parent


async def test_sent_rows_remember_where_the_broker_put_them(
    new_store: Any, start_bus: Any, withdrawn: Any, nc: Client
) -> None:
    store = await new_store("intake")
    bus = await start_bus("intake", store)
    rows = withdrawn(3)
    await store.apply(rows)
    bus.wake_relay()
    await emptied(store)

    created = (await nc.jetstream().stream_info("EV_INTAKE")).created
    assert created is not None
    sent = await store.find("outbox_sent")
    assert [(row["_id"], row["seq"]) for row in sent] == [(row.doc["_id"], n) for n, row in enumerate(rows, start=1)]
    assert {row["created"] for row in sent} == {int(created.timestamp() * 1_000_000)}


async def test_broker_killed_with_publishes_in_flight_loses_and_doubles_nothing(
    own_nats_server: NatsServer,
    new_store: Any,
    start_bus: Any,
    withdrawn: Any,
    nc: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay, "PUBLISH_SECONDS", 1.0)
    store = await new_store("intake")
    bus = await start_bus("intake", store)
    rows = withdrawn(6_000)
    for start in range(0, len(rows), 1_000):
        await store.apply(rows[start : start + 1_000])
    for sent in (500, 2_500, 4_500):
        bus.wake_relay()
        await eventually(partial(_at_least, store, sent))
        own_nats_server.kill()
        assert not own_nats_server.running
        own_nats_server.start()
    await emptied(store)

    ids = await stored(nc)
    assert len(ids) == len(set(ids)) == len(rows)
    assert set(ids) == {row.doc["_id"] for row in rows}
    assert await store.count("outbox_sent") == len(rows)


async def _at_least(store: Store, count: int) -> bool:
    return await store.count("outbox_sent") >= count


async def test_acknowledgement_that_never_comes_is_asked_for_again(
    new_store: Any, start_bus: Any, withdrawn: Any, nc: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "PUBLISH_SECONDS", 1.0)
    store = await new_store("intake")
    bus = await start_bus("intake", store)
    answered = Batch.answered
    unheard: list[Any] = []

    def deaf(batch: Batch, place: int, answer: Any) -> None:
        if len(unheard) < 3:
            unheard.append(answer)
        else:
            answered(batch, place, answer)

    monkeypatch.setattr(Batch, "answered", deaf)
    rows = withdrawn(3)
    await store.apply(rows)
    bus.wake_relay()
    await emptied(store)

    assert await stored(nc) == [row.doc["_id"] for row in rows]
    assert [answer.seq for answer in unheard] == [1, 2, 3]


async def test_filing_goes_on_without_a_broker_and_leaves_when_it_is_back(
    own_nats_server: NatsServer, new_store: Any, start_bus: Any, withdrawn: Any, nc: Client
) -> None:
    store = await new_store("intake")
    bus = await start_bus("intake", store)
    own_nats_server.stop()
    rows = withdrawn(20)
    await store.apply(rows)
    bus.wake_relay()
    await eventually(lambda: not bus.client.is_connected)

    assert await bus.outbox_depth() == 20
    assert await bus.oldest_outbox_age_s() > 0
    own_nats_server.start()
    await emptied(store)
    assert await stored(nc) == [row.doc["_id"] for row in rows]
    assert (await bus.outbox_depth(), await bus.oldest_outbox_age_s()) == (0, 0.0)


async def test_drain_sends_what_the_outbox_holds(new_store: Any, start_bus: Any, withdrawn: Any, nc: Client) -> None:
    store = await new_store("intake")
    bus = await start_bus("intake", store)
    rows = withdrawn(600)  # more than go at a time
    await store.apply(rows)

    await bus.drain()

    assert len(await stored(nc)) == 600
    assert await store.count("outbox") == 0


async def test_drain_without_a_broker_ends_and_keeps_the_outbox(
    own_nats_server: NatsServer, new_store: Any, start_bus: Any, withdrawn: Any
) -> None:
    store = await new_store("intake")
    bus = await start_bus("intake", store)
    own_nats_server.kill()
    await eventually(lambda: not bus.client.is_connected)
    await store.apply(withdrawn(5))

    await bus.drain()

    assert await store.count("outbox") == 5


async def test_broker_that_refuses_is_tried_again_until_it_does_not(
    new_store: Any, start_bus: Any, withdrawn: Any, nc: Client
) -> None:
    store = await new_store("intake")
    bus = await start_bus("intake", store)
    js = nc.jetstream()
    await js.update_stream(name="EV_INTAKE", subjects=["ev.intake.>", "replay.intake.>"], max_msg_size=10)
    failures = await nc.subscribe("ev.intake.>")
    await store.apply(withdrawn(1))
    bus.wake_relay()
    for _ in range(2):
        await failures.next_msg(timeout=20)
    assert await store.count("outbox") == 1

    await js.update_stream(name="EV_INTAKE", subjects=["ev.intake.>", "replay.intake.>"], max_msg_size=-1)

    await emptied(store)
    assert len(await stored(nc)) == 1


def test_outbox_refuses_what_could_never_be_published() -> None:
    def event(form: str) -> RewardDecisionIssued:
        return RewardDecisionIssued(
            decision_id="Q1",
            number=1,
            symbol="1/QĐ",
            form=form,
            issued_on="2023-11-20",
            issuer_id="O1",
            rule_set="2023",
            individuals=1,
            collectives=0,
            total_vnd=1_080_000,
        )

    def row(*, form: str = "x", event_id: str = new_id(), aggregate_id: str = "Q1", aware: bool = True) -> Any:
        at = datetime(2023, 11, 20, tzinfo=UTC if aware else None)
        return outbox_row(event(form), event_id=event_id, aggregate_id=aggregate_id, aggregate_version=1, at=at)

    assert row().doc["type"] == "ev.reward.decision.issued.v1"
    with pytest.raises(EventTooLarge, match=r"ev\.reward\.decision\.issued\.v1 is 256\d{3} bytes"):
        row(form="x" * 256_000)
    for bad in ({"event_id": ""}, {"aggregate_id": "a\nNats-Msg-Id: b"}, {"aggregate_id": "đ"}, {"aware": False}):
        with pytest.raises(ValueError, match=r"ASCII|aware"):
            row(**bad)


async def test_drain_ends_although_the_client_swallows_a_cancellation(
    new_store: Any, start_bus: Any, withdrawn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await new_store("intake")
    bus = await start_bus("intake", store)
    publishing = asyncio.Event()

    async def swallows(*_: Any, **__: Any) -> Any:
        publishing.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:  # what nats-py does while it waits for a free slot
            raise TooManyStalledMsgsError from None

    monkeypatch.setattr(bus_module, "FLUSH_SECONDS", 0.1)
    with monkeypatch.context() as patch:
        patch.setattr(Batch, "answers", swallows)
        await store.apply(withdrawn())
        bus.wake_relay()
        await publishing.wait()
        draining = asyncio.create_task(bus.drain())
        await eventually(draining.done)

    assert await store.count("outbox") == 1
