"""What reviewers and members think of each dossier, drawn from the seed so that the council's rule has its outcome.

The scenario says how many are to pass; this draws which, then scores and ballots that the rule turns into just that.
No service is told: each gets sheets and ballots, and counts them by the rules of the day.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sangkien.rules import CouncilRules, ScoreSheet, council_rules

YES, NO, ABSTAIN = "yes", "no", "abstain"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One dossier: points by reviewer and criterion, and ballots by member."""

    dossier_id: str
    points: dict[str, dict[str, int]]
    ballots: dict[str, str]


class Verdicts:
    """Draws for one round. The same seed and the same ids give the same verdicts."""

    def __init__(
        self, seed: str, *, sheet: ScoreSheet, held_on: date, members: Sequence[str], present: Sequence[str]
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311 (a story, not a secret)
        self._sheet = sheet
        self._present = tuple(present)
        rules: CouncilRules = council_rules(held_on)
        self._needed = rules.votes_needed(len(members), len(present))

    def draw(self, dossiers: dict[str, Sequence[str]], passing: int) -> list[Verdict]:
        """Verdicts for `{dossier id: its reviewers}`, of which `passing` reach the majority, whichever they are."""
        chosen = set(self._random.sample(sorted(dossiers), passing))
        return [self._verdict(each, dossiers[each], each in chosen) for each in sorted(dossiers)]

    def _verdict(self, dossier_id: str, reviewers: Sequence[str], passes: bool) -> Verdict:  # noqa: FBT001
        voters = len(self._present)
        yes = self._random.randint(self._needed, voters) if passes else self._random.randint(0, self._needed - 1)
        order = self._random.sample(self._present, voters)
        ballots = dict.fromkeys(order[:yes], YES)
        ballots |= {member: self._random.choice((NO, NO, NO, ABSTAIN)) for member in order[yes:]}
        points = {reviewer: self._points(passes) for reviewer in reviewers}
        return Verdict(dossier_id, points, ballots)

    def _points(self, passes: bool) -> dict[str, int]:  # noqa: FBT001
        low, high = (65, 100) if passes else (15, 60)
        return {c.code: c.max * self._random.randint(low, high) // 100 for c in self._sheet.criteria}
