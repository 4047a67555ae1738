"""Why a filing may be refused, or an initiative not recognised."""

from dataclasses import dataclass
from datetime import date
from functools import cache

from sangkien.rules.loading import Entry, check_entries, in_force, load


@dataclass(frozen=True, slots=True)
class Reason:
    """A ground of refusal, with its words for the letter to the author and where it stands in the law."""

    vi: str
    en: str
    source: str
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    code: str
    vi: str
    en: str
    article: str
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReasonSet(Entry):
    reasons: tuple[_Ground, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    sets: tuple[_ReasonSet, ...]

    def __post_init__(self) -> None:
        check_entries(self.sets, "refusal_reason")
        for one in self.sets:
            if len({ground.code for ground in one.reasons}) < len(one.reasons):
                raise ValueError(f"{one.id}: a code is used twice")


@cache
def _book() -> _Book:
    return load("reasons.yaml", _Book)


def refusal_reasons(on: date) -> dict[str, Reason]:
    """Return the grounds there are on that day, by code, in the order of the law. Raises NoRuleOnDate."""
    rules = in_force(_book().sets, on, "vn", "refusal_reason")
    return {g.code: Reason(g.vi, g.en, rules.source.cite(g.article), g.verified) for g in rules.reasons}
