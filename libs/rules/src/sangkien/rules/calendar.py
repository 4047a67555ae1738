"""Working days and days off in Vietnam, as data taken from the `holidays` library (see `calendar_source`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType

from sangkien.rules.loading import load
from sangkien.rules.refusals import NoCalendar
from sangkien.text.catalogue import Lang, message

SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _DayOff:
    vi: str
    en: str
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    last_year: int
    swaps_known_to: date
    working_weekend_days: tuple[date, ...]
    uncertain: tuple[date, ...]
    days_off: tuple[_DayOff, ...]


@dataclass(frozen=True, slots=True)
class DaysOff:
    """Public holidays, days off in lieu, and the weekend days that became working days, up to the end of `last_year`.

    After `swaps_known_to`, the days are those of the law and of the lunar calendar, without the swaps that the
    government announces each year. `uncertain` are days off before it that no law was found for.
    """

    last_year: int
    swaps_known_to: date
    working: frozenset[date]
    off: Mapping[date, _DayOff]
    uncertain: tuple[date, ...]

    def check(self, day: date) -> None:
        """Raise NoCalendar when the days off of that year are not known."""
        if day.year > self.last_year:
            raise NoCalendar(field="from_date", last_year=self.last_year)

    def name(self, day: date, lang: Lang = "vi") -> str:
        """Return why nobody works on that day: the holiday or the day of the week; "" for a working day.

        Raises NoCalendar.
        """
        self.check(day)
        if day in self.working:
            return ""
        if holiday := self.off.get(day):
            return holiday.vi if lang == "vi" else holiday.en
        weekend = {SATURDAY: "clock_saturday", SUNDAY: "clock_sunday"}.get(day.weekday())
        return message(weekend, None, lang) if weekend else ""


@cache
def days_off() -> DaysOff:
    book = load("calendar.yaml", _Book)
    off = {day: one for one in book.days_off for day in one.days}
    return DaysOff(
        book.last_year, book.swaps_known_to, frozenset(book.working_weekend_days), MappingProxyType(off), book.uncertain
    )
