"""The client's own ways to fail: giving up, going deaf, spinning (pitfalls F1, F2, F10, F12)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import DeliverPolicy

from sangkien.contracts.topology import TOPOLOGY, Topology
from sangkien.messaging import Incoming, Lag, Retention, Subscription
from sangkien.messaging.broker import Broker
from sangkien.messaging.pulling import TROUBLE_PAUSE_SECONDS, SteadyPull
from sangkien.messaging.topology import find_consumer
from sangkien.runtime import utc_now
from sangkien.store import Insert, Op
from sangkien.testkit import NatsServer, eventually


async def test_client_that_closes_for_good_ends_the_process(new_store: Any, start_bus: Any, into_review: Any) -> None:
    fatal: list[str] = []
    bus = await start_bus("review", await new_store("review"), into_review(), on_fatal=fatal.append)

    await bus.client.close()

    await eventually(lambda: fatal, value=["the NATS client of review closed and will not reconnect"])


async def test_drain_is_not_taken_for_a_loss(new_store: Any, start_bus: Any, into_review: Any) -> None:
    fatal: list[str] = []
    bus = await start_bus("review", await new_store("review"), into_review(), on_fatal=fatal.append)

    await bus.drain()
    await bus.drain()

    assert fatal == []


async def test_credentials_refused_on_reconnect_end_the_process(
    tmp_path: Path, new_store: Any, start_bus: Any, into_review: Any
) -> None:
    fatal: list[str] = []
    with NatsServer(tmp_path / "secured", user="node", password="old") as server:
        await start_bus("review", await new_store("review"), into_review(), nats_url=server.url, on_fatal=fatal.append)
        server.stop()
        server.password = "new"
        server.start()

        await eventually(lambda: fatal)
    assert fatal[0] == "the NATS server refuses review: authorization violation"


async def test_start_waits_for_a_server_that_comes_later(
    own_nats_server: NatsServer, new_store: Any, start_bus: Any, into_review: Any
) -> None:
    own_nats_server.stop()
    starting = asyncio.create_task(start_bus("review", await new_store("review"), into_review()))
    refused = asyncio.get_running_loop().create_future()
    port = own_nats_server.port

    async def knocked(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        if not refused.done():
            refused.set_result(None)

    door = await asyncio.start_server(knocked, "127.0.0.1", port)
    await refused
    door.close()
    await door.wait_closed()
    own_nats_server.start()

    bus = await starting
    assert bus.client.is_connected
    await bus.ping()


async def test_loop_of_a_vanished_consumer_pauses_and_reports(own_nats_server: NatsServer, nc: Client) -> None:
    js = nc.jetstream()
    spec = TOPOLOGY.consumer("review__intake")
    await js.add_stream(name=spec.stream, subjects=["ev.intake.>"])
    troubles = 0

    def trouble() -> None:
        nonlocal troubles
        troubles += 1

    async def consume(_: Sequence[Msg]) -> None:
        raise AssertionError("nothing was published")

    broker = Broker(
        name="test",
        url=own_nats_server.url,
        on_disconnect=lambda: None,
        on_reconnect=lambda: None,
        on_fatal=lambda _: None,
    )
    await broker.connect()
    subscriber = broker.subscriber(spec, consume, batch=10, poll_seconds=1.0)
    await subscriber.start()
    subscriber.subscription = SteadyPull(subscriber.subscription, batch=10, on_trouble=trouble)  # type: ignore[arg-type,assignment]

    await js.delete_consumer(spec.stream, spec.name)

    await eventually(lambda: troubles)
    before, began = broker.client.stats["out_msgs"], asyncio.get_running_loop().time()
    for _ in range(300):
        await nc.flush()  # a turn for the loop of the broker each time, and no more
    paused = asyncio.get_running_loop().time() - began
    # Without the pause it asks in every turn, however long or short that is.
    assert broker.client.stats["out_msgs"] - before < 10 + paused / (TROUBLE_PAUSE_SECONDS / 2)
    await eventually(lambda: troubles >= 3)
    await broker.close()


@pytest.mark.parametrize("what", ["consumer", "stream"])
async def test_consumer_that_vanished_is_brought_back(
    new_store: Any, start_bus: Any, into_review: Any, withdrawn: Any, nc: Client, what: str
) -> None:
    intake, review = await new_store("intake"), await new_store("review")
    publisher = await start_bus("intake", intake)
    await start_bus("review", review, into_review())
    js = nc.jetstream()

    if what == "consumer":
        await js.delete_consumer("EV_INTAKE", "review__intake")
    else:
        await js.delete_stream("EV_INTAKE")
    await intake.apply(withdrawn(3))
    publisher.wake_relay()

    await eventually(lambda: review.count("effects"), value=3)


async def test_consumer_brought_back_starts_where_the_inbox_remembers(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client
) -> None:
    bus = await start_bus("review", await new_store("review"), into_review())
    js = nc.jetstream()
    first = (await js.consumer_info("EV_INTAKE", "review__intake")).config

    await js.delete_consumer("EV_INTAKE", "review__intake")

    async def back() -> Any:
        info = await find_consumer(js, TOPOLOGY.consumer("review__intake"))
        return info and info.config

    config = await eventually(back)
    assert (first.deliver_policy, config.deliver_policy) == (DeliverPolicy.ALL, DeliverPolicy.BY_START_TIME)
    kept = Retention()
    assert round((utc_now() - config.opt_start_time) / (kept.inbox - kept.sent), 2) == 1.0
    await bus.ping()


async def test_a_single_message_does_not_wait_for_its_batch_to_fill(nc: Client) -> None:
    js = nc.jetstream()
    await js.add_stream(name="S", subjects=["s.>"])
    pull = SteadyPull(await js.pull_subscribe("s.x", durable="d", stream="S"), batch=200, on_trouble=lambda: None)
    await js.publish("s.x", b"1")

    assert [m.data for m in await pull.fetch(200, 60.0)] == [b"1"]
    with pytest.raises(TimeoutError):
        await pull.fetch(199, 60.0)  # FastStream asks for the rest of the batch: the round is over instead


async def test_what_arrives_while_closing_is_given_back_at_once(nc: Client) -> None:
    js = nc.jetstream()
    await js.add_stream(name="S", subjects=["s.>"])
    sub = await js.pull_subscribe("s.x", durable="d", stream="S")
    pull = SteadyPull(sub, batch=200, on_trouble=lambda: None)
    await js.publish("s.x", b"1")
    pull.closing = True

    with pytest.raises(TimeoutError):
        await pull.fetch(200, 60.0)

    (again,) = await sub.fetch(1, timeout=20)
    assert (again.data, again.metadata.num_delivered) == (b"1", 2)


async def test_long_work_keeps_its_messages_from_being_delivered_again(
    new_store: Any, start_bus: Any, withdrawn: Any, nc: Client
) -> None:
    spec = replace(TOPOLOGY.consumer("review__intake"), ack_wait_seconds=2.4)
    topology = Topology(TOPOLOGY.streams, (spec,))
    done = asyncio.Event()
    deliveries: list[int] = []

    async def handler(messages: Sequence[Incoming]) -> list[Op]:
        deliveries.extend(m.deliveries for m in messages)
        await done.wait()
        return [Insert("effects", {"_id": m.id}) for m in messages]

    store, outgoing = await new_store("review"), await new_store("intake")
    answers = await nc.subscribe("$JS.ACK.EV_INTAKE.review__intake.>")
    bus = await start_bus("review", store, Subscription(spec, handler), topology=topology)
    intake = await start_bus("intake", outgoing)
    await outgoing.apply(withdrawn())
    intake.wake_relay()

    for _ in range(4):  # 4 × 0.8 s is well beyond the 2.4 s after which the broker would deliver again
        assert (await answers.next_msg(timeout=20)).data == b"+WPI"
    done.set()

    await eventually(bus.consumer_lag, value={"review__intake": Lag(0, 0, 0)})
    assert (deliveries, await store.count("effects")) == ([1], 1)


async def test_client_never_stops_reconnecting(new_store: Any, start_bus: Any) -> None:
    bus = await start_bus("intake", await new_store("intake"))

    assert (bus.client.options["allow_reconnect"], bus.client.options["max_reconnect_attempts"]) == (True, -1)
