"""A running intake, with a review beside it that says what the test wants said."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.contracts.events import Event, RoundOpened
from sangkien.contracts.topology import TOPOLOGY
from sangkien.intake.bootstrap import SERVICE
from sangkien.messaging import MESSAGING_SCHEMA, Bus, outbox_row
from sangkien.runtime import Telemetry, new_id
from sangkien.store import Store, open_store
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.service import RunningService, running_service


@dataclass
class Review:
    """Publishes review's events the way review does: from its own store, through its own outbox."""

    bus: Bus
    store: Store

    async def says(self, event: Event, about: str, version: int, event_id: str = "") -> None:
        row = outbox_row(
            event,
            event_id=event_id or new_id(),
            aggregate_id=about,
            aggregate_version=version,
            at=datetime(2023, 5, 18, 2, 0, tzinfo=UTC),
        )
        await self.store.apply([row])
        self.bus.wake_relay()


@pytest.fixture
async def directory() -> AsyncIterator[DirectoryDouble]:
    async with directory_double() as double:
        yield double


@pytest.fixture
async def review(own_nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Review]:
    store = await open_store(f"sqlite://{tmp_path / 'review'}", database="review")
    await store.ensure(MESSAGING_SCHEMA)
    telemetry = Telemetry.create("review", node="local", spans_dir=None, otlp_endpoint=None)
    bus = Bus(
        service="review",
        node="local",
        nats_url=own_nats_server.url,
        store=store,
        telemetry=telemetry,
        subscriptions=(),
        topology=TOPOLOGY,
        on_fatal=lambda _: None,
    )
    await bus.start()
    yield Review(bus, store)
    await bus.drain()
    await store.close()
    await telemetry.shutdown()


@pytest.fixture
async def intake(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble
) -> AsyncIterator[RunningService]:
    async with running_service(
        SERVICE, nats_url=own_nats_server.url, data_dir=tmp_path / "intake", directory=directory
    ) as running:
        yield running


@pytest.fixture
def store(intake: RunningService) -> Store:
    """What the running intake has stored."""
    return intake.host._store


@pytest.fixture
def opened() -> Callable[..., RoundOpened]:
    """A round of the district's council, 1 April to 30 June 2023 unless said otherwise."""

    def event(round_id: str = "R1", **changed: Any) -> RoundOpened:
        facts: dict[str, Any] = {
            "round_id": round_id,
            "council_id": "C1",
            "name": f"Đợt {round_id}",
            "tier": "district",
            "owner_id": "local:OWNER",
            "opens_on": date(2023, 4, 1),
            "closes_on": date(2023, 6, 30),
        }
        return RoundOpened(**(facts | changed))

    return event


@pytest.fixture
async def round_one(review: Review, intake: RunningService, store: Store, opened: Callable[..., RoundOpened]) -> str:
    """The id of an open round that intake knows."""
    await review.says(opened(), "R1", 1)
    await eventually(lambda: store.count("rounds"), value=1)
    return "R1"


@pytest.fixture
def draft() -> Callable[..., pb.Draft]:
    """Content that can be filed, by ids alone."""

    def content(**changed: Any) -> pb.Draft:
        facts: dict[str, Any] = {
            "title": "Ngày thứ Sáu không chờ tại bộ phận Một cửa",
            "field": "Quản lý nhà nước",
            "unit_id": "local:UNIT",
            "authors": [pb.Author(person_id="local:AUTHOR", share=10_000)],
            "filed_on": "2023-05-10",
        }
        return pb.Draft(**(facts | changed))

    return content


@pytest.fixture
def officer(intake: RunningService) -> IntakeServiceStub:
    """Calls as a union officer of the unit."""
    return IntakeServiceStub(intake.channel("local:OFFICER", ["union_officer"], "local:UNIT"))


@pytest.fixture
def secretary(intake: RunningService) -> IntakeServiceStub:
    return IntakeServiceStub(intake.channel("local:SECRETARY", ["secretary"], "local:OWNER"))
