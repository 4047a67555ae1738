"""An enterprise on a node of its own: its grassroots council recognises, and what is best goes up to the city's."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from sangkien.api.directory.v1 import directory_pb2 as dir_pb
from sangkien.api.exchange.v1 import exchange_pb2
from sangkien.api.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from sangkien.api.hub.v1 import hub_pb2
from sangkien.api.hub.v1.hub_pb2_grpc import HubServiceStub
from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.api.recognition.v1.recognition_pb2_grpc import RecognitionServiceStub
from sangkien.api.review.v1 import review_pb2 as rev
from sangkien.api.review.v1.review_pb2_grpc import ReviewServiceStub
from sangkien.console.demo.actors import STOOD_SINCE, Actor
from sangkien.console.demo.cast import Casting
from sangkien.console.demo.council import CouncilWork, Panel, after
from sangkien.console.demo.places import Place
from sangkien.console.demo.register import Register
from sangkien.console.demo.scenario import load_scenario
from sangkien.console.node.bundle import parse_bundle
from sangkien.console.node.folder import Chosen, NodeFolder
from sangkien.console.node.joining import join
from sangkien.console.node.local import LocalNode, local_node
from sangkien.console.node.plan import Options
from sangkien.console.node.profiles import PROFILES
from sangkien.console.patience import patiently
from sangkien.rules import Tier
from sangkien.testkit.eventually import eventually
from sangkien.testkit.holdings import sqlite_documents

CITY, COMPANY = "ha-noi", "dien-quang"
FIRM = "Công ty Điện Quang"
FILED, RECOGNISED = 3, 2
TITLES = [
    "Cải tiến đồ gá hàn khung tủ điện",
    "Thu hồi nhiệt khí thải lò sấy sơn",
    "Bảng nhắc bảo trì dây chuyền đóng gói",
]


@dataclass(frozen=True, slots=True)
class Council:
    """A council at work on one round at its own node."""

    place: Place
    panel: Panel
    round_id: str


@asynccontextmanager
async def running(home: NodeFolder, profile: str) -> AsyncIterator[Place]:
    options = Options(PROFILES[profile].services, one_process=True)
    async with local_node(home, options, always_own=True) as node:
        yield Place(node)


async def seat(place: Place, tier: Tier, kind: str, owner_name: str, opens: str, closes: str) -> Council:
    """An organisation, its council of nine and an open round."""
    name = f"Hội đồng sáng kiến {owner_name}"
    casting = Casting(load_scenario("ba-dinh-2023"), seed=7)
    [owner] = await place.registrar.units([dir_pb.NewOrganisation(kind=kind, name=owner_name, valid_from=STOOD_SINCE)])

    async def staff(job: str, role: str) -> Actor:
        return await place.registrar.actor(casting.person(job), owner, [role])

    secretary, leader = await staff("Thư ký", "secretary"), await staff("Giám đốc", "leader")
    members = tuple([await staff("Ủy viên hội đồng", "council_member") for _ in range(9)])
    panel = Panel(name, tier, owner, secretary, leader, members)
    review = ReviewServiceStub(place.node.channel("review", secretary.token))
    council = await patiently(
        review.CreateCouncil,
        rev.CreateCouncilRequest(
            idempotency_key=f"{tier}-council", name=name, tier=tier, owner_id=owner, established_by="12/QĐ",
            established_on="2023-01-05", members=panel.listed(), sheet="vn/ha-noi",
        ),
    )  # fmt: skip
    opened = await patiently(
        review.OpenRound,
        rev.OpenRoundRequest(
            idempotency_key=f"{tier}-round", council_id=council.council_id, name="Năm 2023", opens_on=opens,
            closes_on=closes,
        ),
    )  # fmt: skip
    return Council(place, panel, opened.round_id)


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[tuple[Place, Place]]:
    """The city with the hub, and the enterprise that joined it."""
    async with AsyncExitStack() as stack:
        home = NodeFolder(tmp_path / CITY)
        home.identity(CITY)
        home.choose(Chosen(profile="city", name="Thành phố Hà Nội"))
        city = await stack.enter_async_context(running(home, "city"))
        hub = HubServiceStub(city.node.channel("hub", city.node.operator()))
        asked = hub_pb2.InviteNodeRequest(node=COMPANY, name=FIRM, profile="enterprise", parent=CITY)
        invited = await patiently(hub.InviteNode, asked)
        own = NodeFolder(tmp_path / COMPANY)
        await join(own, parse_bundle(invited.bundle, COMPANY))
        company = await stack.enter_async_context(running(own, "enterprise"))
        await patiently(exchange_of(company.node).Echo, exchange_pb2.EchoRequest(wait_s=20))
        yield city, company


def exchange_of(node: LocalNode) -> ExchangeServiceStub:
    return ExchangeServiceStub(node.channel("exchange", node.operator()))


async def file(council: Council, drafts: list[pb.Draft], officer: Actor) -> list[str]:
    intake = IntakeServiceStub(council.place.node.channel("intake", officer.token))
    requests = [
        pb.FileDossierRequest(idempotency_key=f"{draft.round_id}-{number}", dossier=draft)
        for number, draft in enumerate(drafts)
    ]
    return [(await patiently(intake.FileDossier, request)).dossier_id for request in requests]


async def recognise_at_home(council: Council, officer: Actor, author: str) -> list[pb.Draft]:
    """Three dossiers through the enterprise's own council; what it recognised, as drafts for the city's."""
    drafts = [
        pb.Draft(
            round_id=council.round_id, title=title, field="Công nghiệp", unit_id=council.panel.owner_id,
            authors=[pb.Author(person_id=author, share=10_000)], first_applied_on="2023-01-10", filed_on="2023-03-01",
            summary="Đã dùng tại xưởng 2.",
        )
        for title in TITLES
    ]  # fmt: skip
    await file(council, drafts, officer)
    node, panel = council.place.node, council.panel
    work = CouncilWork(node, panel, key="nha-may", seed="nha-may", said=lambda *_: None)
    cases = await work.cases(council.round_id, "", FILED)
    review = ReviewServiceStub(node.channel("review", panel.secretary.token))
    await patiently(review.CloseRound, rev.CloseRoundRequest(round_id=council.round_id, closed_on="2023-03-06"))
    day = date(2023, 3, 6)
    await work.check(cases, day)
    await work.judge(council.round_id, await work.assign(cases, day), RECOGNISED, after(day, 10))
    held = await work.decide(council.round_id, FILED, last_number=0, on=after(day, 12))
    assert (held.recognised, held.refused) == (RECOGNISED, FILED - RECOGNISED)
    register = Register(RecognitionServiceStub(node.channel("recognition", panel.secretary.token)))
    return [
        pb.Draft(
            tier=pb.TIER_CITY, initiative_id=each.initiative_id, title=each.title, field="Sáng kiến Thủ đô",
            unit_id=panel.owner_id, authors=[pb.Author(person_id=author, share=10_000)], filed_on="2023-04-02",
            summary=f"Đã được công nhận tại Quyết định {each.decision_symbol}.",
        )
        for each in await register.recognised([council.round_id])
    ]  # fmt: skip


async def test_enterprise_recognises_at_its_own_council_and_sends_the_best_up(
    nodes: tuple[Place, Place], tmp_path: Path
) -> None:
    city, company = nodes
    above = await seat(city, "city", "UBND_TP", "Thành phố Hà Nội", "2023-04-01", "2023-04-30")
    home = await seat(company, "grassroots", "DOANH_NGHIEP", FIRM, "2023-02-01", "2023-03-05")
    await city.registrar.units([dir_pb.NewOrganisation(kind="DOANH_NGHIEP", name=FIRM, valid_from=STOOD_SINCE)])
    casting = Casting(load_scenario("ba-dinh-2023"), seed=8)
    officer = await company.registrar.actor(casting.person("Cán bộ"), home.panel.owner_id, ["union_officer"])
    author = await company.registrar.person(casting.person("Kỹ sư"), home.panel.owner_id)

    best = await recognise_at_home(home, officer, author)
    for draft in best:
        draft.round_id = above.round_id
    sent = await file(home, best, officer)

    def arrived() -> list[str]:
        cases = sqlite_documents(tmp_path / CITY)("review", "cases")
        return sorted(each["facts"]["initiative_id"] for each in cases if each["tier"] == "city")

    await eventually(arrived, value=sorted(draft.initiative_id for draft in best))
    here = {each["_id"]: each for each in sqlite_documents(tmp_path / COMPANY)("intake", "dossiers")}
    assert len(sent) == RECOGNISED
    assert {here[id]["competent_node"] for id in sent} == {CITY}
    assert [each["competent_node"] for id, each in here.items() if id not in sent] == [""] * FILED
