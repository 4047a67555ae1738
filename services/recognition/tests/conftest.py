"""A running recognition, with a review beside it that says what its councils voted."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.recognition.v1 import recognition_pb2 as pb
from sangkien.api.recognition.v1.recognition_pb2_grpc import RecognitionServiceStub
from sangkien.contracts.events import DossierVoted
from sangkien.recognition.bootstrap import SERVICE
from sangkien.store import Store
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.neighbour import Neighbour, neighbour
from sangkien.testkit.service import RunningService, running_service


@dataclass(frozen=True)
class District:
    """Who there is: the district that issues, a school with two teachers, and three of the district's staff."""

    issuer: str
    unit: str
    authors: tuple[str, str]
    secretary: str
    leader: str
    deputy: str


@pytest.fixture
async def directory() -> AsyncIterator[DirectoryDouble]:
    async with directory_double() as double:
        yield double


@pytest.fixture
def district(directory: DirectoryDouble) -> District:
    city = directory.add_unit("Ủy ban nhân dân thành phố Hà Nội", kind="UBND_TP")
    issuer = directory.add_unit("Ủy ban nhân dân quận Ba Đình", kind="QUAN", parent_id=city)
    unit = directory.add_unit("Trường THCS Thành Công", parent_id=issuer)
    first, second = (directory.add_person(name, unit) for name in ("Nguyễn Thị Hòa", "Trần Văn Ất"))
    secretary, leader, deputy = (
        directory.add_person(name, issuer) for name in ("Lê Thu Ký", "Phạm Chủ Tịch", "Vũ Phó Tịch")
    )
    return District(issuer, unit, (first, second), secretary, leader, deputy)


@pytest.fixture
async def review(own_nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Neighbour]:
    async with neighbour("review", nats_url=own_nats_server.url, data_dir=tmp_path) as publisher:
        yield publisher


@pytest.fixture
async def recognition(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble
) -> AsyncIterator[RunningService]:
    async with running_service(
        SERVICE, nats_url=own_nats_server.url, data_dir=tmp_path / "recognition", directory=directory
    ) as running:
        yield running
    assert running.fatal == []


@pytest.fixture
def store(recognition: RunningService) -> Store:
    """What the running recognition has stored."""
    return recognition.host._store


@pytest.fixture
def as_(recognition: RunningService, district: District) -> Callable[..., RecognitionServiceStub]:
    """`as_("leader", district.leader)`: a stub of this role in the issuing district; `as_()` is the public's."""

    def stub(role: str = "", person: str = "", organisation: str = "") -> RecognitionServiceStub:
        roles = [role] if role else []
        return RecognitionServiceStub(recognition.channel(person, roles, organisation or district.issuer))

    return stub


@pytest.fixture
def voted(district: District) -> Callable[..., DossierVoted]:
    """A vote of the district's council on 20 November 2023, passed unless said otherwise."""

    def event(dossier_id: str, **changed: Any) -> DossierVoted:
        facts: dict[str, Any] = {
            "dossier_id": dossier_id,
            "round_id": "R1",
            "session_id": "S1",
            "council_id": "C1",
            "tier": "district",
            "outcome": "passed",
            "members": 9,
            "yes": 8,
            "no": 1,
            "abstained": 0,
            "mean_score_tenths": 812,
            "held_on": date(2023, 11, 20),
            "rule_set": "vn.council.tt-18-2013",
            "title": f"Không gian lịch sử ở lớp học {dossier_id}",
            "field": "giao-duc",
            "unit_id": district.unit,
            "authors": [
                {"person_id": person, "share": share}
                for person, share in zip(district.authors, (6_000, 4_000), strict=True)
            ],
        }
        return DossierVoted(**(facts | changed))

    return event


@pytest.fixture
def votes(review: Neighbour, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Publishes votes, and waits until the running recognition holds them all as candidates."""

    async def said(events: Sequence[DossierVoted], *, wait: bool = True) -> None:
        await review.says_all(*((event, event.dossier_id, 5) for event in events))
        if wait:
            kept: Store = request.getfixturevalue("store")
            ids = [event.dossier_id for event in events]

            async def known() -> bool:
                return len(await kept.get_many("candidates", ids)) == len(ids)

            await eventually(known, what="the votes at recognition")

    return said


@pytest.fixture
def drafted(as_: Callable[..., RecognitionServiceStub], district: District) -> Callable[..., Any]:
    """Opens the register at 3033, drafts over the round and submits; returns the draft."""

    async def draft(key: str = "k1", **changed: Any) -> pb.DraftDecisionResponse:
        secretary = as_("secretary", district.secretary)
        await secretary.OpenRegister(
            pb.OpenRegisterRequest(issuer_id=district.issuer, suffix="/QĐ-UBND", year=2023, last_number=3033)
        )
        request = {"idempotency_key": key, "issuer_id": district.issuer, "suffix": "/QĐ-UBND", "round_id": "R1"}
        answer = await secretary.DraftDecision(pb.DraftDecisionRequest(**(request | changed)))
        await secretary.SubmitDecision(pb.SubmitDecisionRequest(decision_id=answer.decision_id))
        return answer

    return draft


@pytest.fixture
def issuing() -> Callable[..., pb.IssueDecisionRequest]:
    """The request to issue on 20 December 2023, signed for the collective."""

    def request(decision_id: str, **changed: Any) -> pb.IssueDecisionRequest:
        facts = {"issued_on": "2023-12-20", "signing_mode": "TM", "signer_title": "Chủ tịch"}
        return pb.IssueDecisionRequest(decision_id=decision_id, **(facts | changed))

    return request
