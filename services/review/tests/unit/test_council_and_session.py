"""Who makes a council, who makes a session, and how ballots count."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sangkien.kernel import Refusal
from sangkien.review.domain.case import Author, Case, CaseState, Facts
from sangkien.review.domain.council import Composition, Council, Formation, Member, MemberRole
from sangkien.review.domain.round import Round
from sangkien.review.domain.session import Session, SessionState
from sangkien.review.domain.tally import Ballot, Choice, Tally, count

RULES = Composition(5, ("chair", "vice_chair", "secretary", "expert"))
ROLES = (MemberRole.CHAIR, MemberRole.VICE_CHAIR, MemberRole.SECRETARY, MemberRole.EXPERT, MemberRole.EXPERT)
MEMBERS = tuple(Member(person, role) for person, role in zip("ABCDE", ROLES, strict=True))
SET_UP, REFORMED = date(2023, 5, 8), date(2023, 10, 4)
FIRST = Formation("900/QĐ-UBND", SET_UP, MEMBERS)
SECOND = Formation("2055/QĐ-UBND", REFORMED, (*MEMBERS[:4], Member("F", MemberRole.UNION)))


@dataclass(frozen=True)
class TwoThirds:
    rule_set: str = "council"
    head_author_excluded: bool = True

    def quorum(self, members: int) -> int:
        return -(-members * 2 // 3)

    def votes_needed(self, members: int, present: int) -> int:
        return -(-members * 2 // 3)


def council() -> Council:
    return Council.found(
        FIRST, RULES, id="C1", name="HĐ", tier="district", owner_id="O", jurisdiction="vn", key="k", fingerprint="f"
    )


def code_of(move: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as refused:
        move()
    return refused.value.code


@pytest.mark.parametrize(
    ("members", "code"),
    [
        (MEMBERS[:4], "council_composition"),
        (tuple(replace(one, role=MemberRole.EXPERT) for one in MEMBERS), "council_composition"),
        ((*MEMBERS[:4], Member("E", MemberRole.CHAIR)), "council_composition"),
        ((*MEMBERS, Member("A", MemberRole.EXPERT)), "member_twice"),
    ],
)
def test_council_of_wrong_composition_is_refused(members: tuple[Member, ...], code: str) -> None:
    assert code_of(lambda: replace(FIRST, members=members).check(RULES)) == code


def test_reform_keeps_who_sat_before() -> None:
    found = council()
    assert (found.reform(SECOND, RULES), found.reform(SECOND, RULES)) == (True, False)
    assert found.members_on(date(2023, 10, 3)) == MEMBERS
    assert found.members_on(REFORMED) == SECOND.members
    assert code_of(lambda: found.members_on(date(2023, 5, 7))) == "council_not_formed"
    assert code_of(lambda: found.reform(replace(FIRST, established_by="901"), RULES)) == "council_reformed_otherwise"


def test_round_closes_once() -> None:
    one = Round("R1", "C1", "Đợt 1", "", "district", "O", "vn", SET_UP, REFORMED, None, "k", "f")
    assert (one.close(REFORMED), one.close(REFORMED)) == (True, False)
    assert code_of(lambda: one.close(date(2023, 10, 5))) == "round_closed_otherwise"


@pytest.mark.parametrize(("closes", "evidence"), [(date(2023, 5, 7), None), (REFORMED, date(2023, 5, 7))])
def test_round_that_ends_before_it_opens_is_refused(closes: date, evidence: date | None) -> None:
    one = Round("R1", "C1", "Đợt 1", "", "district", "O", "vn", SET_UP, closes, evidence, "k", "f")
    assert code_of(one.open) == "round_period"


def ready(id: str = "D1", author: str = "X", *, head: bool = False, round_id: str = "R1") -> Case:
    facts = Facts(1, "SK-1", "t", "f", "U", (Author(author, 10_000),), SET_UP, "", head_author=head, state_funded=head)
    case = Case.open(id, round_id=round_id, tier="district", facts=facts, applied=1, traceparent="")
    case.state, case.accepted_on = CaseState.READY, date(2023, 5, 15)
    return case


def session(**changes: Any) -> Session:
    plain: dict[str, Any] = {
        "held_on": date(2023, 5, 18),
        "members": MEMBERS,
        "present": ["D", "B", "C", "A"],
        "cases": [ready()],
    }
    return Session.open(
        id="S1",
        round_id="R1",
        council_id="C1",
        rules=TwoThirds(),
        opened_at=datetime(2023, 5, 18, 1, tzinfo=UTC),
        key="k",
        fingerprint="f",
        **(plain | changes),
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"present": []}, "nobody_named"),
        ({"present": ["A", "B", "C"]}, "no_quorum"),
        ({"present": ["A", "B", "C", "Z"]}, "not_a_member"),
        ({"present": ["A", "B", "C", "C"]}, "member_twice"),
        ({"members": (*MEMBERS, Member("F", MemberRole.EXPERT)), "present": ["C", "D", "E", "F"]}, "nobody_presides"),
        ({"cases": []}, "agenda_empty"),
        ({"cases": [ready(round_id="R2")]}, "case_not_ready"),
        ({"cases": [ready(), ready()]}, "member_twice"),
        ({"held_on": date(2023, 5, 14)}, "date_before"),
        ({"cases": [ready(author="A", head=True)]}, "head_author_may_not_sit"),
    ],
)
def test_session_that_would_not_stand_is_refused(changes: dict[str, Any], code: str) -> None:
    assert code_of(lambda: session(**changes)) == code


def test_session_fixes_who_is_there_and_what_is_needed() -> None:
    opened = session(cases=[ready("D2"), ready("D1", author="E", head=True)])
    assert (opened.present, opened.agenda, opened.quorum, opened.votes_needed) == (
        ("A", "B", "C", "D"),
        ("D2", "D1"),
        4,
        4,
    )


def test_session_takes_ballots_while_open_from_those_present() -> None:
    opened = session()
    opened.admit("A")
    assert code_of(lambda: opened.admit("E")) == "not_present"
    assert (opened.start_counting(), opened.start_counting()) == (True, False)
    assert code_of(lambda: opened.admit("A")) == "session_not_open"
    opened.close([], datetime(2023, 5, 18, 3, tzinfo=UTC))
    assert opened.state is SessionState.CLOSED
    assert code_of(lambda: opened.close([], datetime(2023, 5, 18, 3, tzinfo=UTC))) == "session_not_open"


def test_ballot_of_a_conflicted_or_absent_member_does_not_count() -> None:
    ballots = [Ballot("S1", "D1", who, Choice.YES) for who in "ABZ"] + [Ballot("S1", "D1", "C", Choice.ABSTAIN)]
    assert count("ABCDE", frozenset("B"), ballots) == Tally(yes=1, no=0, abstained=1, missing=2, excluded=1)
