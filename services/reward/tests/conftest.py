"""What reward's tests share: the directory's stand-in, a running service and the people who work in it."""

import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.reward.v1 import reward_pb2 as api
from sangkien.api.reward.v1.reward_pb2_grpc import RewardServiceStub
from sangkien.reward.bootstrap import SERVICE
from sangkien.testkit import NatsServer
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.service import running_service

SUFFIX = "/QĐ-UBND"


@dataclass
class Office:
    """A district's office on a running service: its people, and stubs that call in their names."""

    service: Any
    directory: DirectoryDouble
    issuer: str
    unit: str
    people: dict[str, str]

    def stub(self, who: str) -> RewardServiceStub:
        """`secretary`, `leader`, `finance` or `author`, each with that role."""
        return RewardServiceStub(self.service.channel(self.people[who], [who], self.issuer))

    def person(self, name: str) -> str:
        return self.directory.add_person(name, self.unit)

    def collective(self, name: str) -> str:
        return self.directory.add_unit(name)

    async def open_register(self, *, last_number: int = 3033, year: int = 2023) -> str:
        request = api.OpenRegisterRequest(issuer_id=self.issuer, suffix=SUFFIX, year=year, last_number=last_number)
        return (await self.stub("secretary").OpenRegister(request)).register_id

    def draft_request(self, *recipients: api.Recipient, **changed: Any) -> api.DraftRewardDecisionRequest:
        fields: dict[str, Any] = {
            "idempotency_key": f"key-{next(_keys)}",
            "issuer_id": self.issuer,
            "suffix": SUFFIX,
            "form": "giay-khen-quan",
            "recipients": recipients,
            "occasion": "có thành tích trong phong trào Sáng kiến, sáng tạo Thủ đô",
            "planned_on": "2023-12-20",
        }
        return api.DraftRewardDecisionRequest(**(fields | changed))

    async def draft(self, *recipients: api.Recipient, **changed: Any) -> api.DraftRewardDecisionResponse:
        return await self.stub("secretary").DraftRewardDecision(self.draft_request(*recipients, **changed))

    async def submitted(self, *recipients: api.Recipient, **changed: Any) -> str:
        drafted = await self.draft(*recipients, **changed)
        request = api.SubmitRewardDecisionRequest(decision_id=drafted.decision_id)
        await self.stub("secretary").SubmitRewardDecision(request)
        return drafted.decision_id

    async def issue(self, decision_id: str, on: str = "2023-12-20", who: str = "leader") -> Any:
        request = api.IssueRewardDecisionRequest(
            decision_id=decision_id, issued_on=on, signing_mode="TM", signer_title="Chủ tịch"
        )
        return await self.stub(who).IssueRewardDecision(request)


_keys = itertools.count()


def individual(person_id: str) -> api.Recipient:
    return api.Recipient(holder=api.HOLDER_INDIVIDUAL, holder_id=person_id)


def collective(unit_id: str) -> api.Recipient:
    return api.Recipient(holder=api.HOLDER_COLLECTIVE, holder_id=unit_id)


@pytest.fixture
def as_individual() -> Callable[[str], api.Recipient]:
    return individual


@pytest.fixture
def as_collective() -> Callable[[str], api.Recipient]:
    return collective


@pytest.fixture
async def directory() -> AsyncIterator[DirectoryDouble]:
    async with directory_double() as double:
        yield double


@pytest.fixture
def new_office(directory: DirectoryDouble) -> Callable[[Any], Office]:
    """Makes the office of one district around a running service, the same over all restarts."""
    city = directory.add_unit("Thành phố Hà Nội", kind="UBND_TP")
    issuer = directory.add_unit("Ủy ban nhân dân quận Ba Đình", kind="QUAN", parent_id=city)
    unit = directory.add_unit("Trường THCS Thành Công")
    names = {"secretary": "Lê Thị Thư", "leader": "Phạm Thị Ẵm", "finance": "Đỗ Văn Tài", "author": "Vũ Thị Tác"}
    people = {role: directory.add_person(name, issuer) for role, name in names.items()}
    return lambda service: Office(service, directory, issuer, unit, people)


@pytest.fixture
async def office(
    new_office: Callable[[Any], Office], directory: DirectoryDouble, nats_server: NatsServer, tmp_path: Path
) -> AsyncIterator[Office]:
    """A fresh store; the broker is the session's."""
    async with running_service(SERVICE, nats_url=nats_server.url, data_dir=tmp_path, directory=directory) as service:
        yield new_office(service)
