from collections.abc import Callable
from datetime import date

import pytest

from sangkien.kernel import Refusal
from sangkien.kernel.numbering import Numbered
from sangkien.recognition.domain.candidate import Author, Candidate, Vote
from sangkien.recognition.domain.decision import Decision, Issue, State
from sangkien.recognition.domain.errors import (
    CandidateTaken,
    DecisionIssuedAlready,
    DecisionIssuedOtherwise,
    DecisionNotIssued,
    DecisionNotSubmitted,
    DecisionStillDrafted,
    IssuedBeforeVote,
    IssuedInFuture,
    NotTheIssuer,
    RecognitionTextMalformed,
    RoundWithoutCandidates,
    SignedForMismatch,
    SignerDrafted,
    SigningModeUnknown,
    VoteAfterDraft,
)
from sangkien.recognition.domain.events import DecisionSigned
from sangkien.recognition.domain.signature import Authority, Issuer, Signature

VOTED, ISSUED, TODAY = date(2023, 11, 20), date(2023, 12, 20), date(2024, 1, 5)
AUTHORITY = Authority("TM", "Chủ tịch")


def candidate(dossier_id: str = "D1", *, passed: bool = True, initiative_id: str = "", on: date = VOTED) -> Candidate:
    authors = (Author("hn:A", 10_000),)
    vote = Vote(dossier_id, "R1", "district", passed, on, "rules", "Tên", "", "hn:U", authors, initiative_id)
    return Candidate(vote, 5, "")


def draft(*, collected: bool = True) -> Decision:
    decision = Decision.draft(
        "DEC",
        issuer_id="hn:I",
        suffix="/QĐ-UBND",
        round_id="R1",
        grounds=(),
        drafted_by="hn:S",
        organisation="hn:I",
    )
    decision.collect([candidate()], (), last=collected)
    return decision


def submitted() -> Decision:
    decision = draft()
    decision.submit("hn:S2", "hn:I")
    return decision


def issue() -> Issue:
    return Issue(
        Numbered(3034, "3034/QĐ-UBND"), ISSUED, Issuer("UBND"), Signature("hn:L", "Lan", AUTHORITY), (), "Sáng kiến"
    )


def issued() -> Decision:
    decision = submitted()
    decision.sign(issue())
    return decision


@pytest.mark.parametrize(
    ("begin", "move", "error"),
    [
        (lambda: draft(collected=False), lambda d: d.submit("hn:S", "hn:I"), DecisionStillDrafted),
        (draft, lambda d: d.submit("hn:S", "hn:OTHER"), NotTheIssuer),
        (draft, lambda d: d.check_signable("hn:L", "hn:I", ISSUED, TODAY), DecisionNotSubmitted),
        (draft, lambda d: d.sign(issue()), DecisionNotSubmitted),
        (draft, lambda d: d.standing(), DecisionNotIssued),
        (draft, lambda d: d.finish(1), DecisionNotIssued),
        (draft, lambda d: d.confirm_issued("hn:L", AUTHORITY, ISSUED), DecisionNotIssued),
        (submitted, lambda d: d.check_signable("hn:L", "hn:OTHER", ISSUED, TODAY), NotTheIssuer),
        (submitted, lambda d: d.check_signable("hn:S", "hn:I", ISSUED, TODAY), SignerDrafted),
        (submitted, lambda d: d.check_signable("hn:S2", "hn:I", ISSUED, TODAY), SignerDrafted),
        (submitted, lambda d: d.check_signable("hn:L", "hn:I", date(2023, 11, 19), TODAY), IssuedBeforeVote),
        (submitted, lambda d: d.check_signable("hn:L", "hn:I", date(2024, 1, 6), TODAY), IssuedInFuture),
        (submitted, lambda d: d.finish(1), DecisionNotIssued),
        (issued, lambda d: d.collect([candidate("D2")], (), last=True), DecisionIssuedAlready),
        (issued, lambda d: d.submit("hn:S", "hn:I"), DecisionIssuedAlready),
        (issued, lambda d: d.check_signable("hn:L", "hn:I", ISSUED, TODAY), DecisionNotSubmitted),
        (issued, lambda d: d.sign(issue()), DecisionNotSubmitted),
        (issued, lambda d: d.confirm_issued("hn:L2", AUTHORITY, ISSUED), DecisionIssuedOtherwise),
        (issued, lambda d: d.confirm_issued("hn:L", AUTHORITY, VOTED), DecisionIssuedOtherwise),
        (issued, lambda d: d.confirm_issued("hn:L", Authority("", "Chủ tịch"), ISSUED), DecisionIssuedOtherwise),
    ],
)
def test_decision_refuses_illegal_moves_and_stays_as_it_is(
    begin: Callable[[], Decision], move: Callable[[Decision], object], error: type[Refusal]
) -> None:
    decision = begin()
    before = (decision.state, decision.recognised, decision.submitted_by, decision.issue)
    with pytest.raises(error):
        move(decision)
    assert (decision.state, decision.recognised, decision.submitted_by, decision.issue) == before


def test_decision_goes_from_draft_to_issue_and_says_so_once() -> None:
    decision = draft()
    states = [decision.state]
    assert (decision.submit("hn:S", "hn:I"), decision.submit("hn:S", "hn:I")) == (True, False)
    states.append(decision.state)
    decision.check_signable("hn:L", "hn:I", VOTED, TODAY)
    decision.sign(issue())
    decision.finish(1)
    assert [*states, decision.state] == [State.DU_THAO, State.TRINH_KY, State.BAN_HANH]
    signed = DecisionSigned("DEC", 3034, "3034/QĐ-UBND", ISSUED, "hn:I", "R1", "district", 1, 0)
    assert (decision.pull_events(), decision.certificates, decision.entered) == ([signed], 1, True)
    assert decision.confirm_issued("hn:L", AUTHORITY, ISSUED) == decision.confirm_issued("hn:L", AUTHORITY, None)


def test_draft_counts_what_it_collects_and_rests_on_the_latest_vote() -> None:
    decision = draft(collected=False)
    found = [
        candidate("D2", passed=False, on=date(2023, 12, 1)),
        candidate("D3", initiative_id="I1"),
        candidate("D4", initiative_id="I1"),
        candidate("D5", initiative_id="I2"),
        candidate("D6", initiative_id="I3", passed=False),
        candidate("D7", initiative_id="I3"),
    ]
    decision.collect(found, ["I2:district"], last=True)
    assert [one.reason for one in found] == [
        "KHONG_DU_PHIEU",
        "",
        "DA_CONG_NHAN_CUNG_CAP",
        "DA_CONG_NHAN_CUNG_CAP",
        "KHONG_DU_PHIEU",
        "",
    ]
    assert {one.decision_id for one in found} == {"DEC"}
    assert (decision.recognised, decision.refused, decision.latest_vote) == (3, 4, date(2023, 12, 1))


def test_draft_refuses_a_taken_candidate_an_empty_round_and_a_strange_organisation() -> None:
    taken = candidate()
    taken.decision_id = "OTHER"
    empty = Decision("DEC", "hn:I", "/QĐ-UBND", "R1", (), "hn:S")
    with pytest.raises(CandidateTaken):
        draft(collected=False).collect([taken], (), last=True)
    with pytest.raises(RoundWithoutCandidates):
        empty.collect([], (), last=True)
    facts = {"issuer_id": "hn:I", "suffix": "/QĐ-UBND", "round_id": "R1", "drafted_by": "hn:S"}
    with pytest.raises(NotTheIssuer):
        Decision.draft("DEC", **facts, grounds=(), organisation="hn:OTHER")
    with pytest.raises(RecognitionTextMalformed):
        Decision.draft("DEC", **facts, grounds=("",), organisation="hn:I")


def test_candidate_follows_later_votes_until_it_stands_in_a_decision() -> None:
    one = candidate()
    later = candidate(passed=False).vote
    assert (one.follow(later, 5, "t"), one.follow(later, 4, "t"), one.vote.passed) == (False, False, True)
    assert (one.follow(later, 6, "t"), one.vote.passed, one.traceparent) == (True, False, "t")
    one.propose("DEC", claimed=False)
    assert one.follow(later, 6, "t") is False
    with pytest.raises(VoteAfterDraft):
        one.follow(later, 7, "t")


@pytest.mark.parametrize(
    ("mode", "position", "on_behalf_of", "error"),
    [
        ("XX", "Chủ tịch", "", SigningModeUnknown),
        ("TM", "", "", RecognitionTextMalformed),
        ("TM", "x" * 201, "", RecognitionTextMalformed),
        ("TM", "Chủ tịch", "x" * 201, RecognitionTextMalformed),
        ("KT", "Phó Chủ tịch", "", SignedForMismatch),
        ("TUQ", "Trưởng phòng", "", SignedForMismatch),
        ("TL", "Chánh Văn phòng", "", SignedForMismatch),
        ("", "Hiệu trưởng", "Chủ tịch", SignedForMismatch),
    ],
)
def test_authority_refuses_what_the_decree_does_not_know(
    mode: str, position: str, on_behalf_of: str, error: type[Refusal]
) -> None:
    with pytest.raises(error):
        Authority(mode, position, on_behalf_of)
