"""A round: a period in which a council takes dossiers of one group."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sangkien.kernel import Aggregate
from sangkien.review.domain.errors import DateBefore, RoundClosedOtherwise, RoundPeriod
from sangkien.review.domain.events import RoundClosed, RoundOpened


class RoundState(StrEnum):
    """Whether dossiers may still be filed."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(eq=False)
class Round(Aggregate):
    """One round. `tier`, `owner_id` and `jurisdiction` are its council's. Closing stops filing, not the review."""

    id: str
    council_id: str
    name: str
    group: str
    tier: str
    owner_id: str
    jurisdiction: str
    opens_on: date
    closes_on: date
    evidence_due: date | None
    key: str
    fingerprint: str
    state: RoundState = RoundState.OPEN
    closed_on: date | None = None

    def open(self) -> None:
        """Announce the new round. Raises RoundPeriod."""
        if self.closes_on < self.opens_on:
            raise RoundPeriod(field="closes_on")
        if self.evidence_due is not None and self.evidence_due < self.opens_on:
            raise RoundPeriod(field="evidence_due")
        self.record(RoundOpened())

    def close(self, on: date) -> bool:
        """Take no more dossiers from that day; False when it was closed on that day already.

        Raises RoundClosedOtherwise, and DateBefore for a day before the round opened.
        """
        if self.closed_on is not None:
            if self.closed_on != on:
                raise RoundClosedOtherwise(field="closed_on", closed_on=self.closed_on.isoformat())
            return False
        if on < self.opens_on:
            raise DateBefore(field="closed_on", day=on.isoformat(), earliest=self.opens_on.isoformat())
        self.state, self.closed_on = RoundState.CLOSED, on
        self.record(RoundClosed(on))
        return True
