"""A case: one dossier at one level, from its arrival at the council to the vote.

DA_NOP ⇄ YEU_CAU_BO_SUNG, then CHAP_NHAN_DON → DANG_PHAN_BIEN → CHO_HOP → DA_HOP. TU_CHOI_DON ends it at the formal
check, RUT at any moment before the vote (Nghị định 13/2012, Điều 6 and 7; Thông tư 18/2013, Điều 6 and 8).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sangkien.kernel import Aggregate
from sangkien.review.domain.council import check_distinct
from sangkien.review.domain.errors import (
    CaseAssignedOtherwise,
    CaseChanged,
    CaseDecidedOtherwise,
    CaseNotFound,
    CaseStateForbids,
    DateBefore,
    NobodyNamed,
    NotAMember,
    NotAsked,
    ReviewerConflicted,
    SupplementNotOverdue,
    TooFewReviewers,
)
from sangkien.review.domain.events import (
    CaseAccepted,
    CaseRefused,
    CaseVoted,
    ConflictsChanged,
    ReviewersAsked,
    SupplementAsked,
)
from sangkien.review.domain.sheet import Score, ScoreSheet
from sangkien.review.domain.tally import Tally


class CaseState(StrEnum):
    """Where a case stands; the codes are those of the statutory procedure."""

    FILED = "DA_NOP"
    SUPPLEMENT = "YEU_CAU_BO_SUNG"
    REFUSED = "TU_CHOI_DON"
    ACCEPTED = "CHAP_NHAN_DON"
    IN_REVIEW = "DANG_PHAN_BIEN"
    READY = "CHO_HOP"
    VOTED = "DA_HOP"
    WITHDRAWN = "RUT"


@dataclass(frozen=True, slots=True)
class Author:
    """An author and their share, in hundredths of a percent."""

    person_id: str
    share: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the council needs to know of a dossier at one version; the rest stays with intake."""

    version: int
    code: str
    title: str
    field: str
    unit_id: str
    authors: tuple[Author, ...]
    filed_on: date
    initiative_id: str
    head_author: bool
    state_funded: bool


@dataclass(frozen=True, slots=True)
class Voted:
    """The outcome of a vote and the session that took it."""

    session_id: str
    tally: Tally
    passed: bool


@dataclass(frozen=True, slots=True)
class Motion:
    """What a session brings to every vote: who asks, when, by which rule, and how many must agree."""

    session_id: str
    council_id: str
    held_on: date
    members: int
    votes_needed: int
    rule_set: str


_CLOSED = frozenset({CaseState.REFUSED, CaseState.VOTED, CaseState.WITHDRAWN})
_CHECKED = frozenset({CaseState.ACCEPTED, CaseState.IN_REVIEW, CaseState.READY, CaseState.VOTED})


@dataclass(eq=False)
class Case(Aggregate):
    """One dossier before its council.

    `applied` is the version of intake's aggregate whose event was applied last. `sheets` holds what counts: the points
    of reviewers still free of conflict. `declared` are those who said that they may not judge.
    """

    id: str
    round_id: str
    tier: str
    facts: Facts
    applied: int
    traceparent: str
    state: CaseState = CaseState.FILED
    shortcomings: tuple[str, ...] = ()
    supplement_due: date | None = None
    refusal: str = ""
    accepted_on: date | None = None
    decide_by: date | None = None
    reviewers: tuple[str, ...] = ()
    sheets: Mapping[str, Mapping[str, int]] | None = None
    declared: tuple[str, ...] = ()
    score: Score | None = None
    vote: Voted | None = None

    @classmethod
    def open(cls, id: str, *, round_id: str, tier: str, facts: Facts, applied: int, traceparent: str) -> "Case":
        """A filing arrived."""
        case = cls(id, round_id, tier, facts, applied, traceparent)
        case.record(ConflictsChanged(case.conflicted, frozenset()))
        return case

    @property
    def author_ids(self) -> tuple[str, ...]:
        """The authors, in the order of the filing."""
        return tuple(author.person_id for author in self.facts.authors)

    @property
    def conflicted(self) -> frozenset[str]:
        """Everyone who may not judge the case: its authors, and whoever declared a conflict."""
        return frozenset((*self.author_ids, *self.declared))

    @property
    def handed_in(self) -> Mapping[str, Mapping[str, int]]:
        """The points that count, by reviewer."""
        return self.sheets or {}

    @property
    def head_author_barred(self) -> bool:
        """Whether its authors may not sit at all: one heads the unit, and the State paid (Thông tư 18/2013, Điều 8)."""
        return self.facts.head_author and self.facts.state_funded

    def hide_from(self, person_id: str) -> None:
        """Raise CaseNotFound for somebody with a conflict: to them there is no such case."""
        if person_id in self.conflicted:
            raise CaseNotFound(field="dossier_id")

    def expect(self, version: int) -> None:
        """Raise CaseChanged unless the case is at that version; 0 is any."""
        if version and version != self.version:
            raise CaseChanged(field="expected_version", expected=version, version=self.version, state=self.state.value)

    # The formal check

    def accept(self, on: date, decide_by: date, *, expected: int = 0) -> bool:
        """Find the filing valid; False when it was found so already.

        Raises CaseDecidedOtherwise, CaseChanged, CaseStateForbids, DateBefore.
        """
        if self.state in _CHECKED:
            return False
        self._may_check(on, expected, CaseState.FILED)
        self.state, self.accepted_on, self.decide_by = CaseState.ACCEPTED, on, decide_by
        self.record(CaseAccepted(on, decide_by))
        return True

    def ask_supplement(self, codes: Sequence[str], on: date, due: date, *, expected: int = 0) -> bool:
        """Tell the authors what the filing lacks; False when they were told the same and have not answered yet.

        Raises CaseDecidedOtherwise, CaseChanged, CaseStateForbids, DateBefore.
        """
        wanted = tuple(dict.fromkeys(codes))
        if self.state is CaseState.SUPPLEMENT:
            if set(wanted) == set(self.shortcomings):
                return False
            raise CaseDecidedOtherwise(field="supplement", state=self.state.value, version=self.version)
        self._may_check(on, expected, CaseState.FILED)
        self.state, self.shortcomings, self.supplement_due = CaseState.SUPPLEMENT, wanted, due
        self.record(SupplementAsked(wanted, due))
        return True

    def refuse(self, reason: str, on: date, *, expected: int = 0) -> bool:
        """Refuse the filing; False when it was refused for the same reason.

        Raises SupplementNotOverdue while the authors may still mend it, CaseDecidedOtherwise, CaseChanged,
        CaseStateForbids, DateBefore.
        """
        if self.state is CaseState.REFUSED and self.refusal == reason:
            return False
        self._may_check(on, expected, CaseState.FILED, CaseState.SUPPLEMENT)
        if self.state is CaseState.SUPPLEMENT and self.supplement_due is not None and on <= self.supplement_due:
            raise SupplementNotOverdue(field="refuse", due=self.supplement_due.isoformat())
        self.state, self.refusal = CaseState.REFUSED, reason
        self.record(CaseRefused(reason, on))
        return True

    def _may_check(self, on: date, expected: int, *allowed: CaseState) -> None:
        if self.state in _CHECKED or self.state is CaseState.REFUSED:
            raise CaseDecidedOtherwise(state=self.state.value, version=self.version)
        self.expect(expected)
        if self.state not in allowed:
            raise CaseStateForbids(state=self.state.value)
        if on < self.facts.filed_on:
            raise DateBefore(field="checked_on", day=on.isoformat(), earliest=self.facts.filed_on.isoformat())

    # What intake says

    def supplement(self, facts: Facts, applied: int) -> bool:
        """Take over the mended filing; False for one that is not newer, or came after the formal check was answered."""
        if applied <= self.applied or self.state in _CLOSED or self.state in _CHECKED:
            return False
        before = self.conflicted
        self.facts, self.applied = facts, applied
        if self.conflicted != before:
            self.record(ConflictsChanged(self.conflicted - before, before - self.conflicted))
        self.state, self.shortcomings, self.supplement_due = CaseState.FILED, (), None
        return True

    def withdraw(self, applied: int) -> bool:
        """The authors took it back; False when that is known, or the filing was refused before they did.

        Raises CaseStateForbids once the council has voted.
        """
        if self.state in {CaseState.WITHDRAWN, CaseState.REFUSED}:
            return False
        if self.state is CaseState.VOTED:
            raise CaseStateForbids(field="dossier_id", state=self.state.value)
        self.state, self.applied = CaseState.WITHDRAWN, max(applied, self.applied)
        return True

    # The review

    def assign(
        self, reviewers: Sequence[str], on: date, due: date | None, *, members: frozenset[str], needed: int
    ) -> bool:
        """Ask members of the council for their sheets; False when exactly they are asked already.

        Where a conflict left too few, the list is filled up: it names those still asked and the new ones. Raises
        NobodyNamed, MemberTwice, NotAMember, ReviewerConflicted, TooFewReviewers, CaseAssignedOtherwise,
        CaseStateForbids, DateBefore.
        """
        wanted = list(reviewers)
        if not wanted:
            raise NobodyNamed(field="reviewer_ids")
        check_distinct(wanted, "reviewer_ids")
        if self.reviewers and set(wanted) == set(self.reviewers):
            return False
        if self.state not in {CaseState.ACCEPTED, CaseState.IN_REVIEW} or self.accepted_on is None:
            raise CaseStateForbids(field="dossier_id", state=self.state.value)
        complete = len(self.reviewers) >= needed
        if self.state is CaseState.IN_REVIEW and (complete or not set(self.reviewers) < set(wanted)):
            raise CaseAssignedOtherwise(field="reviewer_ids", reviewers=len(self.reviewers))
        for position, reviewer in enumerate(wanted, start=1):
            if reviewer in self.conflicted:
                raise ReviewerConflicted(field="reviewer_ids", position=position)
            if reviewer not in members:
                raise NotAMember(field="reviewer_ids", position=position)
        if len(wanted) < needed:
            raise TooFewReviewers(field="reviewer_ids", needed=needed, found=len(wanted))
        if on < self.accepted_on:
            raise DateBefore(field="assigned_on", day=on.isoformat(), earliest=self.accepted_on.isoformat())
        new = tuple(one for one in wanted if one not in self.reviewers)
        self.state, self.reviewers = CaseState.IN_REVIEW, tuple(wanted)
        self.record(ReviewersAsked(new, due))
        return True

    def declare_conflict(self, person_id: str, score: "Scorer", *, needed: int) -> bool:
        """Somebody may not judge the case; False when that is known. Their sheet, if any, no longer counts.

        A case that was ready stays so: the council's vote decides, the scores only support it. Raises CaseStateForbids
        once the council has voted.
        """
        if person_id in self.conflicted:
            return False
        if self.state is CaseState.VOTED:
            raise CaseStateForbids(field="dossier_id", state=self.state.value)
        self.declared = (*self.declared, person_id)
        self.record(ConflictsChanged(frozenset((person_id,)), frozenset()))
        if person_id in self.reviewers:
            self.reviewers = tuple(one for one in self.reviewers if one != person_id)
            self.sheets = {one: given for one, given in self.handed_in.items() if one != person_id}
            if self.state is CaseState.READY:
                self.score = score(list(self.sheets.values())) if self.sheets else None
            else:
                self._ready_when_all_in(score, needed)
        return True

    def hand_in(self, sheet: ScoreSheet, score: "Scorer", *, needed: int) -> None:
        """Take a reviewer's sheet; with the last one asked for, the case is ready for the session.

        `needed` is how many sheets there must be at least. Raises CaseNotFound for a conflicted caller, NotAsked,
        CaseStateForbids.
        """
        self.hide_from(sheet.reviewer_id)
        if sheet.reviewer_id not in self.reviewers:
            raise NotAsked(field="dossier_id")
        if self.state is not CaseState.IN_REVIEW:
            raise CaseStateForbids(field="dossier_id", state=self.state.value)
        self.sheets = {**self.handed_in, sheet.reviewer_id: sheet.scores}
        self._ready_when_all_in(score, needed)

    def _ready_when_all_in(self, score: "Scorer", needed: int) -> None:
        if self.state is CaseState.IN_REVIEW and len(self.handed_in) >= max(needed, len(self.reviewers)):
            self.state, self.score = CaseState.READY, score(list(self.handed_in.values()))

    # The vote

    def decide(self, motion: Motion, tally: Tally) -> None:
        """Hold the tally against the votes needed. The vote alone decides. Raises CaseStateForbids."""
        if self.state is not CaseState.READY:
            raise CaseStateForbids(field="dossier_id", state=self.state.value)
        passed = tally.yes >= motion.votes_needed
        self.state, self.vote = CaseState.VOTED, Voted(motion.session_id, tally, passed)
        rule_set = f"{motion.rule_set}+{self.score.rule_set}" if self.score else motion.rule_set
        self.record(
            CaseVoted(motion.session_id, motion.council_id, motion.held_on, motion.members, tally, passed, rule_set)
        )


Scorer = Callable[[Sequence[Mapping[str, int]]], Score]
"""What sheets come to by the rules of the case."""
