"""kill -9 between any two steps: one effect, whoever comes back (DESIGN §6)."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nats.aio.client import Client

from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import MESSAGING_SCHEMA, Incoming, Lag, Subscription
from sangkien.store import Insert, Op, Schema, Store, open_store
from sangkien.testkit import NatsServer, eventually

VICTIM = Path(__file__).with_name("victim.py")


async def killed(place: str, server: NatsServer, store_url: str) -> None:
    """Run a victim up to `place`, kill it, and return once it is really dead."""
    victim = await asyncio.create_subprocess_exec(
        sys.executable, str(VICTIM), place, server.url, store_url, stdout=asyncio.subprocess.PIPE
    )
    assert victim.stdout is not None
    async with asyncio.timeout(60):
        while (line := await victim.stdout.readline()) != b"HERE\n":
            assert line, "the victim ended by itself"
    victim.send_signal(signal.SIGKILL)
    assert await victim.wait() == -signal.SIGKILL


async def opened(url: str) -> Store:
    store = await open_store(url, database="victim")
    await store.ensure(MESSAGING_SCHEMA + Schema(("effects",)))
    return store


async def test_publisher_killed_before_publishing_publishes_after_its_restart(
    own_nats_server: NatsServer, start_bus: Any, nc: Client, tmp_path: Path
) -> None:
    await killed("committed-not-published", own_nats_server, f"sqlite://{tmp_path}")
    store = await opened(f"sqlite://{tmp_path}")
    (row,) = await store.find("outbox")

    bus = await start_bus("intake", store)

    await eventually(lambda: store.count("outbox"), value=0)
    message = await nc.jetstream().get_msg("EV_INTAKE", seq=1)
    assert (message.headers or {})["ce-id"] == row["_id"]
    assert (await nc.jetstream().stream_info("EV_INTAKE")).state.messages == 1
    await bus.drain()
    await store.close()


async def test_publisher_killed_before_recording_does_not_publish_twice(
    own_nats_server: NatsServer, start_bus: Any, nc: Client, tmp_path: Path
) -> None:
    await killed("published-not-recorded", own_nats_server, f"sqlite://{tmp_path}")
    store = await opened(f"sqlite://{tmp_path}")
    assert (await store.count("outbox"), await store.count("outbox_sent")) == (1, 0)
    assert (await nc.jetstream().stream_info("EV_INTAKE")).state.messages == 1

    bus = await start_bus("intake", store)

    await eventually(lambda: store.count("outbox"), value=0)
    assert (await nc.jetstream().stream_info("EV_INTAKE")).state.messages == 1
    assert [row["seq"] for row in await store.find("outbox_sent")] == [1]
    await bus.drain()
    await store.close()


async def test_consumer_killed_before_acknowledging_has_one_effect(
    own_nats_server: NatsServer, start_bus: Any, new_store: Any, withdrawn: Any, nc: Client, tmp_path: Path
) -> None:
    intake = await new_store("intake")
    publisher = await start_bus("intake", intake)
    await intake.apply(withdrawn(5))
    publisher.wake_relay()
    await eventually(lambda: intake.count("outbox"), value=0)
    await killed("handled-not-acknowledged", own_nats_server, f"sqlite://{tmp_path}")
    store = await opened(f"sqlite://{tmp_path}")
    effects = await store.count("effects")
    assert effects == await store.count("inbox") >= 1
    floor = (await nc.jetstream().consumer_info("EV_INTAKE", "review__intake")).ack_floor
    assert floor is not None
    assert floor.stream_seq == 0
    calls: list[str] = []

    async def record(messages: Sequence[Incoming]) -> list[Op]:
        calls.extend(m.id for m in messages)
        return [Insert("effects", {"_id": m.id}) for m in messages]

    bus = await start_bus("review", store, Subscription(TOPOLOGY.consumer("review__intake"), record))

    await eventually(bus.consumer_lag, value={"review__intake": Lag(0, 0, 0)})
    assert (await store.count("effects"), len(calls)) == (5, 5 - effects)
    assert await bus.dead_letters.list() == []
    await bus.drain()
    await store.close()
