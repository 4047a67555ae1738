"""A running review, with an intake beside it that says what the test wants said."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.review.v1 import review_pb2 as pb
from sangkien.api.review.v1.review_pb2_grpc import ReviewServiceStub
from sangkien.contracts.events import AuthorShare, DossierSubmitted
from sangkien.review.bootstrap import SERVICE
from sangkien.rpc import RemoteUnavailable
from sangkien.runtime import new_id
from sangkien.store import Store
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.neighbour import Neighbour, neighbour
from sangkien.testkit.service import running_service
from sangkien.testkit.service_process import CalledProcess, called_process

ROLES = (
    pb.MEMBER_ROLE_CHAIR,
    pb.MEMBER_ROLE_VICE_CHAIR,
    pb.MEMBER_ROLE_SECRETARY,
    pb.MEMBER_ROLE_EXPERT,
    pb.MEMBER_ROLE_EXPERT,
    pb.MEMBER_ROLE_UNION,
)


@pytest.fixture
async def directory() -> AsyncIterator[DirectoryDouble]:
    async with directory_double() as double:
        yield double


@pytest.fixture
async def intake(own_nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Neighbour]:
    async with neighbour("intake", nats_url=own_nats_server.url, data_dir=tmp_path) as publisher:
        yield publisher


def filing(dossier_id: str, round_id: str, authors: Sequence[str], **facts: Any) -> DossierSubmitted:
    """A dossier as intake submits it."""
    share = 10_000 // len(authors)
    plain: dict[str, Any] = {
        "version": 1,
        "code": f"SK-2023-{dossier_id[-6:]}",
        "tier": "district",
        "title": "Tạo dựng không gian lịch sử ở lớp học trong giảng dạy môn Lịch sử 7",
        "field": "giao-duc",
        "unit_id": "local:UNIT",
        "filed_on": date(2023, 5, 10),
        "first_applied_on": date(2022, 9, 5),
        "answer_due": date(2023, 6, 12),
    }
    return DossierSubmitted(
        dossier_id=dossier_id,
        round_id=round_id,
        authors=tuple(AuthorShare(person_id=one, share=share) for one in authors),
        **(plain | facts),
    )


@dataclass
class Office:
    """A council of six with an open round, and the calls its people make."""

    running: Any
    intake: Neighbour
    members: list[str]
    author: str
    owner: str
    council_id: str = ""
    round_id: str = ""
    stubs: dict[tuple[str, ...], Any] = field(default_factory=dict)

    def as_(self, person: str, *roles: str) -> Any:
        """The review service as that person calls it."""
        key = (person, *roles)
        if key not in self.stubs:
            self.stubs[key] = ReviewServiceStub(self.running.channel(person, roles))
        return self.stubs[key]

    @property
    def secretary(self) -> Any:
        return self.as_("local:OFFICE", "secretary")

    def member(self, place: int) -> Any:
        return self.as_(self.members[place], "council_member")

    def council(self, **changes: Any) -> pb.CreateCouncilRequest:
        plain: dict[str, Any] = {
            "idempotency_key": "council",
            "name": "Hội đồng Khoa học, sáng kiến quận Ba Đình",
            "tier": "district",
            "owner_id": self.owner,
            "established_by": "900/QĐ-UBND",
            "established_on": "2023-05-08",
            "members": [pb.Member(person_id=one, role=role) for one, role in zip(self.members, ROLES, strict=True)],
            "sheet": "ha-noi",
        }
        return pb.CreateCouncilRequest(**(plain | changes))

    async def open_round(self, key: str = "round") -> str:
        request = pb.OpenRoundRequest(
            idempotency_key=key,
            council_id=self.council_id,
            name="Đợt 1",
            group="khối Giáo dục và Đào tạo",
            opens_on="2023-03-09",
            closes_on="2023-05-31",
        )
        return str((await self.secretary.OpenRound(request)).round_id)

    async def file(self, count: int = 1, *, authors: Sequence[str] = (), **facts: Any) -> list[str]:
        """File dossiers and wait until review has them."""
        ids = [new_id() for _ in range(count)]
        await self.intake.says_all(
            *((filing(id, self.round_id, authors or [self.author], **facts), id, 1) for id in ids)
        )
        await eventually(lambda: self.arrived(ids), what="the cases to arrive")
        return ids

    async def arrived(self, ids: Sequence[str]) -> bool:
        stored = await self.store.get_many("cases", ids)
        return len(stored) == len(ids)

    @property
    def store(self) -> Store:
        store: Store = self.running.host._store
        return store

    async def state(self, dossier_id: str) -> str:
        answer = await self.secretary.GetCase(pb.GetCaseRequest(dossier_id=dossier_id))
        return str(answer.case.state)

    async def accept(self, ids: Sequence[str]) -> Any:
        checks = [pb.Check(dossier_id=id, accept=pb.Acceptance()) for id in ids]
        return await self.secretary.CheckDossiers(pb.CheckDossiersRequest(checks=checks, checked_on="2023-05-15"))

    async def assign(self, ids: Sequence[str], *places: int) -> Any:
        reviewers = [self.members[place] for place in places or (3, 4)]
        assignments = [pb.Assignment(dossier_id=id, reviewer_ids=reviewers) for id in ids]
        request = pb.AssignReviewersRequest(assignments=assignments, assigned_on="2023-05-16")
        return await self.secretary.AssignReviewers(request)

    async def hand_in(self, ids: Sequence[str], place: int, novelty: int = 30, comment: str = "") -> Any:
        scores = [("novelty", novelty), ("applicability", 25), ("benefit", 20)]
        sheets = [
            pb.Sheet(dossier_id=id, scores=[pb.Score(criterion=c, points=p) for c, p in scores], comment=comment)
            for id in ids
        ]
        return await self.member(place).SubmitSheets(pb.SubmitSheetsRequest(sheets=sheets))

    async def ready(self, count: int = 1, **facts: Any) -> list[str]:
        """Dossiers that wait for the session."""
        ids = await self.file(count, **facts)
        await self.accept(ids)
        await self.assign(ids)
        for place in (3, 4):
            await self.hand_in(ids, place)
        return ids

    async def open_session(self, key: str = "session", *, absent: Sequence[int] = (), ids: Sequence[str] = ()) -> str:
        present = [one for place, one in enumerate(self.members) if place not in absent]
        request = pb.OpenSessionRequest(
            idempotency_key=key, round_id=self.round_id, held_on="2023-05-18", present=present, dossier_ids=ids
        )
        return str((await self.secretary.OpenSession(request)).session_id)

    async def vote(self, session_id: str, place: int, ids: Sequence[str], ballot: Any = pb.BALLOT_YES) -> Any:
        votes = [pb.Vote(dossier_id=id, ballot=ballot) for id in ids]
        return await self.member(place).CastBallots(pb.CastBallotsRequest(session_id=session_id, votes=votes))

    async def close(self, session_id: str) -> tuple[int, int]:
        answer = await self.secretary.CloseSession(pb.CloseSessionRequest(session_id=session_id))
        return answer.passed, answer.failed

    async def published(self, event_type: str) -> list[str]:
        """Bodies of what review recorded to publish, sent or not, in the order of recording."""
        return [row["body"] for row in await self.recorded({"type": event_type})]

    async def recorded(self, where: dict[str, Any]) -> list[dict[str, Any]]:
        """Outbox rows, sent or not, in the order of recording; the relay may move one while they are read."""
        rows = {
            row["_id"]: row
            for coll in ("outbox", "outbox_sent")
            for row in await self.store.find(coll, where, limit=5_000)
        }
        return [rows[id] for id in sorted(rows)]


@pytest.fixture(name="filing")
def make_filing() -> Callable[..., DossierSubmitted]:
    return filing


@pytest.fixture
def codes() -> Callable[[Any], list[str]]:
    """What became of each item of an answer: its refusal's code, `already` or `done`."""
    return lambda answer: [one.error.code or ("already" if one.already else "done") for one in answer.results]


@dataclass
class Cast:
    """The people of the district, the same over all restarts, and how to put review to work on the same data."""

    nats: NatsServer
    intake: Neighbour
    directory: DirectoryDouble
    data_dir: Path
    owner: str
    members: list[str]
    author: str
    store: dict[str, str] = field(default_factory=dict)

    def office(self, service: Any) -> Office:
        return Office(service, self.intake, list(self.members), self.author, self.owner)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[Office]:
        """Review in this process; the council is set up, its first round open."""
        async with running_service(
            SERVICE, nats_url=self.nats.url, data_dir=self.data_dir, directory=self.directory, **self.store
        ) as service:
            found = self.office(service)
            found.council_id = (await found.secretary.CreateCouncil(found.council())).council_id
            found.round_id = await found.open_round()
            yield found

    @asynccontextmanager
    async def as_process(self) -> AsyncIterator[tuple[CalledProcess, Office]]:
        """Review in a process of its own, on the same data; it is dead at the end."""
        async with called_process(
            "review", nats_url=self.nats.url, data_dir=self.data_dir, directory=self.directory
        ) as process:
            found = self.office(process)

            async def serves() -> bool:
                try:
                    found.council_id = (await found.secretary.CreateCouncil(found.council())).council_id
                    found.round_id = await found.open_round()
                except RemoteUnavailable:
                    return False
                return True

            await eventually(serves, what="the process to serve")
            yield process, found


@pytest.fixture
def cast(own_nats_server: NatsServer, intake: Neighbour, directory: DirectoryDouble, tmp_path: Path) -> Cast:
    owner = directory.add_unit("Ủy ban nhân dân quận Ba Đình", kind="QUAN")
    names = ["Nguyễn An", "Trần Bình", "Lê Chi", "Phạm Dũng", "Hoàng Én", "Vũ Giang"]
    members = [directory.add_person(name, owner) for name in names]
    author = directory.add_person("Đỗ Hà", owner)
    return Cast(own_nats_server, intake, directory, tmp_path / "review-data", owner, members, author)


@pytest.fixture
async def office(cast: Cast) -> AsyncIterator[Office]:
    async with cast.at_work() as found:
        yield found


@pytest.fixture(params=["sqlite", "mongodb"])
async def office_on_each_store(cast: Cast, request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    if request.param == "mongodb":
        uri = request.getfixturevalue("mongo_uri")
        cast.store = {"store_url": uri, "database": f"review_{new_id().lower()}"}
    async with cast.at_work() as found:
        yield found
