"""The broker is brought to the declared state and never beyond it (pitfalls F6, F7)."""

from dataclasses import replace
from typing import Any

import pytest
import structlog
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StorageType

from sangkien.contracts.topology import TOPOLOGY, Topology
from sangkien.messaging import ProvisionRefused, diff, provision, provision_node
from sangkien.testkit import NatsServer


async def test_provision_creates_everything_and_then_nothing(nc: Client) -> None:
    js = nc.jetstream()

    assert len(await diff(js, TOPOLOGY)) == len(TOPOLOGY.streams) + len(TOPOLOGY.consumers)
    await provision(js, TOPOLOGY)

    assert await diff(js, TOPOLOGY) == []
    assert await provision(js, TOPOLOGY) == []


async def test_provision_updates_a_durable_that_exists(nc: Client) -> None:
    js = nc.jetstream()
    await provision(js, Topology(TOPOLOGY.streams, ()))
    spec = TOPOLOGY.consumer("review__intake")
    old = ConsumerConfig(
        name=spec.name,
        durable_name=spec.name,
        ack_policy=AckPolicy.EXPLICIT,
        max_deliver=3,
        filter_subject="ev.intake.a",
    )
    await js.add_consumer(spec.stream, old)

    changed = await provision(js, TOPOLOGY)

    config = (await js.consumer_info(spec.stream, spec.name)).config
    assert config.max_deliver == -1
    assert tuple(config.filter_subjects or ()) == spec.filter_subjects
    assert {d.setting for d in changed if d.name == spec.name} >= {"max_deliver", "filter_subjects"}


async def test_provision_for_one_service_leaves_the_streams_of_others_alone(nc: Client) -> None:
    js = nc.jetstream()
    await js.add_stream(name="EV_INTAKE", subjects=["ev.intake.>", "replay.intake.>"], max_msgs=100)

    await provision(js, TOPOLOGY.of_service("review"), owner="review")

    assert (await js.stream_info("EV_INTAKE")).config.max_msgs == 100
    assert [d.setting for d in await diff(js, TOPOLOGY) if d.name == "EV_INTAKE"] == ["max_msgs", "description"]


async def test_provision_keeps_what_it_does_not_declare(nc: Client) -> None:
    js = nc.jetstream()
    await js.add_stream(name="EV_INTAKE", subjects=["ev.intake.>"], metadata={"rack": "b4"})
    await js.add_stream(name="OTHER", subjects=["other.>"])
    await js.publish("ev.intake.x", b"kept")

    await provision(js, TOPOLOGY)

    info = await js.stream_info("EV_INTAKE")
    assert (info.state.messages, (info.config.metadata or {}).get("rack")) == (1, "b4")
    assert (await js.stream_info("OTHER")).config.subjects == ["other.>"]


async def test_provision_before_a_start_brings_a_vanished_consumer_back_where_the_inbox_remembers(
    new_store: Any, start_bus: Any, own_nats_server: NatsServer, nc: Client
) -> None:
    store, topology, js = await new_store("review"), TOPOLOGY.of_service("review"), nc.jetstream()
    await provision_node(own_nats_server.url, topology, store)
    first = (await js.consumer_info("EV_INTAKE", "review__intake")).config
    bus = await start_bus("review", store)
    await bus.drain()

    await js.delete_consumer("EV_INTAKE", "review__intake")
    with structlog.testing.capture_logs() as said:
        await provision_node(own_nats_server.url, topology, store)

    config = (await js.consumer_info("EV_INTAKE", "review__intake")).config
    assert (first.deliver_policy, config.deliver_policy) == (DeliverPolicy.ALL, DeliverPolicy.BY_START_TIME)
    assert [(each["event"], each["stream"], each["consumer"]) for each in said] == [
        ("consumer_had_vanished", "EV_INTAKE", "review__intake")
    ]


async def test_provision_says_what_the_broker_refuses(nc: Client) -> None:
    js = nc.jetstream()
    await js.add_stream(name="EV_INTAKE", subjects=["ev.intake.>"], storage=StorageType.MEMORY)

    with pytest.raises(ProvisionRefused, match=r"stream EV_INTAKE: .*storage"):
        await provision(js, TOPOLOGY)


async def test_diff_names_the_setting_and_both_values(nc: Client) -> None:
    js = nc.jetstream()
    await provision(js, TOPOLOGY)
    spec = TOPOLOGY.consumer("review__intake")
    wanted = Topology((), (replace(spec, ack_wait_seconds=99.0),))

    assert [str(d) for d in await diff(js, wanted)] == ["consumer review__intake: ack_wait is 5, wanted 99"]
