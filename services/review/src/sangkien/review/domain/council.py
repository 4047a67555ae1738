"""A council: whose it is, and who sat on it when."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sangkien.kernel import Aggregate
from sangkien.review.domain.errors import CouncilComposition, CouncilNotFormed, CouncilReformedOtherwise, MemberTwice


class MemberRole(StrEnum):
    """A member's part in the council (Thông tư 18/2013, Điều 8)."""

    CHAIR = "chair"
    VICE_CHAIR = "vice_chair"
    SECRETARY = "secretary"
    EXPERT = "expert"
    UNION = "union_representative"


@dataclass(frozen=True, slots=True)
class Member:
    """A person and their part."""

    person_id: str
    role: MemberRole


@dataclass(frozen=True, slots=True)
class Composition:
    """What the rules of a day ask of a council: how many members, and which parts must be filled."""

    min_members: int
    required_roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Formation:
    """The members from a day on, as a decision names them. `members` keeps the decision's order."""

    established_by: str
    established_on: date
    members: tuple[Member, ...]

    def check(self, rules: Composition) -> None:
        """Raise MemberTwice or CouncilComposition. One chair and one secretary: minutes are signed by one of each.

        A union representative is needed where an author is a union member (Thông tư 18/2013, Điều 8); filings do not
        say who is, so the founding decision answers for that seat.
        """
        check_distinct([member.person_id for member in self.members], "members")
        if len(self.members) < rules.min_members:
            raise CouncilComposition(field="members", role="member", needed=rules.min_members, found=len(self.members))
        found = Counter(member.role.value for member in self.members)
        for role in rules.required_roles:
            if not found[role]:
                raise CouncilComposition(field="members", role=role, needed=1, found=0)
        for role in (MemberRole.CHAIR, MemberRole.SECRETARY):
            if found[role] > 1:
                raise CouncilComposition(field="members", role=role.value, needed=1, found=found[role])


def check_distinct(ids: list[str], field: str) -> None:
    """Raise MemberTwice when an id comes twice."""
    seen: set[str] = set()
    for position, one in enumerate(ids, start=1):
        if one in seen:
            raise MemberTwice(field=field, position=position)
        seen.add(one)


@dataclass(eq=False)
class Council(Aggregate):
    """One council over all its formations, oldest first. A later one never changes who sat before."""

    id: str
    name: str
    tier: str
    owner_id: str
    jurisdiction: str
    formations: tuple[Formation, ...]
    key: str
    fingerprint: str

    @classmethod
    def found(cls, first: Formation, rules: Composition, **facts: str) -> "Council":
        """Set up a council. `facts` are its plain fields. Raises MemberTwice, CouncilComposition."""
        first.check(rules)
        return cls(formations=(first,), **facts)

    def reform(self, formation: Formation, rules: Composition) -> bool:
        """Replace the members from the formation's day on; False when the same was done already.

        Raises CouncilReformedOtherwise for a day that is not after the latest formation, and what `Formation.check`
        raises.
        """
        latest = self.formations[-1]
        if formation in self.formations[1:]:
            return False
        if formation.established_on <= latest.established_on:
            raise CouncilReformedOtherwise(field="established_on", latest=latest.established_on.isoformat())
        formation.check(rules)
        self.formations = (*self.formations, formation)
        return True

    def members_on(self, day: date) -> tuple[Member, ...]:
        """Who sat on that day. Raises CouncilNotFormed for a day before the first formation."""
        for formation in reversed(self.formations):
            if formation.established_on <= day:
                return formation.members
        first = self.formations[0].established_on
        raise CouncilNotFormed(field="council_id", day=day.isoformat(), first=first.isoformat())

    def ever_had(self, person_id: str) -> bool:
        """Whether the person ever was a member."""
        return any(member.person_id == person_id for formation in self.formations for member in formation.members)
