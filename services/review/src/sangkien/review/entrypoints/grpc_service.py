"""Review over gRPC: decode, one use case, encode."""

from dataclasses import dataclass
from typing import Any, Final

from sangkien.api.review.v1 import review_pb2 as pb
from sangkien.api.review.v1 import review_pb2_grpc
from sangkien.review.application.assign_reviewers import Assignment, AssignReviewers
from sangkien.review.application.cast_ballots import CastBallots, Vote
from sangkien.review.application.check_dossiers import CheckDossiers
from sangkien.review.application.close_round import CloseRound
from sangkien.review.application.close_session import CloseSession
from sangkien.review.application.create_council import CreateCouncil, NewCouncil
from sangkien.review.application.declare_conflicts import DeclareConflicts
from sangkien.review.application.open_round import NewRound, OpenRound
from sangkien.review.application.open_session import NewSession, OpenSession
from sangkien.review.application.read_cases import ReadCases, Viewer
from sangkien.review.application.reform_council import NewFormation, ReformCouncil
from sangkien.review.application.render_minutes import RenderMinutes
from sangkien.review.application.submit_sheets import SubmitSheets
from sangkien.review.entrypoints import decoding, encoding
from sangkien.rpc import Policy, page_size, principal

_SECRETARY: Final = frozenset({"secretary"})
_MEMBER: Final = frozenset({"council_member"})
_READERS: Final = frozenset({"secretary", "council_member", "leader", "operator", "service"})
_FILERS_TOO: Final = _READERS | {"union_officer"}
_MOST_ROUNDS: Final = 100
"""On a page: the cases of every one are counted."""

POLICY: Final = Policy(
    {
        f"/sangkien.api.review.v1.ReviewService/{method}": roles
        for method, roles in {
            "CreateCouncil": _SECRETARY,
            "ReformCouncil": _SECRETARY,
            "OpenRound": _SECRETARY,
            "CloseRound": _SECRETARY,
            "CheckDossiers": _SECRETARY,
            "DeclareConflicts": _SECRETARY | _MEMBER,
            "AssignReviewers": _SECRETARY,
            "SubmitSheets": _MEMBER,
            "OpenSession": _SECRETARY,
            "CastBallots": _MEMBER,
            "CloseSession": _SECRETARY,
            "GetMinutes": frozenset({"secretary", "council_member", "leader"}),
            "GetCase": _READERS,
            "ListCases": _READERS,
            "MayJudge": frozenset({"service"}),
            "GetRound": _FILERS_TOO,
            "ListRounds": _FILERS_TOO,
        }.items()
    }
)


@dataclass(frozen=True, slots=True)
class UseCases:
    """All that can be asked of review."""

    create_council: CreateCouncil
    reform_council: ReformCouncil
    open_round: OpenRound
    close_round: CloseRound
    check: CheckDossiers
    declare: DeclareConflicts
    assign: AssignReviewers
    submit: SubmitSheets
    open_session: OpenSession
    cast: CastBallots
    close_session: CloseSession
    minutes: RenderMinutes
    read: ReadCases


def _viewer() -> Viewer:
    caller = principal()
    offices = caller.roles & (_READERS - _MEMBER)
    return Viewer("" if caller.is_service else caller.subject, judges=not offices)


class ReviewServicer(review_pb2_grpc.ReviewServiceServicer):
    """Serves `sangkien.api.review.v1`."""

    def __init__(self, use: UseCases, *, jurisdiction: str) -> None:
        self._use = use
        self._jurisdiction = jurisdiction

    async def CreateCouncil(self, request: pb.CreateCouncilRequest, context: Any) -> pb.CreateCouncilResponse:
        command = NewCouncil(
            key=request.idempotency_key,
            name=decoding.line(request.name),
            tier=request.tier,
            owner_id=request.owner_id,
            established_by=decoding.line(request.established_by),
            established_on=decoding.day(request.established_on, "established_on"),
            members=decoding.members(request.members),
            jurisdiction=decoding.jurisdiction(request.sheet, self._jurisdiction),
        )
        return pb.CreateCouncilResponse(council_id=await self._use.create_council(command))

    async def ReformCouncil(self, request: pb.ReformCouncilRequest, context: Any) -> pb.ReformCouncilResponse:
        command = NewFormation(
            council_id=request.council_id,
            established_by=decoding.line(request.established_by),
            established_on=decoding.day(request.established_on, "established_on"),
            members=decoding.members(request.members),
        )
        await self._use.reform_council(command)
        return pb.ReformCouncilResponse()

    async def OpenRound(self, request: pb.OpenRoundRequest, context: Any) -> pb.OpenRoundResponse:
        command = NewRound(
            key=request.idempotency_key,
            council_id=request.council_id,
            name=decoding.line(request.name),
            group=decoding.line(request.group),
            opens_on=decoding.day(request.opens_on, "opens_on"),
            closes_on=decoding.day(request.closes_on, "closes_on"),
            evidence_due=decoding.maybe_day(request.evidence_due, "evidence_due"),
        )
        return pb.OpenRoundResponse(round_id=await self._use.open_round(command))

    async def CloseRound(self, request: pb.CloseRoundRequest, context: Any) -> pb.CloseRoundResponse:
        await self._use.close_round(request.round_id, decoding.maybe_day(request.closed_on, "closed_on"))
        return pb.CloseRoundResponse()

    async def CheckDossiers(self, request: pb.CheckDossiersRequest, context: Any) -> pb.CheckDossiersResponse:
        checks = [decoding.check(one) for one in request.checks]
        on = decoding.maybe_day(request.checked_on, "checked_on")
        outcomes = await self._use.check(checks, on, principal().person_id)
        return pb.CheckDossiersResponse(results=encoding.results((one.dossier_id for one in checks), outcomes))

    async def DeclareConflicts(self, request: pb.DeclareConflictsRequest, context: Any) -> pb.DeclareConflictsResponse:
        outcomes = await self._use.declare(list(request.dossier_ids), principal().person_id)
        return pb.DeclareConflictsResponse(results=encoding.results(request.dossier_ids, outcomes))

    async def AssignReviewers(self, request: pb.AssignReviewersRequest, context: Any) -> pb.AssignReviewersResponse:
        assignments = [Assignment(one.dossier_id, tuple(one.reviewer_ids)) for one in request.assignments]
        on = decoding.maybe_day(request.assigned_on, "assigned_on")
        due = decoding.maybe_day(request.due, "due")
        outcomes = await self._use.assign(assignments, on, due, principal().person_id)
        return pb.AssignReviewersResponse(results=encoding.results((one.dossier_id for one in assignments), outcomes))

    async def SubmitSheets(self, request: pb.SubmitSheetsRequest, context: Any) -> pb.SubmitSheetsResponse:
        sheets = [decoding.sheet(one) for one in request.sheets]
        outcomes = await self._use.submit(sheets, principal().person_id)
        return pb.SubmitSheetsResponse(results=encoding.results((one.dossier_id for one in sheets), outcomes))

    async def OpenSession(self, request: pb.OpenSessionRequest, context: Any) -> pb.OpenSessionResponse:
        command = NewSession(
            key=request.idempotency_key,
            round_id=request.round_id,
            held_on=decoding.maybe_day(request.held_on, "held_on"),
            present=tuple(request.present),
            dossier_ids=tuple(request.dossier_ids),
        )
        session_id, agenda = await self._use.open_session(command)
        return pb.OpenSessionResponse(session_id=session_id, agenda=agenda)

    async def CastBallots(self, request: pb.CastBallotsRequest, context: Any) -> pb.CastBallotsResponse:
        votes = [Vote(one.dossier_id, decoding.choice(one.ballot)) for one in request.votes]
        outcomes = await self._use.cast(request.session_id, votes, principal().person_id)
        return pb.CastBallotsResponse(results=encoding.results((one.dossier_id for one in votes), outcomes))

    async def CloseSession(self, request: pb.CloseSessionRequest, context: Any) -> pb.CloseSessionResponse:
        passed, failed = await self._use.close_session(request.session_id)
        return pb.CloseSessionResponse(passed=passed, failed=failed)

    async def GetMinutes(self, request: pb.GetMinutesRequest, context: Any) -> pb.GetMinutesResponse:
        return pb.GetMinutesResponse(pdf=await self._use.minutes(request.session_id, principal().person_id))

    async def GetCase(self, request: pb.GetCaseRequest, context: Any) -> pb.GetCaseResponse:
        viewer = _viewer()
        case = await self._use.read.case(request.dossier_id, viewer)
        return pb.GetCaseResponse(case=encoding.case_message(case, viewer))

    async def ListCases(self, request: pb.ListCasesRequest, context: Any) -> pb.ListCasesResponse:
        viewer = _viewer()
        cases, token = await self._use.read.cases(
            request.round_id, request.state, page_size(request.page_size), request.page_token, viewer
        )
        return pb.ListCasesResponse(cases=[encoding.case_message(one, viewer) for one in cases], next_page_token=token)

    async def MayJudge(self, request: pb.MayJudgeRequest, context: Any) -> pb.MayJudgeResponse:
        return pb.MayJudgeResponse(allowed=await self._use.read.may_judge(request.dossier_id, request.person_id))

    async def GetRound(self, request: pb.GetRoundRequest, context: Any) -> pb.GetRoundResponse:
        found, counts = await self._use.read.round(request.round_id, _viewer())
        return pb.GetRoundResponse(round=encoding.round_message(found, counts))

    async def ListRounds(self, request: pb.ListRoundsRequest, context: Any) -> pb.ListRoundsResponse:
        size = min(page_size(request.page_size), _MOST_ROUNDS)
        found, token = await self._use.read.rounds(size, request.page_token, _viewer())
        rounds = [encoding.round_message(one, counts) for one, counts in found]
        return pb.ListRoundsResponse(rounds=rounds, next_page_token=token)
