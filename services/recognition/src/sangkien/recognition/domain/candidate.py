"""A dossier a council has voted on, from its vote to the decision it stands in."""

from dataclasses import dataclass, replace
from datetime import date

from sangkien.kernel import Aggregate
from sangkien.recognition.domain.errors import CandidateTaken, VoteAfterDraft

TOO_FEW_VOTES = "KHONG_DU_PHIEU"
"""Fewer than two thirds of the council's members agreed (Circular 18/2013/TT-BKHCN, article 8)."""
RECOGNISED_BEFORE = "DA_CONG_NHAN_CUNG_CAP"
"""The initiative is recognised, or proposed, at this tier by another dossier: it is recognised there once."""


@dataclass(frozen=True, slots=True)
class Author:
    """One author and the share, in hundredths of a percent."""

    person_id: str
    share: int


@dataclass(frozen=True, slots=True)
class Vote:
    """What the council's session made of a dossier. `initiative_id` is "" at the first tier."""

    dossier_id: str
    round_id: str
    tier: str
    passed: bool
    held_on: date
    rule_set: str
    title: str
    field: str
    unit_id: str
    authors: tuple[Author, ...]
    initiative_id: str


@dataclass(frozen=True, slots=True)
class PrintedNames:
    """The unit and the authors, in the order of the vote's, as the decision prints them on its day."""

    unit: str
    authors: tuple[str, ...]


@dataclass
class Candidate(Aggregate):
    """A voted dossier. `applied` is the version of review's dossier it stands at, `reason` "" where it is proposed for
    recognition, `traceparent` the delivery that brought it: what follows stays in the dossier's trace.
    """

    vote: Vote
    applied: int
    traceparent: str
    decision_id: str = ""
    reason: str = ""
    names: PrintedNames | None = None

    @property
    def dossier_id(self) -> str:
        return self.vote.dossier_id

    @property
    def claim(self) -> str:
        """The recognition it claims at its tier, "" for a dossier that claims none: a new initiative, or not passed."""
        vote = self.vote
        return f"{vote.initiative_id}:{vote.tier}" if vote.passed and vote.initiative_id else ""

    def follow(self, vote: Vote, applied: int, traceparent: str) -> bool:
        """Take a later vote in place of the one held. False when it is not later.

        Raises VoteAfterDraft when the dossier stands in a decision.
        """
        if applied <= self.applied:
            return False
        if self.decision_id:
            raise VoteAfterDraft
        self.vote, self.applied, self.traceparent = vote, applied, traceparent
        return True

    def propose(self, decision_id: str, *, claimed: bool) -> None:
        """Stand in a draft. `claimed` says that another dossier claims the same recognition. Raises CandidateTaken."""
        if self.decision_id:
            raise CandidateTaken(field="dossier_ids")
        self.decision_id = decision_id
        self.reason = RECOGNISED_BEFORE if claimed else "" if self.vote.passed else TOO_FEW_VOTES

    def print_names(self, names: PrintedNames) -> bool:
        """Fix the names. False when they are those already."""
        names = replace(names, authors=tuple(names.authors))
        if names == self.names:
            return False
        self.names = names
        return True
