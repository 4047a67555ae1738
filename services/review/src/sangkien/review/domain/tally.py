"""Counting ballots."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Choice(StrEnum):
    """What a ballot says."""

    YES = "yes"
    NO = "no"
    ABSTAIN = "abstain"


@dataclass(frozen=True, slots=True)
class Ballot:
    """One member's vote on one dossier in one session; never changed once cast."""

    session_id: str
    dossier_id: str
    member_id: str
    choice: Choice

    @property
    def id(self) -> str:
        """The same for a second ballot of the same member on the same dossier, so that there is only one."""
        return f"{self.session_id}:{self.dossier_id}:{self.member_id}"


@dataclass(frozen=True, slots=True)
class Tally:
    """The ballots of those present. `missing` cast none, `excluded` had a conflict of interest.

    The five together are the members present. Only `yes` agrees: whoever abstained or cast no ballot did not
    (Thông tư 18/2013, Điều 8: two thirds of the members have to agree).
    """

    yes: int
    no: int
    abstained: int
    missing: int
    excluded: int


def count(present: Iterable[str], conflicted: frozenset[str], ballots: Iterable[Ballot]) -> Tally:
    """Count one dossier's ballots. A ballot of someone not present or conflicted does not count."""
    by_member = {ballot.member_id: ballot.choice for ballot in ballots}
    said = dict.fromkeys(Choice, 0)
    missing = excluded = 0
    for member in present:
        choice = by_member.get(member)
        if member in conflicted:
            excluded += 1
        elif choice is None:
            missing += 1
        else:
            said[choice] += 1
    return Tally(said[Choice.YES], said[Choice.NO], said[Choice.ABSTAIN], missing, excluded)
