"""Organisations: a tree in which every node has its own time (DESIGN §2).

A parent's end does not end its children: the quận of Hà Nội ended on 30/06/2025 while their schools went on.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from sangkien.directory.domain.contact import check_email, check_length
from sangkien.directory.domain.errors import (
    OrganisationEndedOtherwise,
    OrganisationKindMalformed,
    OrganisationNameMissing,
    ReorganisedBeforeItStood,
    SuccessorNotStanding,
)
from sangkien.directory.domain.events import OrganisationWasRegistered, OrganisationWasReorganised
from sangkien.directory.domain.succession import Reorganisation, Step, joined
from sangkien.directory.domain.validity import first_day, last_day
from sangkien.kernel import Aggregate, DateRange

_KIND = re.compile(r"[A-Z][A-Z0-9_]{1,39}")


@dataclass
class Organisation(Aggregate):
    """One organisation under the name it bore in its time. A rename ends one and begins another."""

    id: str
    kind: str
    name: str
    parent_id: str
    validity: DateRange
    email: str
    aliases: tuple[str, ...]
    successors: tuple[Step, ...] = ()
    predecessors: tuple[Step, ...] = ()

    @classmethod
    def register(
        cls, id: str, kind: str, name: str, parent_id: str, validity: DateRange, email: str, aliases: tuple[str, ...]
    ) -> "Organisation":
        """Raises OrganisationKindMalformed, OrganisationNameMissing, NameTooLong or EmailMalformed."""
        if not _KIND.fullmatch(kind):
            raise OrganisationKindMalformed(field="kind")
        if not name:
            raise OrganisationNameMissing(field="name")
        known_as = tuple(dict.fromkeys(check_length(alias, "aliases") for alias in aliases if alias and alias != name))
        organisation = cls(id, kind, check_length(name, "name"), parent_id, validity, check_email(email), known_as)
        organisation.record(
            OrganisationWasRegistered(id, kind, name, parent_id, first_day(validity), last_day(validity))
        )
        return organisation

    def learn(self, other: "Organisation") -> bool:
        """Take what a repeated registration adds: an e-mail address where there was none, and new aliases.

        Nothing known is overwritten. Says whether anything was learnt.
        """
        before = (self.email, self.aliases)
        self.email = self.email or other.email
        names = (*self.aliases, *(name for name in (other.name, *other.aliases) if name != self.name))
        self.aliases = tuple(dict.fromkeys(names))
        return (self.email, self.aliases) != before

    def go_over(self, step: Reorganisation) -> bool:
        """Stand until the day before, unless it stands on, and remember into whom it went. False when it had.

        Raises ReorganisedBeforeItStood, and OrganisationEndedOtherwise when it ends, or ended, on another day.
        """
        before = (self.validity, self.successors)
        if not step.stand_on:
            self._end(step.on - timedelta(days=1))
        self.successors = joined(self.successors, step.forward)
        return self._reorganised(changed=(self.validity, self.successors) != before)

    def follow(self, step: Reorganisation) -> bool:
        """Remember in whose place it stands. False when it had. Raises SuccessorNotStanding."""
        check_standing(self.validity, step.on)
        before = self.predecessors
        self.predecessors = joined(self.predecessors, step.backward)
        return self._reorganised(changed=self.predecessors != before)

    def _end(self, day: date) -> None:
        if day < self.validity.valid_from:
            raise ReorganisedBeforeItStood(field="on")
        ends = last_day(self.validity)
        if ends is not None and ends != day:
            raise OrganisationEndedOtherwise(field="on", ended=ends.isoformat())
        self.validity = DateRange(self.validity.valid_from, day)

    def _reorganised(self, *, changed: bool) -> bool:
        if changed:
            self.record(OrganisationWasReorganised(self, self.version + 1))
        return changed


def check_standing(validity: DateRange, on: date) -> None:
    """Raises SuccessorNotStanding when an organisation that is to follow does not stand on the day."""
    if not validity.contains(on):
        raise SuccessorNotStanding(field="successor_ids", on=on.isoformat())


@dataclass
class Namesakes(Aggregate):
    """All organisations of one kind and name under one parent: at most one of them stands on any day.

    Their periods are decided upon together, so that two registrations at once cannot make one organisation twice.
    """

    key: str
    periods: list[tuple[str, DateRange]]

    def standing_in(self, period: DateRange) -> str | None:
        """The id of the first one that stands on a day of the period, None when there is none."""
        return next((id for id, theirs in self.periods if theirs.overlaps(period)), None)

    def add(self, id: str, period: DateRange) -> None:
        """Add one. The caller asked `standing_in` first."""
        self.periods.append((id, period))

    def shorten(self, id: str, period: DateRange) -> None:
        """One of them ends earlier: behind it another may begin."""
        self.periods = [(each, period if each == id else theirs) for each, theirs in self.periods]
