import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.ops.v1 import ops_pb2, ops_pb2_grpc
from sangkien.api.reporting.v1 import reporting_pb2 as pb
from sangkien.api.reporting.v1.reporting_pb2_grpc import ReportingServiceStub
from sangkien.contracts import events as ev
from sangkien.reporting.bootstrap import SERVICE
from sangkien.rpc import RemoteRefusal
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import directory_double
from sangkien.testkit.neighbour import Neighbour, neighbour
from sangkien.testkit.service import RunningService, running_service

DAY = date(2023, 6, 1)
AUTHORS = (ev.AuthorShare(person_id="local:A", share=10_000),)


def submitted(dossier_id: str) -> ev.DossierSubmitted:
    return ev.DossierSubmitted(
        dossier_id=dossier_id,
        version=1,
        code=f"SK-{dossier_id}",
        round_id="R1",
        tier="district",
        title="Lịch sử 7",
        field="giao-duc",
        unit_id="local:U",
        authors=AUTHORS,
        filed_on=DAY,
        first_applied_on=None,
        answer_due=DAY,
    )


def accepted(dossier_id: str) -> ev.DossierAccepted:
    return ev.DossierAccepted(
        dossier_id=dossier_id, dossier_version=1, round_id="R1", author_ids=("local:A",), accepted_on=DAY, decide_by=DAY
    )


def voted(dossier_id: str, outcome: str) -> ev.DossierVoted:
    return ev.DossierVoted(
        dossier_id=dossier_id,
        round_id="R1",
        session_id="S1",
        council_id="C1",
        tier="district",
        outcome=outcome,
        members=9,
        yes=7,
        no=2,
        abstained=0,
        mean_score_tenths=801,
        held_on=DAY,
        rule_set="vn",
        title="Lịch sử 7",
        field="giao-duc",
        unit_id="local:U",
        authors=AUTHORS,
    )


def entitlement(number: int, holder: str, amount: int) -> ev.EntitlementGranted:
    return ev.EntitlementGranted(
        entitlement_id=f"E{number}",
        decision_id="D1",
        decision_symbol="3034/QĐ-UBND",
        form="giay-khen-quan",
        holder=holder,
        holder_id=f"local:{number}",
        amount_vnd=amount,
        granted_on=DAY,
    )


OPENED = ev.RoundOpened(
    round_id="R1",
    council_id="C1",
    name="Đợt 1",
    tier="district",
    owner_id="local:Q",
    group="giáo dục",
    opens_on=DAY,
    closes_on=DAY,
)
REWARDED = ev.RewardDecisionIssued(
    decision_id="D1",
    number=3034,
    symbol="3034/QĐ-UBND",
    form="giay-khen-quan",
    issued_on=date(2023, 12, 20),
    issuer_id="local:Q",
    rule_set="vn.nd-91",
    individuals=1,
    collectives=1,
    total_vnd=1_620_000,
)
WITHDRAWN = ev.DossierWithdrawn(dossier_id="X3", version=1, withdrawn_on=DAY, round_id="R1")
AWAY = submitted("AWAY").model_copy(update={"round_id": "THEIRS", "competent_node": "hanoi"})
"""Filed here, decided at another node: no figure of this node counts it."""
TAKEN_BACK = ev.DossierWithdrawn(
    dossier_id="AWAY", version=1, withdrawn_on=DAY, round_id="THEIRS", competent_node="hanoi"
)


def below(node: str, decision: str, tier: Any, recognised: int, refused: int, on: date) -> ev.ForeignDecisionSummarised:
    return ev.ForeignDecisionSummarised(
        node=node,
        decision_id=decision,
        symbol=decision,
        round_id="R1",
        round_name="Đợt của quận",
        tier=tier,
        recognised=recognised,
        refused=refused,
        issued_on=on,
    )


LATER = date(2024, 1, 15)
STORY: tuple[tuple[ev.Event, str], ...] = (
    (OPENED, "R1"),
    (AWAY, "AWAY"),
    (TAKEN_BACK, "AWAY"),
    *((submitted(f"X{n}"), f"X{n}") for n in range(4)),
    *((accepted(f"X{n}"), f"X{n}") for n in range(3)),
    (WITHDRAWN, "X3"),
    (voted("X0", "passed"), "X0"),
    (voted("X1", "failed"), "X1"),
    (REWARDED, "D1"),
    (entitlement(1, "individual", 540_000), "D1"),
    (entitlement(2, "collective", 1_080_000), "D1"),
    (below("ba-dinh", "Q1", "district", 5, 1, DAY), "Q1"),
    (below("ba-dinh", "Q2", "district", 2, 0, LATER), "Q2"),
    (below("ba-dinh", "Q3", "grassroots", 7, 0, DAY), "Q3"),
    (below("tay-ho", "Q1", "district", 3, 2, DAY), "Q1"),
)
NODES = (
    pb.NodeSummary(
        node="ba-dinh", round_id="R1", round_name="Đợt của quận", tier="district", decisions=2, recognised=7, refused=1,
        last_issued_on="2024-01-15",
    ),
    pb.NodeSummary(
        node="ba-dinh", round_id="R1", round_name="Đợt của quận", tier="grassroots", decisions=1, recognised=7,
        last_issued_on="2023-06-01",
    ),
    pb.NodeSummary(
        node="tay-ho", round_id="R1", round_name="Đợt của quận", tier="district", decisions=1, recognised=3, refused=2,
        last_issued_on="2023-06-01",
    ),
)  # fmt: skip
ROUND = pb.RoundSummary(
    round_id="R1",
    name="Đợt 1",
    group="giáo dục",
    tier="district",
    filed=3,
    accepted=3,
    withdrawn=1,
    passed=1,
    failed=1,
)
REWARD = pb.RewardSummary(
    decision_id="D1",
    symbol="3034/QĐ-UBND",
    form="giay-khen-quan",
    issued_on="2023-12-20",
    individuals=1,
    collectives=1,
    individuals_vnd=540_000,
    collectives_vnd=1_080_000,
    total_vnd=1_620_000,
    reconciled=True,
)


@dataclass
class Scene:
    service: RunningService
    neighbours: dict[str, Neighbour]

    @property
    def reports(self) -> ReportingServiceStub:
        return ReportingServiceStub(self.service.channel("local:O", ["operator"]))

    async def say(self, story: Sequence[tuple[ev.Event, str]]) -> None:
        for event, about in story:
            await self.neighbours[ev.service_of(event.TYPE)].says(event, about)

    async def journalled(self, count: int) -> pb.GetRoundReportResponse:
        await eventually(lambda: self._has(count))
        return await self.reports.GetRoundReport(pb.GetRoundReportRequest())

    async def _has(self, count: int) -> bool:
        report = await self.reports.GetRoundReport(pb.GetRoundReportRequest())
        status = await ops_pb2_grpc.OpsServiceStub(self.service.channel("local:O", ["operator"])).GetStatus(
            ops_pb2.GetStatusRequest()
        )
        return report.events == count and all(c.pending + c.unacknowledged == 0 for c in status.consumers)


@pytest.fixture
async def scene(own_nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        directory = await stack.enter_async_context(directory_double())
        url = own_nats_server.url
        neighbours = {
            name: await stack.enter_async_context(neighbour(name, nats_url=url, data_dir=tmp_path))
            for name in ("intake", "review", "reward", "exchange")
        }
        service = await stack.enter_async_context(
            running_service(SERVICE, nats_url=url, data_dir=tmp_path, directory=directory)
        )
        yield Scene(service, neighbours)


async def test_report_counts_each_fact_once_whatever_comes_twice_or_in_another_order(scene: Scene) -> None:
    shuffled = list(STORY)
    random.Random(7).shuffle(shuffled)

    for event, about in shuffled:
        publisher = scene.neighbours[ev.service_of(event.TYPE)]
        event_id = await publisher.says(event, about)
        await publisher.repeats(event, about, event_id=event_id)
    report = await scene.journalled(len(STORY))

    nodes = await scene.reports.GetNodeReport(pb.GetNodeReportRequest())
    assert (list(report.rounds), tuple(nodes.rounds)) == ([ROUND], NODES)
    assert [(one.node, one.recognised, one.refused) for one in nodes.totals] == [("ba-dinh", 14, 1), ("tay-ho", 3, 2)]
    assert nodes.total == pb.NodeSummary(decisions=4, recognised=17, refused=3, last_issued_on="2024-01-15")
    of_2024 = await scene.reports.GetNodeReport(pb.GetNodeReportRequest(year=2024))
    assert [(one.node, one.recognised) for one in of_2024.rounds] == [("ba-dinh", 2)]


async def test_reward_report_sums_entitlements_and_reconciles(scene: Scene) -> None:
    await scene.say(STORY)
    await scene.journalled(len(STORY))

    report = await scene.reports.GetRewardReport(pb.GetRewardReportRequest(year=2023))

    assert list(report.decisions) == [REWARD]
    assert not (await scene.reports.GetRewardReport(pb.GetRewardReportRequest(year=2024))).decisions


async def test_rebuild_from_the_journal_gives_the_same_report(scene: Scene) -> None:
    await scene.say(STORY)
    before = await scene.journalled(len(STORY))
    nodes = await scene.reports.GetNodeReport(pb.GetNodeReportRequest())

    rebuilt = await scene.reports.Rebuild(pb.RebuildRequest())

    assert (rebuilt.events, tuple(nodes.rounds)) == (len(STORY), NODES)
    assert await scene.reports.GetNodeReport(pb.GetNodeReportRequest()) == nodes
    assert await scene.reports.GetRoundReport(pb.GetRoundReportRequest()) == before
    assert list((await scene.reports.GetRewardReport(pb.GetRewardReportRequest())).decisions) == [REWARD]


async def test_timeline_tells_one_dossier_and_no_other(scene: Scene) -> None:
    await scene.say(STORY)
    await scene.journalled(len(STORY))

    timeline = await scene.reports.GetTimeline(pb.GetTimelineRequest(dossier_id="X0"))

    assert sorted(entry.type for entry in timeline.entries) == [
        ev.DossierSubmitted.TYPE,
        ev.DossierAccepted.TYPE,
        ev.DossierVoted.TYPE,
    ]


async def test_report_is_refused_to_authors(scene: Scene) -> None:
    author = ReportingServiceStub(scene.service.channel("local:A", ["author"]))

    with pytest.raises(RemoteRefusal) as refused:
        await author.GetRoundReport(pb.GetRoundReportRequest())

    assert refused.value.code == "role_missing"


async def test_event_that_does_not_parse_is_put_aside_and_the_stream_goes_on(scene: Scene) -> None:
    js = scene.neighbours["intake"].bus.jetstream
    headers = {
        "ce-id": "01HF0BAD000000000000000001",
        "ce-type": ev.DossierSubmitted.TYPE,
        "ce-subject": "X9",
        "ce-time": "2023-06-01T00:00:00+00:00",
        "x-aggregate-version": "1",
    }
    await js.publish(ev.DossierSubmitted.TYPE, b'{"dossier_id": 7', stream="EV_INTAKE", headers=headers, timeout=60)
    await scene.say(STORY)
    await scene.journalled(len(STORY))

    operations = ops_pb2_grpc.OpsServiceStub(scene.service.channel("local:O", ["operator"]))
    letters = (await operations.ListDeadLetters(ops_pb2.ListDeadLettersRequest())).dead_letters

    assert [(letter.consumer, letter.reason) for letter in letters] == [("reporting__intake", "undecodable")]
