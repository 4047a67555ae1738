"""`sangkien.api.reporting.v1` over gRPC."""

from collections.abc import Awaitable
from typing import Any, TypeVar

from sangkien.api.reporting.v1 import reporting_pb2 as pb
from sangkien.api.reporting.v1 import reporting_pb2_grpc
from sangkien.reporting.application.ports import EventJournal, RebuildLog
from sangkien.reporting.application.rebuild_facts import RebuildFacts
from sangkien.reporting.application.report_nodes import ReportNodes
from sangkien.reporting.application.report_rewards import ReportRewards
from sangkien.reporting.application.report_rounds import ReportRounds
from sangkien.reporting.domain import NodeFigures, ReportsRebuilding, RewardFigures, RoundFigures
from sangkien.rpc import Policy

_SERVICE = "/sangkien.api.reporting.v1.ReportingService"
POLICY = Policy(
    {
        f"{_SERVICE}/GetRoundReport": {"secretary", "leader", "operator"},
        f"{_SERVICE}/GetRewardReport": {"secretary", "leader", "finance", "operator"},
        f"{_SERVICE}/GetNodeReport": {"secretary", "leader", "operator"},
        f"{_SERVICE}/GetTimeline": {"secretary", "operator"},
        f"{_SERVICE}/Rebuild": {"operator"},
    }
)
T = TypeVar("T")
_NODE_FIELDS = tuple(NodeFigures.__dataclass_fields__)
_ROUND_FIELDS = tuple(RoundFigures.__dataclass_fields__)


class ReportingServicer(reporting_pb2_grpc.ReportingServiceServicer):
    """Answers from facts and journal."""

    def __init__(
        self,
        rounds: ReportRounds,
        rewards: ReportRewards,
        nodes: ReportNodes,
        rebuild: RebuildFacts,
        journal: EventJournal,
        log: RebuildLog,
    ) -> None:
        self._rounds = rounds
        self._rewards = rewards
        self._nodes = nodes
        self._rebuild = rebuild
        self._journal = journal
        self._log = log

    async def GetRoundReport(self, request: pb.GetRoundReportRequest, context: Any) -> pb.GetRoundReportResponse:
        report = await self._whole(self._rounds(request.round_id))
        return pb.GetRoundReportResponse(
            rounds=[pb.RoundSummary(**{f: getattr(r, f) for f in _ROUND_FIELDS}) for r in report.rounds],
            events=report.events,
            as_of=int(report.as_of.timestamp()) if report.as_of else 0,
        )

    async def GetRewardReport(self, request: pb.GetRewardReportRequest, context: Any) -> pb.GetRewardReportResponse:
        rewards = await self._whole(self._rewards(request.year))
        return pb.GetRewardReportResponse(decisions=[_reward(d) for d in rewards])

    async def GetNodeReport(self, request: pb.GetNodeReportRequest, context: Any) -> pb.GetNodeReportResponse:
        report = await self._whole(self._nodes(request.year))
        return pb.GetNodeReportResponse(
            rounds=[_node(one) for one in report.rounds],
            totals=[_node(one) for one in report.totals],
            total=_node(report.total),
        )

    async def GetTimeline(self, request: pb.GetTimelineRequest, context: Any) -> pb.GetTimelineResponse:
        entries = await self._journal.of_dossier(request.dossier_id)
        return pb.GetTimelineResponse(
            entries=[pb.TimelineEntry(type=e.type, at=int(e.at.timestamp()), event_id=e.event_id) for e in entries]
        )

    async def Rebuild(self, request: pb.RebuildRequest, context: Any) -> pb.RebuildResponse:
        return pb.RebuildResponse(events=await self._rebuild())

    async def _whole(self, report: Awaitable[T]) -> T:
        """The report, unless a rebuild was under way before or after it. Raises ReportsRebuilding."""
        under_way = await self._log.progress()
        answer = await report
        if under_way or await self._log.progress():
            raise ReportsRebuilding
        return answer


def _node(figures: NodeFigures) -> pb.NodeSummary:
    return pb.NodeSummary(**{field: getattr(figures, field) for field in _NODE_FIELDS})


def _reward(figures: RewardFigures) -> pb.RewardSummary:
    return pb.RewardSummary(
        decision_id=figures.decision_id,
        symbol=figures.symbol,
        form=figures.form,
        issued_on=figures.issued_on,
        individuals=figures.individuals,
        collectives=figures.collectives,
        individuals_vnd=figures.individuals_vnd,
        collectives_vnd=figures.collectives_vnd,
        total_vnd=figures.total_vnd,
        paid_vnd=figures.paid_vnd,
        reconciled=figures.reconciled,
    )
