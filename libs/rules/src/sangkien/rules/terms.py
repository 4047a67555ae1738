"""Words that change with the law."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from sangkien.rules.loading import Entry, check_entries, in_force, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Term(Entry):
    """The words for one thing during one period."""

    group: Literal["tier", "effect"]
    code: str
    vi: str
    en: str

    @property
    def subject(self) -> str:
        return f"{self.group} {self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        check_entries(self.terms, "term")


@cache
def _book() -> _Book:
    return load("terms.yaml", _Book)


def tiers(on: date) -> Mapping[str, Term]:
    """Return the tiers of recognition there are on that day, lowest first; none before Điều lệ Sáng kiến."""
    return {term.code: term for term in _book().terms if term.group == "tier" and term.period.contains(on)}


def effect_term(of: Literal["initiative", "research"], on: date) -> Term:
    """Return what a higher tier recognises: "phạm vi ảnh hưởng", or from 2024 an initiative's "khả năng nhân rộng".

    Raises NoRuleOnDate.
    """
    subject = f"effect {of}"
    return in_force([term for term in _book().terms if term.subject == subject], on, "vn", subject)
