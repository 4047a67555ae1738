"""Facts that review publishes: checks, assignments, sessions and votes."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from sangkien.contracts.events.base import Event
from sangkien.contracts.events.intake import AuthorShare


class RoundOpened(Event):
    """A council opened a round: dossiers may be filed for it from `opens_on` to `closes_on`, both included."""

    TYPE: ClassVar[str] = "ev.review.round.opened.v1"

    round_id: str
    council_id: str
    name: str
    tier: Literal["grassroots", "district", "city", "national"]
    owner_id: str = Field(description="organisation whose council it is")
    group: str = Field(default="", description="whom the round is for, in words")
    opens_on: date
    closes_on: date


class RoundClosed(Event):
    """The round takes no more dossiers."""

    TYPE: ClassVar[str] = "ev.review.round.closed.v1"

    round_id: str
    closed_on: date


class DossierAccepted(Event):
    """The formal check found the dossier valid; from here it is review's (CHAP_NHAN_DON)."""

    TYPE: ClassVar[str] = "ev.review.dossier.accepted.v1"

    dossier_id: str
    dossier_version: int
    round_id: str
    author_ids: tuple[str, ...]
    accepted_on: date
    decide_by: date = Field(description="three months, Decree 13/2012/NĐ-CP article 7(1)")


class SupplementRequested(Event):
    """The formal check found shortcomings that the authors may mend by `due`."""

    TYPE: ClassVar[str] = "ev.review.dossier.supplement_requested.v1"

    dossier_id: str
    dossier_version: int
    round_id: str
    author_ids: tuple[str, ...]
    shortcomings: tuple[str, ...] = Field(description="codes of the shortcomings list")
    due: date


class DossierRefused(Event):
    """The formal check refused the dossier with reasons (TU_CHOI_DON)."""

    TYPE: ClassVar[str] = "ev.review.dossier.refused.v1"

    dossier_id: str
    dossier_version: int
    round_id: str
    author_ids: tuple[str, ...]
    reason: str = Field(description="code of the refusal reasons list")
    refused_on: date


class ReviewersAssigned(Event):
    """Reviewers were asked for a score sheet. Never shown to authors."""

    TYPE: ClassVar[str] = "ev.review.dossier.assigned.v1"

    dossier_id: str
    round_id: str
    title: str
    reviewer_ids: tuple[str, ...]
    due: date | None = None


class DossierVoted(Event):
    """A council session voted on the dossier (DA_HOP). Hands the dossier over to recognition.

    The tally is of council members; who voted how stays in review's minutes.
    """

    TYPE: ClassVar[str] = "ev.review.dossier.voted.v1"

    dossier_id: str
    round_id: str
    session_id: str
    council_id: str
    tier: Literal["grassroots", "district", "city", "national"]
    outcome: Literal["passed", "failed"]
    members: int = Field(description="all members of the council: the denominator of the two-thirds rule")
    yes: int
    no: int
    abstained: int
    mean_score_tenths: int | None = Field(description="mean of the valid sheets, in tenths of a point")
    held_on: date
    rule_set: str
    title: str
    field: str
    unit_id: str
    authors: tuple[AuthorShare, ...]
    initiative_id: str = ""


class SessionClosed(Event):
    """A session ended and its minutes were fixed."""

    TYPE: ClassVar[str] = "ev.review.session.closed.v1"

    session_id: str
    round_id: str
    council_id: str
    held_on: date
    present: int
    members: int
    passed: int
    failed: int
