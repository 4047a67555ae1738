"""One council's work on one round: check, assignment, sheets, session, decision."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from sangkien.api.recognition.v1 import recognition_pb2 as rec
from sangkien.api.recognition.v1 import recognition_pb2_grpc
from sangkien.api.review.v1 import review_pb2 as rev
from sangkien.api.review.v1 import review_pb2_grpc
from sangkien.console.demo.actors import Actor, DemoFailed
from sangkien.console.demo.verdicts import ABSTAIN, NO, YES, Verdict, Verdicts
from sangkien.console.node.local import LocalNode
from sangkien.console.patience import patiently, until
from sangkien.kernel import KeyReused
from sangkien.rpc import RemoteRefusal
from sangkien.rules import Tier, score_sheet

BATCH = 500
REVIEWERS = 2
SESSION_OVER, ISSUED = "session_not_open", "decision_issued_already"
"""What a year that goes on is told at steps that an interrupted run took, and then some."""
_BALLOTS = {YES: rev.BALLOT_YES, NO: rev.BALLOT_NO, ABSTAIN: rev.BALLOT_ABSTAIN}
_ROLES = (rev.MEMBER_ROLE_CHAIR, rev.MEMBER_ROLE_VICE_CHAIR, rev.MEMBER_ROLE_SECRETARY, rev.MEMBER_ROLE_UNION)

T = TypeVar("T")
Said = Callable[[str, int, int], None]
"""Progress: what is being done, how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A council's people: secretary, the leader who signs, members in the order of their roles."""

    name: str
    tier: Tier
    owner_id: str
    secretary: Actor
    leader: Actor
    members: tuple[Actor, ...]

    def listed(self) -> list[rev.Member]:
        """Members with roles: chair, vice-chair, secretary, union, the others as experts."""
        roles = (*_ROLES, *([rev.MEMBER_ROLE_EXPERT] * len(self.members)))
        return [rev.Member(person_id=m.person_id, role=r) for m, r in zip(self.members, roles, strict=False)]


@dataclass(frozen=True, slots=True)
class Held:
    """A round that was carried to its decision."""

    decision_id: str
    symbol: str
    recognised: int
    refused: int


class CouncilWork:
    """Drives one round of one council through the public interfaces of review and recognition."""

    def __init__(self, node: LocalNode, panel: Panel, *, key: str, seed: str, said: Said) -> None:
        self._node = node
        self._panel = panel
        self._key = key
        self._seed = seed
        self._said = said
        self._review = review_pb2_grpc.ReviewServiceStub(node.channel("review", panel.secretary.token))
        self._recognition = recognition_pb2_grpc.RecognitionServiceStub(
            node.channel("recognition", panel.secretary.token)
        )

    async def cases(self, round_id: str, state: str, expected: int) -> list[rev.Case]:
        """The round's cases in a state, or in any for "", once as many as expected have arrived."""

        async def count() -> int:
            found = await self._review.GetRound(rev.GetRoundRequest(round_id=round_id))
            return sum(number for each, number in found.round.cases.items() if state in (each, ""))

        await until(
            f"{expected} dossiers in {state or 'review'}",
            count,
            lambda n: n >= expected,
            lambda n: self._said("Hồ sơ đến hội đồng", n, expected),
        )
        found: list[rev.Case] = []
        token = ""
        while True:
            request = rev.ListCasesRequest(round_id=round_id, state=state, page_size=BATCH, page_token=token)
            page = await patiently(self._review.ListCases, request)
            found.extend(page.cases)
            token = page.next_page_token
            if not token:
                return found

    async def check(self, cases: Sequence[rev.Case], on: date) -> None:
        """Accept every case."""
        checks = [rev.Check(dossier_id=c.dossier_id, accept=rev.Acceptance()) for c in cases]
        done = 0
        for part in _parts(checks):
            request = rev.CheckDossiersRequest(checks=part, checked_on=on.isoformat())
            answer = await patiently(self._review.CheckDossiers, request)
            _all_well("formal check", answer.results)
            done += len(part)
            self._said("Kiểm tra hồ sơ", done, len(checks))

    async def assign(self, cases: Sequence[rev.Case], on: date) -> dict[str, tuple[str, ...]]:
        """Two reviewers each, in turn, so that the load is even; returns reviewers by dossier."""
        members = [m.person_id for m in self._panel.members]
        chosen = {
            c.dossier_id: tuple(members[(REVIEWERS * i + k) % len(members)] for k in range(REVIEWERS))
            for i, c in enumerate(cases)
        }
        done = 0
        for part in _parts(list(chosen.items())):
            request = rev.AssignReviewersRequest(
                assignments=[rev.Assignment(dossier_id=d, reviewer_ids=r) for d, r in part], assigned_on=on.isoformat()
            )
            answer = await patiently(self._review.AssignReviewers, request)
            _all_well("assignment", answer.results)
            done += len(part)
            self._said("Phân công phản biện", done, len(chosen))
        return chosen

    async def judge(self, round_id: str, reviewers: dict[str, tuple[str, ...]], passing: int, held_on: date) -> None:
        """Sheets, session, ballots and count. Everybody acts with their own token; one member is away."""
        panel = self._panel
        present = [m.person_id for m in panel.members[: len(panel.members) - 1]]
        verdicts = Verdicts(
            self._seed,
            sheet=score_sheet("vn/ha-noi", panel.tier, held_on),
            held_on=held_on,
            members=[m.person_id for m in panel.members],
            present=present,
        ).draw(dict(reviewers), passing)
        await self._hand_in_sheets(verdicts)
        opened = await patiently(
            self._review.OpenSession,
            rev.OpenSessionRequest(
                idempotency_key=f"{self._key}:session",
                round_id=round_id,
                held_on=held_on.isoformat(),
                present=present,
            ),
        )
        if opened.agenda != len(reviewers):
            raise DemoFailed(f"the agenda has {opened.agenda} dossiers, not {len(reviewers)}")
        await self._vote(opened.session_id, verdicts, present)
        await patiently(self._review.CloseSession, rev.CloseSessionRequest(session_id=opened.session_id))

    async def decide(self, round_id: str, expected: int, *, last_number: int, on: date) -> Held:
        """Draft over everything voted on, submit, sign and issue."""
        suffix = "/QĐ-UBND"
        request_draft = rec.DraftDecisionRequest(
            idempotency_key=f"{self._key}:decision", issuer_id=self._panel.owner_id, suffix=suffix, round_id=round_id
        )

        async def candidates() -> int:
            request = rec.ListCandidatesRequest(round_id=round_id, page_size=1_000)
            found = len((page := await self._recognition.ListCandidates(request)).candidates)
            while page.next_page_token:
                request = rec.ListCandidatesRequest(round_id=round_id, page_size=1_000, page_token=page.next_page_token)
                page = await self._recognition.ListCandidates(request)
                found += len(page.candidates)
            return found

        if not await self._drafted(request_draft):
            await until(
                f"{expected} dossiers at recognition",
                candidates,
                lambda n: n >= expected,
                lambda n: self._said("Kết quả họp chuyển sang công nhận", n, expected),
            )
        await patiently(
            self._recognition.OpenRegister,
            rec.OpenRegisterRequest(
                issuer_id=self._panel.owner_id, suffix=suffix, year=on.year, last_number=last_number
            ),
        )
        draft = await patiently(self._recognition.DraftDecision, request_draft)
        submit = rec.SubmitDecisionRequest(decision_id=draft.decision_id)
        await _unless(ISSUED, patiently(self._recognition.SubmitDecision, submit))
        signing = recognition_pb2_grpc.RecognitionServiceStub(
            self._node.channel("recognition", self._panel.leader.token)
        )
        request = rec.IssueDecisionRequest(
            decision_id=draft.decision_id, issued_on=on.isoformat(), signing_mode="TM", signer_title="Chủ tịch"
        )
        issued = await patiently(signing.IssueDecision, request)
        self._said(f"Quyết định {issued.symbol}", expected, expected)
        return Held(draft.decision_id, issued.symbol, draft.recognised, draft.refused)

    async def _drafted(self, draft: rec.DraftDecisionRequest) -> bool:
        """Whether an interrupted run drafted the decision, which took the candidates that would be waited for.

        Its key is taken then. The question drafts nothing: it names a dossier that does not exist.
        """
        question = rec.DraftDecisionRequest()
        question.CopyFrom(draft)
        question.dossier_ids.append("none")
        try:
            await patiently(self._recognition.DraftDecision, question)
        except RemoteRefusal as refused:
            return bool(refused.code == KeyReused.code)
        return False

    async def _hand_in_sheets(self, verdicts: Sequence[Verdict]) -> None:
        done, total = 0, sum(len(v.points) for v in verdicts)
        for member in self._panel.members:
            review = review_pb2_grpc.ReviewServiceStub(self._node.channel("review", member.token))
            sheets = [
                rev.Sheet(
                    dossier_id=v.dossier_id,
                    scores=[rev.Score(criterion=c, points=p) for c, p in v.points[member.person_id].items()],
                )
                for v in verdicts
                if member.person_id in v.points
            ]
            for part in _parts(sheets):
                request = rev.SubmitSheetsRequest(sheets=part)
                answer = await patiently(review.SubmitSheets, request)
                _all_well("score sheets", answer.results)
                done += len(part)
                self._said("Phiếu chấm điểm", done, total)

    async def _vote(self, session_id: str, verdicts: Sequence[Verdict], present: Sequence[str]) -> None:
        """Members vote at the same time, each for all dossiers. A session that is over has all of their votes."""
        done, total = 0, len(verdicts) * len(present)

        async def vote(member: Actor) -> None:
            nonlocal done
            review = review_pb2_grpc.ReviewServiceStub(self._node.channel("review", member.token))
            votes = [rev.Vote(dossier_id=v.dossier_id, ballot=_BALLOTS[v.ballots[member.person_id]]) for v in verdicts]
            for part in _parts(votes):
                request = rev.CastBallotsRequest(session_id=session_id, votes=part)
                answer = await _unless(SESSION_OVER, patiently(review.CastBallots, request))
                _all_well("ballots", answer.results if answer else ())
                done += len(part)
                self._said("Phiếu biểu quyết", done, total)

        await asyncio.gather(*(vote(member) for member in self._panel.members if member.person_id in present))


def after(day: date, days: int) -> date:
    """A later day."""
    return day + timedelta(days=days)


async def _unless(past: str, call: Awaitable[T]) -> T | None:
    """What is answered; None when the call is refused with this code, since an interrupted run got past this step."""
    try:
        return await call
    except RemoteRefusal as refused:
        if refused.code != past:
            raise
        return None


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _all_well(step: str, results: Sequence[Any]) -> None:
    refused = [r for r in results if r.HasField("error")]
    if refused:
        raise DemoFailed(f"{step}: {len(refused)} of {len(results)} refused, the first: {refused[0].error.message_vi}")
