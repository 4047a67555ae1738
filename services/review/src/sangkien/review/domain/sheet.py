"""A score sheet: what one reviewer thinks of one dossier."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScoreSheet:
    """Points by criterion code, and a comment for the council. Never changed once handed in.

    `rule_set` names the scale it was filled in by.
    """

    dossier_id: str
    reviewer_id: str
    scores: Mapping[str, int]
    comment: str
    rule_set: str

    @property
    def id(self) -> str:
        """The same for a second sheet of the same reviewer on the same dossier, so that there is only one."""
        return f"{self.dossier_id}:{self.reviewer_id}"


@dataclass(frozen=True, slots=True)
class Score:
    """What the valid sheets come to: the mean of their totals in tenths of a point, and whether that qualifies."""

    mean_tenths: int
    qualifies: bool
    rule_set: str
