"""What aggregates record when they decide; adapters turn each into the fact other services hear."""

from dataclasses import dataclass
from datetime import date

from sangkien.review.domain.tally import Tally


@dataclass(frozen=True, slots=True)
class RoundOpened:
    """The round takes dossiers."""


@dataclass(frozen=True, slots=True)
class RoundClosed:
    """The round takes no more dossiers."""

    closed_on: date


@dataclass(frozen=True, slots=True)
class ConflictsChanged:
    """Who may not judge the case, as it differs from before. Nobody outside review hears of it."""

    added: frozenset[str]
    removed: frozenset[str]


@dataclass(frozen=True, slots=True)
class CaseAccepted:
    """The formal check found the filing valid; `decide_by` ends the council's term."""

    accepted_on: date
    decide_by: date


@dataclass(frozen=True, slots=True)
class SupplementAsked:
    """The authors were told what the filing lacks."""

    shortcomings: tuple[str, ...]
    due: date


@dataclass(frozen=True, slots=True)
class CaseRefused:
    """The filing was refused for a reason of the law."""

    reason: str
    refused_on: date


@dataclass(frozen=True, slots=True)
class ReviewersAsked:
    """Members were asked for their sheets; `reviewer_ids` are those not asked before."""

    reviewer_ids: tuple[str, ...]
    due: date | None


@dataclass(frozen=True, slots=True)
class CaseVoted:
    """The council voted. `members` is the denominator where all of them count."""

    session_id: str
    council_id: str
    held_on: date
    members: int
    tally: Tally
    passed: bool
    rule_set: str


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The minutes are fixed."""

    passed: int
    failed: int


Event = (
    RoundOpened
    | RoundClosed
    | ConflictsChanged
    | CaseAccepted
    | SupplementAsked
    | CaseRefused
    | ReviewersAsked
    | CaseVoted
    | SessionClosed
)
