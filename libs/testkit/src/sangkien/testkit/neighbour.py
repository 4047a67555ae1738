"""Another service, as the one under test meets it: a publisher with its own outbox, saying what a test wants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sangkien.contracts.events import Event, service_of
from sangkien.contracts.topology import TOPOLOGY, stream_name
from sangkien.messaging import MESSAGING_SCHEMA, Bus, outbox_row
from sangkien.messaging.outbox import Outgoing
from sangkien.runtime import Telemetry, new_id
from sangkien.store import Store, open_store

SAID_AT = datetime(2023, 4, 3, 2, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Publishes the way every service does: from its own store, through its own relay."""

    bus: Bus
    store: Store

    async def says(self, event: Event, about: str, version: int = 1, *, event_id: str = "") -> str:
        """Publish one event about an aggregate; returns its id. The same `event_id` again is a re-offer."""
        event_id = event_id or new_id()
        row = outbox_row(event, event_id=event_id, aggregate_id=about, aggregate_version=version, at=SAID_AT)
        await self.store.apply([row])
        self.bus.wake_relay()
        return event_id

    async def says_all(self, *events: tuple[Event, str, int]) -> None:
        """Publish events from one unit of work: each with the aggregate it is about and that aggregate's version."""
        rows = [
            outbox_row(event, event_id=new_id(), aggregate_id=about, aggregate_version=version, at=SAID_AT)
            for event, about, version in events
        ]
        await self.store.apply(rows)
        self.bus.wake_relay()

    async def repeats(self, event: Event, about: str, version: int = 1, *, event_id: str) -> None:
        """Put an event on the stream once more, past the broker's own memory of ids, as a re-offer days later does."""
        row = outbox_row(event, event_id=event_id, aggregate_id=about, aggregate_version=version, at=SAID_AT)
        stream = stream_name(service_of(event.TYPE))
        headers = Outgoing(row.doc).headers(source="/local/test", stream=stream, message_id=new_id(), traceparent="")
        await self.bus.jetstream.publish(event.TYPE, event.to_bytes(), stream=stream, headers=headers, timeout=60)


@asynccontextmanager
async def neighbour(service: str, *, nats_url: str, data_dir: Path) -> AsyncIterator[Neighbour]:
    """Stand in for `service` as a publisher, with its store in `data_dir`."""
    store = await open_store(f"sqlite://{data_dir / f'neighbour-{service}'}", database=service)
    await store.ensure(MESSAGING_SCHEMA)
    telemetry = Telemetry.create(service, node="local", spans_dir=None, otlp_endpoint=None)
    fatal: list[str] = []
    bus = Bus(
        service=service,
        nats_url=nats_url,
        store=store,
        telemetry=telemetry,
        subscriptions=(),
        topology=TOPOLOGY,
        on_fatal=fatal.append,
    )
    await bus.start()
    try:
        yield Neighbour(bus, store)
    finally:
        await bus.drain()
        await store.close()
        await telemetry.shutdown()
    assert fatal == []  # noqa: S101 (a helper of tests)
