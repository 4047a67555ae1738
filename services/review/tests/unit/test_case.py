"""What may happen to a case in which state."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import pytest

from sangkien.kernel import Refusal
from sangkien.review.domain.case import Author, Case, CaseState, Facts, Motion
from sangkien.review.domain.sheet import Score, ScoreSheet
from sangkien.review.domain.tally import Tally

FILED_ON, ACCEPTED_ON, DUE = date(2023, 5, 10), date(2023, 5, 15), date(2023, 6, 15)
MEMBERS = frozenset("ABCDE")
MOTION = Motion("S1", "C1", date(2023, 6, 1), members=5, votes_needed=4, rule_set="council")
S = CaseState


def facts(version: int = 1, authors: Sequence[str] = ("X",)) -> Facts:
    return Facts(
        version=version,
        code="SK-1",
        title="Sáng kiến",
        field="giao-duc",
        unit_id="U1",
        authors=tuple(Author(one, 10_000 // len(authors)) for one in authors),
        filed_on=FILED_ON,
        initiative_id="",
        head_author=False,
        state_funded=False,
    )


def score(sheets: Sequence[Mapping[str, int]]) -> Score:
    return Score(10 * sum(one["novelty"] for one in sheets) // len(sheets), qualifies=True, rule_set="sheet")


def sheet(reviewer: str, points: int = 30) -> ScoreSheet:
    return ScoreSheet("D1", reviewer, {"novelty": points}, "", "sheet")


def accept(case: Case) -> object:
    return case.accept(ACCEPTED_ON, date(2023, 8, 15))


def supplement(case: Case) -> object:
    return case.ask_supplement(["THIEU_MO_TA"], ACCEPTED_ON, DUE)


def refuse(case: Case) -> object:
    return case.refuse("CHUA_AP_DUNG", date(2023, 6, 16))


def mend(case: Case) -> object:
    return case.supplement(facts(2), applied=2)


def withdraw(case: Case) -> object:
    return case.withdraw(2)


def assign(case: Case) -> object:
    return case.assign(["A", "B"], ACCEPTED_ON, None, members=MEMBERS, needed=2)


def hand_in(case: Case) -> None:
    case.hand_in(sheet("A"), score, needed=2)


def declare(case: Case) -> object:
    return case.declare_conflict("E", score, needed=2)


def vote(case: Case) -> None:
    case.decide(MOTION, Tally(4, 1, 0, 0, 0))


MOVES = (accept, supplement, refuse, mend, withdraw, assign, hand_in, declare, vote)
PATHS: dict[CaseState, tuple[Callable[[Case], object], ...]] = {
    S.FILED: (),
    S.SUPPLEMENT: (supplement,),
    S.REFUSED: (refuse,),
    S.ACCEPTED: (accept,),
    S.IN_REVIEW: (accept, assign),
    S.READY: (accept, assign, hand_in, lambda case: case.hand_in(sheet("B"), score, needed=2)),
    S.VOTED: (accept, assign, hand_in, lambda case: case.hand_in(sheet("B"), score, needed=2), vote),
    S.WITHDRAWN: (withdraw,),
}
WON, NO, ASK = "case_decided_otherwise", "case_state_forbids", "not_asked"
OUTCOMES: dict[CaseState, tuple[object, ...]] = {
    # accept, supplement, refuse, mend, withdraw, assign, hand in, declare, vote
    S.FILED: (S.ACCEPTED, S.SUPPLEMENT, S.REFUSED, S.FILED, S.WITHDRAWN, NO, ASK, S.FILED, NO),
    S.SUPPLEMENT: (NO, False, S.REFUSED, S.FILED, S.WITHDRAWN, NO, ASK, S.SUPPLEMENT, NO),
    S.REFUSED: (WON, WON, False, False, False, NO, ASK, S.REFUSED, NO),
    S.ACCEPTED: (False, WON, WON, False, S.WITHDRAWN, S.IN_REVIEW, ASK, S.ACCEPTED, NO),
    S.IN_REVIEW: (False, WON, WON, False, S.WITHDRAWN, False, S.IN_REVIEW, S.IN_REVIEW, NO),
    S.READY: (False, WON, WON, False, S.WITHDRAWN, False, NO, S.READY, S.VOTED),
    S.VOTED: (False, WON, WON, False, NO, False, NO, NO, NO),
    S.WITHDRAWN: (NO, NO, NO, False, False, NO, ASK, S.WITHDRAWN, NO),
}


def a_case(state: CaseState = S.FILED, authors: Sequence[str] = ("X",)) -> Case:
    case = Case.open("D1", round_id="R1", tier="district", facts=facts(1, authors), applied=1, traceparent="")
    for step in PATHS[state]:
        step(case)
    assert case.state is state
    case.pull_events()
    return case


def outcome(case: Case, move: Callable[[Case], object]) -> object:
    """The state after the move; False for one that had been made; the code of a refusal."""
    try:
        return False if move(case) is False else case.state
    except Refusal as refusal:
        return refusal.code


@pytest.mark.parametrize("state", list(S), ids=lambda state: state.value)
def test_case_moves_as_the_procedure_allows(state: CaseState) -> None:
    assert tuple(outcome(a_case(state), move) for move in MOVES) == OUTCOMES[state]


@pytest.mark.parametrize("state", list(S), ids=lambda state: state.value)
def test_refused_or_repeated_move_changes_nothing(state: CaseState) -> None:
    for move, expected in zip(MOVES, OUTCOMES[state], strict=True):
        if isinstance(expected, CaseState):
            continue
        case = a_case(state)
        before = {**vars(case)}
        outcome(case, move)
        assert (move.__name__, vars(case), case.pull_events()) == (move.__name__, before, [])


def refusal_of(move: Callable[[], object]) -> tuple[str, dict[str, str | int]]:
    with pytest.raises(Refusal) as refused:
        move()
    return refused.value.code, refused.value.facts


def test_check_of_another_version_says_what_won() -> None:
    case = a_case()
    case.version = 3
    assert refusal_of(lambda: case.accept(ACCEPTED_ON, DUE, expected=2)) == (
        "case_changed",
        {"expected": 2, "version": 3, "state": "DA_NOP"},
    )


def test_supplement_runs_to_the_end_of_its_last_day() -> None:
    case = a_case(S.SUPPLEMENT)
    assert refusal_of(lambda: case.refuse("CHUA_AP_DUNG", DUE)) == ("supplement_not_overdue", {"due": "2023-06-15"})
    assert case.refuse("CHUA_AP_DUNG", date(2023, 6, 16)) is True


def test_check_dated_before_the_filing_is_refused() -> None:
    assert refusal_of(lambda: a_case().accept(date(2023, 5, 9), DUE))[0] == "date_before"


@pytest.mark.parametrize(
    ("reviewers", "code"),
    [
        (["A", "X"], "reviewer_conflicted"),
        (["A", "E"], "reviewer_conflicted"),
        (["A", "Z"], "not_a_member"),
        (["A", "A"], "member_twice"),
        (["A"], "too_few_reviewers"),
        ([], "nobody_named"),
    ],
)
def test_assignment_refuses_who_may_not_judge(reviewers: list[str], code: str) -> None:
    case = a_case(S.ACCEPTED)
    case.declare_conflict("E", score, needed=2)
    members = MEMBERS | {"X"}
    assert refusal_of(lambda: case.assign(reviewers, ACCEPTED_ON, None, members=members, needed=2))[0] == code


def test_conflict_of_a_reviewer_leaves_a_place_to_fill() -> None:
    case = a_case(S.IN_REVIEW)
    case.hand_in(sheet("A", 40), score, needed=2)
    case.declare_conflict("A", score, needed=2)
    assert (case.state, case.reviewers, dict(case.handed_in)) == (S.IN_REVIEW, ("B",), {})

    assert case.assign(["B", "C"], ACCEPTED_ON, None, members=MEMBERS, needed=2) is True
    for reviewer in "BC":
        case.hand_in(sheet(reviewer, 20), score, needed=2)
    assert (case.state, case.score) == (S.READY, Score(200, qualifies=True, rule_set="sheet"))


def test_conflict_of_the_last_one_awaited_makes_the_case_ready() -> None:
    case = a_case(S.ACCEPTED)
    case.assign(["A", "B", "C"], ACCEPTED_ON, None, members=MEMBERS, needed=2)
    case.hand_in(sheet("A"), score, needed=2)
    case.hand_in(sheet("B"), score, needed=2)
    before = case.state
    case.declare_conflict("C", score, needed=2)
    assert (before, case.state) == (S.IN_REVIEW, S.READY)


def test_conflicted_reviewer_meets_an_unknown_case() -> None:
    case = a_case(S.IN_REVIEW)
    case.declare_conflict("A", score, needed=2)
    assert refusal_of(lambda: case.hand_in(sheet("A"), score, needed=2)) == ("case_not_found", {})


@pytest.mark.parametrize(("yes", "passed"), [(4, True), (3, False)])
def test_vote_decides_and_scores_only_support(yes: int, passed: bool) -> None:
    case = a_case(S.READY)
    case.score = Score(100, qualifies=False, rule_set="sheet")
    case.decide(MOTION, Tally(yes, 5 - yes, 0, 0, 0))
    assert case.vote is not None
    assert case.vote.passed is passed


def test_mended_filing_replaces_the_facts_once() -> None:
    case = a_case(S.SUPPLEMENT, authors=("X", "Y"))
    assert case.supplement(facts(2, ("X", "Z")), applied=3) is True
    assert (case.author_ids, case.shortcomings) == (("X", "Z"), ())
    supplement(case)
    assert case.supplement(facts(2, ("X", "Y")), applied=3) is False
    assert case.author_ids == ("X", "Z")
