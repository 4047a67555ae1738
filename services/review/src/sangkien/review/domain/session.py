"""A session of a council: who was there, what was voted on, and the minutes that fix it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from sangkien.kernel import Aggregate
from sangkien.review.domain.case import Case, CaseState, Motion
from sangkien.review.domain.council import Member, MemberRole, check_distinct
from sangkien.review.domain.errors import (
    AgendaEmpty,
    AgendaTooLong,
    CaseNotReady,
    DateBefore,
    HeadAuthorMayNotSit,
    NobodyNamed,
    NobodyPresides,
    NoQuorum,
    NotAMember,
    NotPresent,
    SessionNotOpen,
)
from sangkien.review.domain.events import SessionClosed
from sangkien.review.domain.minutes import MinutesLine

AGENDA_LIMIT = 10_000
"""How many dossiers one session's minutes hold: they are one document."""


class VotingRules(Protocol):
    """What the rules of a day say of quorum and majority."""

    @property
    def rule_set(self) -> str:
        """What a decision stores."""
        ...

    @property
    def head_author_excluded(self) -> bool:
        """Whether a head of unit may not sit on a state-funded dossier of their own."""
        ...

    def quorum(self, members: int) -> int:
        """How many have to be present."""
        ...

    def votes_needed(self, members: int, present: int) -> int:
        """How many have to agree."""
        ...


class SessionState(StrEnum):
    """Ballots are cast while open; counting goes on until every dossier has its outcome; then the minutes stand."""

    OPEN = "open"
    COUNTING = "counting"
    CLOSED = "closed"


@dataclass(eq=False)
class Session(Aggregate):
    """One session. Members, those present, the agenda and the rule are fixed when it opens.

    `present` keeps the order of the council. A member with a conflict still counts among `members`: two thirds are of
    all of them (Thông tư 18/2013, Điều 8).
    """

    id: str
    round_id: str
    council_id: str
    held_on: date
    members: tuple[Member, ...]
    present: tuple[str, ...]
    agenda: tuple[str, ...]
    quorum: int
    votes_needed: int
    rule_set: str
    opened_at: datetime
    key: str
    fingerprint: str
    state: SessionState = SessionState.OPEN
    passed: int = 0
    failed: int = 0
    closed_at: datetime | None = None

    @classmethod
    def open(  # noqa: PLR0913 (a session is what these fix)
        cls,
        *,
        id: str,
        round_id: str,
        council_id: str,
        held_on: date,
        members: tuple[Member, ...],
        present: Sequence[str],
        cases: Sequence[Case],
        rules: VotingRules,
        opened_at: datetime,
        key: str,
        fingerprint: str,
    ) -> "Session":
        """Open a session on cases of the round, in the order given.

        Raises NobodyNamed, MemberTwice, NotAMember, NoQuorum, NobodyPresides, AgendaEmpty, AgendaTooLong,
        CaseNotReady, DateBefore, HeadAuthorMayNotSit.
        """
        _check_present(members, present, rules)
        _check_agenda(cases, round_id, held_on)
        if rules.head_author_excluded:
            barred = {author for case in cases if case.head_author_barred for author in case.author_ids}
            for position, person in enumerate(present, start=1):
                if person in barred:
                    raise HeadAuthorMayNotSit(field="present", position=position)
        here = set(present)
        return cls(
            id=id,
            round_id=round_id,
            council_id=council_id,
            held_on=held_on,
            members=members,
            present=tuple(member.person_id for member in members if member.person_id in here),
            agenda=tuple(case.id for case in cases),
            quorum=rules.quorum(len(members)),
            votes_needed=rules.votes_needed(len(members), len(here)),
            rule_set=rules.rule_set,
            opened_at=opened_at,
            key=key,
            fingerprint=fingerprint,
        )

    @property
    def motion(self) -> Motion:
        """What every vote of the session rests on."""
        return Motion(
            session_id=self.id,
            council_id=self.council_id,
            held_on=self.held_on,
            members=len(self.members),
            votes_needed=self.votes_needed,
            rule_set=self.rule_set,
        )

    def admit(self, member_id: str) -> None:
        """Let a member vote. Raises SessionNotOpen, NotPresent."""
        if self.state is not SessionState.OPEN:
            raise SessionNotOpen(field="session_id", state=self.state.value)
        if member_id not in self.present:
            raise NotPresent(field="session_id")

    def start_counting(self) -> bool:
        """Take no more ballots; False when that was done."""
        if self.state is not SessionState.OPEN:
            return False
        self.state = SessionState.COUNTING
        return True

    def close(self, lines: Sequence[MinutesLine], at: datetime) -> None:
        """End the session on its outcomes. Raises SessionNotOpen when it was not counted, or is closed."""
        if self.state is not SessionState.COUNTING:
            raise SessionNotOpen(field="session_id", state=self.state.value)
        self.passed = sum(line.outcome == "passed" for line in lines)
        self.failed = sum(line.outcome == "failed" for line in lines)
        self.state, self.closed_at = SessionState.CLOSED, at
        self.record(SessionClosed(self.passed, self.failed))


@dataclass(eq=False)
class Seat(Aggregate):
    """A present member's right to vote in one session.

    Every batch of ballots writes its member's seat, and closing seals all of them in one unit: so a ballot is either
    counted or refused, and members never wait for each other.
    """

    session_id: str
    member_id: str
    sealed: bool = False

    @property
    def id(self) -> str:
        """One seat a member and session."""
        return f"{self.session_id}:{self.member_id}"


def _check_present(members: Sequence[Member], present: Sequence[str], rules: VotingRules) -> None:
    if not present:
        raise NobodyNamed(field="present")
    check_distinct(list(present), "present")
    roles = {member.person_id: member.role for member in members}
    for position, person in enumerate(present, start=1):
        if person not in roles:
            raise NotAMember(field="present", position=position)
    needed = rules.quorum(len(members))
    if len(present) < needed:
        raise NoQuorum(field="present", members=len(members), needed=needed, present=len(present))
    if not {roles[person] for person in present} & {MemberRole.CHAIR, MemberRole.VICE_CHAIR}:
        raise NobodyPresides(field="present")


def _check_agenda(cases: Sequence[Case], round_id: str, held_on: date) -> None:
    if not cases:
        raise AgendaEmpty(field="dossier_ids")
    if len(cases) > AGENDA_LIMIT:
        raise AgendaTooLong(field="dossier_ids", limit=AGENDA_LIMIT, items=len(cases))
    check_distinct([case.id for case in cases], "dossier_ids")
    for position, case in enumerate(cases, start=1):
        if case.round_id != round_id or case.state is not CaseState.READY:
            raise CaseNotReady(field="dossier_ids", position=position, state=case.state.value)
        if case.accepted_on is not None and held_on < case.accepted_on:
            raise DateBefore(field="held_on", day=held_on.isoformat(), earliest=case.accepted_on.isoformat())
