"""Score sheets and what the reviewers' scores come to. Scores support the council's vote; they do not replace it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from sangkien.rules.loading import Entry, check_entries, in_force, load
from sangkien.rules.refusals import NoScoreSheets, ScoreOutOfRange, ScoresIncomplete, UnknownCriterion

Tier = Literal["grassroots", "district", "city", "national"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A scale from 0 to `max`; a mean below `floor` fails it, and where `disqualify` is set, the whole dossier."""

    code: str
    vi: str
    en: str
    max: int
    floor: int
    disqualify: bool

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= self.max or self.max == 0:
            raise ValueError("floor lies between 0 and max, and max is above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A class band: from `min_total` up to the next band, and only with `min_score` in `criterion`."""

    code: str
    min_total: int
    criterion: str
    min_score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSheet(Entry):
    """What reviewers score. With `all_floors`, every floor must be met; `grades` go from the highest down."""

    tiers: tuple[Tier, ...]
    criteria: tuple[Criterion, ...]
    min_total: int
    all_floors: bool
    aggregation: Literal["mean"]
    grades: tuple[Grade, ...]

    def __post_init__(self) -> None:
        Entry.__post_init__(self)
        codes = [criterion.code for criterion in self.criteria]
        if len(set(codes)) < len(codes) or not codes:
            raise ValueError("criteria: each has a code of its own, and there is at least one")
        if not 0 <= self.min_total <= self.max_total:
            raise ValueError("min_total lies between 0 and the sum of the scales")
        if any(grade.criterion not in codes for grade in self.grades):
            raise ValueError("grades: criterion is not on the sheet")
        if any(low.min_total >= high.min_total for high, low in zip(self.grades, self.grades[1:], strict=False)):
            raise ValueError("grades: go from the highest min_total down")

    @property
    def max_total(self) -> int:
        return sum(criterion.max for criterion in self.criteria)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the sheets come to, in tenths of a point, rounded half up as the minutes print them.

    `floors_failed` names criteria whose printed mean is below the floor. `grade` is None where the sheet has no bands,
    the dossier does not qualify, or the side condition of its band fails.
    """

    total_tenths: int
    floors_failed: tuple[str, ...]
    qualifies: bool
    criterion_tenths: Mapping[str, int]
    grade: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    sheets: tuple[ScoreSheet, ...]

    def __post_init__(self) -> None:
        for tier in ("grassroots", "district", "city", "national"):
            check_entries([sheet for sheet in self.sheets if tier in sheet.tiers], "score_sheet")
        if len({sheet.id for sheet in self.sheets}) < len(self.sheets):
            raise ValueError("an id is used twice")


@cache
def _book() -> _Book:
    return load("scoring.yaml", _Book)


def score_sheet(jurisdiction: str, tier: Tier, on: date) -> ScoreSheet:
    """Return the sheet of that tier on that day. Raises NoRuleOnDate or NoRuleForJurisdiction."""
    return in_force([s for s in _book().sheets if tier in s.tiers], on, jurisdiction, f"score_sheet {tier}")


def evaluate(sheet: ScoreSheet, scores: Sequence[Mapping[str, int]]) -> Evaluation:
    """Take the mean of the reviewers' sheets (criterion code to points) and hold it against the sheet's rules.

    The thresholds are held against the rounded means, so that what is printed explains the outcome. Raises
    NoScoreSheets, ScoresIncomplete, UnknownCriterion or ScoreOutOfRange.
    """
    if not scores:
        raise NoScoreSheets
    for place, given in enumerate(scores, start=1):
        _check(sheet, given, place)
    tenths = {c.code: _mean_tenths(sum(given[c.code] for given in scores), len(scores)) for c in sheet.criteria}
    total = _mean_tenths(sum(sum(given.values()) for given in scores), len(scores))
    failed = [c for c in sheet.criteria if tenths[c.code] < c.floor * 10]
    stopped = bool(failed) if sheet.all_floors else any(c.disqualify for c in failed)
    qualifies = total >= sheet.min_total * 10 and not stopped
    return Evaluation(
        total_tenths=total,
        floors_failed=tuple(c.code for c in failed),
        qualifies=qualifies,
        criterion_tenths=tenths,
        grade=_grade(sheet, total, tenths) if qualifies else None,
    )


def _mean_tenths(total: int, count: int) -> int:
    return (20 * total + count) // (2 * count)


def _check(sheet: ScoreSheet, given: Mapping[str, int], place: int) -> None:
    asked = [c.code for c in sheet.criteria]
    if given.keys() - set(asked):
        raise UnknownCriterion(field="scores", sheet=place, criteria=", ".join(asked))
    if missing := [code for code in asked if code not in given]:
        raise ScoresIncomplete(field="scores", sheet=place, criteria=", ".join(missing))
    for criterion in sheet.criteria:
        if not 0 <= given[criterion.code] <= criterion.max:
            raise ScoreOutOfRange(field="scores", sheet=place, criterion=criterion.code, max=criterion.max)


def _grade(sheet: ScoreSheet, total: int, tenths: Mapping[str, int]) -> str | None:
    for grade in sheet.grades:
        if total >= grade.min_total * 10:
            return grade.code if tenths[grade.criterion] >= grade.min_score * 10 else None
    return None
