"""What the tests of this library share: buses that are closed again, events to send, and the broker's view."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from sangkien.contracts.events import DossierWithdrawn
from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import MESSAGING_SCHEMA, Bus, Handler, Incoming, Subscription, outbox_row
from sangkien.runtime import Telemetry, new_id
from sangkien.store import Insert, Op, Schema, Store, open_store
from sangkien.testkit import NatsServer

EFFECTS = Schema(("effects",))
AT = datetime(2023, 11, 20, 8, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
async def telemetry() -> AsyncIterator[Telemetry]:
    telemetry = Telemetry.create("test", node="test", spans_dir=None, otlp_endpoint=None)
    yield telemetry
    await telemetry.shutdown()


@pytest.fixture
async def nc(own_nats_server: NatsServer) -> AsyncIterator[Client]:
    """A client beside the buses, to see and to plant what they do not."""
    client = await nats.connect(own_nats_server.url, max_reconnect_attempts=-1, reconnect_time_wait=0.1)
    yield client
    await client.close()


@pytest.fixture
async def new_store(tmp_path: Path) -> AsyncIterator[Callable[[str], Any]]:
    """Opens SQLite stores by name, with what every service declares and a collection for effects."""
    stores: list[Store] = []

    async def opened(name: str) -> Store:
        store = await open_store(f"sqlite://{tmp_path / name}", database=name)
        stores.append(store)
        await store.ensure(MESSAGING_SCHEMA + EFFECTS)
        return store

    yield opened
    for store in stores:
        await store.close()


@pytest.fixture
async def start_bus(own_nats_server: NatsServer, telemetry: Telemetry) -> AsyncIterator[Callable[..., Any]]:
    """Starts buses, with any option of `Bus`, and drains them at the end."""
    buses: list[Bus] = []

    async def started(service: str, store: Store, *subscriptions: Subscription, **options: Any) -> Bus:
        settings: dict[str, Any] = {"nats_url": own_nats_server.url, "topology": TOPOLOGY, "on_fatal": lambda _: None}
        settings |= {"service": service, "store": store, "telemetry": telemetry, "subscriptions": subscriptions}
        bus = Bus(**settings | {"node": "n1"} | options)
        buses.append(bus)
        await bus.start()
        return bus

    yield started
    for bus in buses:
        await bus.drain()


@pytest.fixture
def withdrawn() -> Callable[..., list[Insert]]:
    """Makes outbox rows of intake events: `withdrawn(3)`, `withdrawn(dossier="D1", traceparent=…)`."""

    def rows(count: int = 1, *, dossier: str = "", traceparent: str = "") -> list[Insert]:
        return [
            outbox_row(
                DossierWithdrawn(dossier_id=dossier or f"D{n}", version=1, withdrawn_on=date(2023, 11, 20)),
                event_id=new_id(),
                aggregate_id=dossier or f"D{n}",
                aggregate_version=n + 1,
                at=AT,
                traceparent=traceparent,
            )
            for n in range(count)
        ]

    return rows


@pytest.fixture
def into_review() -> Callable[..., Subscription]:
    """Wraps a handler (or the default one, an effect for each message) into review's subscription to intake."""

    async def record(messages: Sequence[Incoming]) -> list[Op]:
        return [Insert("effects", {"_id": m.id, "dossier": m.aggregate_id}) for m in messages]

    def subscription(handler: Handler = record, *, batch: int = 200) -> Subscription:
        return Subscription(TOPOLOGY.consumer("review__intake"), handler, batch)

    return subscription
