"""Councils: who sits, when a session may vote, when a vote passes."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from sangkien.rules.loading import Entry, check_entries, in_force, load

Role = Literal["chair", "vice_chair", "secretary", "expert", "union_representative"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CouncilRules(Entry):
    """Composition and thresholds of a recognition council (Thông tư 18/2013, Điều 8).

    Thresholds are exact fractions. `pass_denominator` "all" counts every member, present or not, as the circular reads.
    `author_excluded`: no author or co-author takes part in their own dossier. `head_author_excluded_when_state_funded`:
    a head of unit who is an author of a state-funded initiative does not sit at all, and its recognition needs the
    superior body's approval (`head_author_needs_superior_approval`; Nghị định 13/2012, Điều 7(2)).
    """

    min_members: int
    min_reviewers: int
    required_roles: tuple[Role, ...]
    union_representative_when_author_is_member: bool
    quorum_num: int
    quorum_den: int
    pass_num: int
    pass_den: int
    pass_denominator: Literal["all", "present"]
    author_excluded: bool
    head_author_excluded_when_state_funded: bool
    head_author_needs_superior_approval: bool

    def __post_init__(self) -> None:
        Entry.__post_init__(self)
        for name, num, den in (("quorum", self.quorum_num, self.quorum_den), ("pass", self.pass_num, self.pass_den)):
            if not 0 < num <= den:
                raise ValueError(f"{name}_num/{name}_den is not above 0 and at most 1")
        if self.min_members < len(self.required_roles) or self.min_reviewers < 1:
            raise ValueError("min_members or min_reviewers is too small")

    def quorum(self, members: int) -> int:
        """Return how many of `members` must be present."""
        return _at_least(members, self.quorum_num, self.quorum_den)

    def votes_needed(self, members: int, present: int) -> int:
        """Return how many must agree for a vote to pass."""
        voters = present if self.pass_denominator == "present" else members  # noqa: S105 (a fraction's denominator)
        return _at_least(voters, self.pass_num, self.pass_den)


def _at_least(whole: int, num: int, den: int) -> int:
    return -(-whole * num // den)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    councils: tuple[CouncilRules, ...]

    def __post_init__(self) -> None:
        check_entries(self.councils, "council")


@cache
def _book() -> _Book:
    return load("councils.yaml", _Book)


def council_rules(on: date, *, jurisdiction: str = "vn") -> CouncilRules:
    """Return the rules for councils on that day. Raises NoRuleOnDate or NoRuleForJurisdiction."""
    return in_force(_book().councils, on, jurisdiction, "council")
