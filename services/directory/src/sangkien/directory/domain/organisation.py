"""Organisations: a tree in which every node has its own time (DESIGN §2).

A parent's end does not end its children: the quận of Hà Nội ended on 30/06/2025 while their schools went on.
"""

import re
from dataclasses import dataclass

from sangkien.directory.domain.contact import check_email, check_length
from sangkien.directory.domain.errors import OrganisationKindMalformed, OrganisationNameMissing
from sangkien.directory.domain.events import OrganisationWasRegistered
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
