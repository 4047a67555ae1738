"""Why a filing may be refused or an initiative not recognised, and what a filing may lack."""

from dataclasses import dataclass
from datetime import date
from functools import cache

from sangkien.rules.loading import Entry, check_entries, in_force, load


@dataclass(frozen=True, slots=True)
class Reason:
    """A ground of refusal or a shortcoming, with its words for the letter to the author and where the law has it."""

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
    shortcomings: tuple[_ReasonSet, ...]

    def __post_init__(self) -> None:
        check_entries(self.sets, "refusal_reason")
        check_entries(self.shortcomings, "shortcoming")
        for one in (*self.sets, *self.shortcomings):
            if len({ground.code for ground in one.reasons}) < len(one.reasons):
                raise ValueError(f"{one.id}: a code is used twice")


@cache
def _book() -> _Book:
    return load("reasons.yaml", _Book)


def refusal_reasons(on: date) -> dict[str, Reason]:
    """Return the grounds there are on that day, by code, in the order of the law. Raises NoRuleOnDate."""
    return _words(in_force(_book().sets, on, "vn", "refusal_reason"))


def shortcomings(on: date) -> dict[str, Reason]:
    """Return what a filing may lack on that day, by code, in the order of the form. Raises NoRuleOnDate."""
    return _words(in_force(_book().shortcomings, on, "vn", "shortcoming"))


def _words(rules: _ReasonSet) -> dict[str, Reason]:
    return {g.code: Reason(g.vi, g.en, rules.source.cite(g.article), g.verified) for g in rules.reasons}
