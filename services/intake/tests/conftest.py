"""A running intake, with a review beside it that says what the test wants said."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.contracts.events import RoundOpened
from sangkien.intake.bootstrap import SERVICE
from sangkien.store import Store
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.neighbour import Neighbour, neighbour
from sangkien.testkit.service import RunningService, running_service


@pytest.fixture
async def directory() -> AsyncIterator[DirectoryDouble]:
    async with directory_double() as double:
        yield double


@pytest.fixture
async def review(own_nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Neighbour]:
    async with neighbour("review", nats_url=own_nats_server.url, data_dir=tmp_path) as publisher:
        yield publisher


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
async def round_one(review: Neighbour, intake: RunningService, store: Store, opened: Callable[..., RoundOpened]) -> str:
    """The id of an open round that intake knows."""
    await review.says(opened(), "R1", 1)
    await eventually(lambda: store.count("rounds", {"node": ""}), value=1)
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
