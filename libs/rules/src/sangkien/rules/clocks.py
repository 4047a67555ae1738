"""Legal clocks: the last day of a term, and why it is that day.

Counting follows Bộ luật Dân sự 2015, Điều 147–148: the day the term starts from is not counted; a term in months ends
on the day of the same number, or on the last day of a month that has none; a term, in months or in days, whose last day
is a weekly rest day or a public holiday ends at the end of the next working day. A Saturday that the government made a
working day is one.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType
from typing import Literal

from sangkien.rules.calendar import days_off
from sangkien.rules.loading import Entry, check_entries, in_force, load
from sangkien.rules.refusals import UnknownClock
from sangkien.text.catalogue import Lang, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock(Entry):
    """One term: so many months or days from the day its names speak of.

    `later_start` says that the term may start from a second day, where that one is later.
    """

    rule: str
    vi: str
    en: str
    length: int
    unit: Literal["month", "day"]
    later_start: bool = False

    @property
    def subject(self) -> str:
        return self.rule


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    counting: tuple[Entry, ...]
    clocks: tuple[Clock, ...]

    def __post_init__(self) -> None:
        check_entries(self.counting, "counting")
        check_entries(self.clocks, "clock")


@dataclass(frozen=True, slots=True)
class Due:
    """The last day of a term. `why` are sentences in the order of the reckoning; `rule_set_id` is what to store.

    `unverified` names the parts not verified: `length`, `counting` (the text of the counting rules), `valid_from`, and
    `holidays` where the days off of that year had not been announced when the rules were written, or no law was found.
    """

    due: date
    why: tuple[str, ...]
    verified: bool
    unverified: tuple[str, ...]
    rule_set_id: str
    sources: tuple[str, ...]


@cache
def _book() -> _Book:
    return load("clocks.yaml", _Book)


@cache
def clocks() -> Mapping[str, Clock]:
    """The latest entry of every clock, by rule, in the order of the procedure."""
    return MappingProxyType({clock.rule: clock for clock in _book().clocks})


def due(
    rule: str,
    from_date: date,
    *,
    jurisdiction: str = "vn",
    later_start: date | None = None,
    lang: Lang = "vi",
) -> Due:
    """Say when a term that starts from `from_date` ends, by the rule in force on that day.

    `later_start` is for `decide` alone: the end of the first application, which starts the term where it comes after
    acceptance (Nghị định 13/2012, Điều 7(1)); ValueError for any other rule. Raises UnknownClock, NoRuleOnDate,
    NoRuleForJurisdiction, or NoCalendar where the public holidays are not known.
    """
    if rule not in clocks():
        raise UnknownClock(field="rule", known=", ".join(clocks()))
    clock = in_force([one for one in _book().clocks if one.rule == rule], from_date, jurisdiction, rule)
    counting = in_force(_book().counting, from_date, "vn", "counting")
    start = from_date
    why: list[str] = []
    if later_start is not None:
        if not clock.later_start:
            raise ValueError(f"the term {rule} has one start only")
        if later_start > from_date:
            start = later_start
            facts = {"start": start.isoformat(), "earlier": from_date.isoformat()}
            why.append(message("clock_later_start", facts, lang))
    days_off().check(start)
    last = _count(clock, start, why, lang)
    end = _next_working_day(last, str(counting.source), why, lang)
    doubts = {*clock.unverified, *counting.unverified}
    if end > days_off().swaps_known_to or any(last <= day < end for day in days_off().uncertain):
        doubts.add("holidays")
    return Due(
        due=end,
        why=tuple(why),
        verified=not doubts,
        unverified=tuple(sorted(doubts)),
        rule_set_id=f"{clock.rule_set_id}+{counting.rule_set_id}",
        sources=(str(clock.source), str(counting.source)),
    )


def _count(clock: Clock, start: date, why: list[str], lang: Lang) -> date:
    """Return the last day before any rest day is looked at."""
    if clock.unit == "month":
        months = start.year * 12 + start.month - 1 + clock.length
        year, month = months // 12, months % 12 + 1
        length = monthrange(year, month)[1]
        last = date(year, month, min(start.day, length))
    else:
        length = start.day
        last = start + timedelta(days=clock.length)
    facts: dict[str, str | int] = {
        "source": str(clock.source),
        "length": clock.length,
        "start": start.isoformat(),
        "last": last.isoformat(),
    }
    why.append(message(f"clock_counted_{clock.unit}s", facts, lang))
    if length < start.day:
        why.append(message("clock_short_month", {"day": start.day, "last": last.isoformat()}, lang))
    return last


def _next_working_day(last: date, source: str, why: list[str], lang: Lang) -> date:
    day = last
    while name := days_off().name(day, lang):
        why.append(message("clock_rest_day", {"day": day.isoformat(), "name": name}, lang))
        day += timedelta(days=1)
    if day != last:
        why.append(message("clock_moved", {"due": day.isoformat(), "source": source}, lang))
    return day
