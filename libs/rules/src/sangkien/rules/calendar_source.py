"""Writes `data/calendar.yaml` from the `holidays` library: run as a module, it prints the file.

The library's days are shipped as data because importing it costs a process some 45 MiB, and because a due date should
not move with an upgrade nobody looked at. A test keeps the file equal to what the installed library says.
"""

import sys
from datetime import date
from itertools import groupby
from textwrap import fill, indent

from holidays import country_holidays
from holidays.countries.vietnam import Vietnam, VietnamStaticHolidays

FIRST_YEAR = 2012  # Điều lệ Sáng kiến, in force from 25/04/2012, has the oldest clock
LAST_YEAR = Vietnam.end_year - 1

_HEAD = """\
# Generated from the `holidays` library by sangkien.rules.calendar_source; do not edit.
"""


def render() -> str:
    """Return the text of the data file as the installed library has it."""
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    vi, en = (country_holidays("VN", years=years, language=language) for language in ("vi", "en_US"))
    named = sorted(((vi[day], en[day]), day) for day in vi if day.year in years)
    swaps_known_to = date(max(VietnamStaticHolidays.special_public_holidays), 12, 31)
    working = ", ".join(day.isoformat() for day in sorted(vi.weekend_workdays) if day.year in years)
    lines = [f"last_year: {LAST_YEAR}", f"swaps_known_to: {swaps_known_to}", f"working_weekend_days: [{working}]"]
    lines.append("days_off:")
    for (name_vi, name_en), group in groupby(named, key=lambda item: item[0]):
        days = fill(", ".join(str(day) for _, day in group), 106, break_on_hyphens=False)
        lines += [f'  - vi: "{name_vi}"', f'    en: "{name_en}"', "    days:", indent(f"[{days}]", " " * 6)]
    return _HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
