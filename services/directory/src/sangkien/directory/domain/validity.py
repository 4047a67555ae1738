"""From when to when something holds, as callers write it."""

from datetime import date

from sangkien.directory.domain.errors import ValidityMalformed, ValidityReversed
from sangkien.kernel import DateRange

ALWAYS = DateRange(date.min, date.max)


def parse_validity(valid_from: str, valid_to: str) -> DateRange:
    """A period of YYYY-MM-DD days, both included; an empty end is open (`date.min`, `date.max`).

    Raises ValidityMalformed and ValidityReversed, naming the field.
    """
    first = parse_day(valid_from, "valid_from") or date.min
    last = parse_day(valid_to, "valid_to") or date.max
    if last < first:
        raise ValidityReversed(field="valid_to")
    return DateRange(first, last)


def parse_day(text: str, field: str) -> date | None:
    """A YYYY-MM-DD day, None for "". Raises ValidityMalformed."""
    if not text:
        return None
    day = read_day(text)
    if day is None:
        raise ValidityMalformed(field=field)
    return day


def read_day(text: str) -> date | None:
    """The day that YYYY-MM-DD names, None for any other text."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None  # the standard library also reads 20230131 and 2023-W05-2


def first_day(period: DateRange) -> date | None:
    """The first day, None when the period has no beginning."""
    return None if period.valid_from == date.min else period.valid_from


def last_day(period: DateRange) -> date | None:
    """The last day, None when the period has no end."""
    return None if period.valid_to in (None, date.max) else period.valid_to
