"""Writes `data/calendar.yaml` from the `holidays` library and the days it lacks: run as a module, it prints the file.

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

# What the library lacks of the days that the government moved for its offices, as {day off: day worked}: its dispatch
# of 23/11/2012 about 2013, the calendar of 2014, and its answer of 25/12/2025 about the New Year of 2026.
SWAPS = {
    date(2012, 12, 31): date(2013, 1, 5),
    date(2013, 2, 15): date(2013, 2, 23),
    date(2014, 1, 28): date(2014, 1, 25),
    date(2014, 1, 29): date(2014, 2, 8),
    date(2026, 1, 2): date(2026, 1, 10),
}
# Nghị quyết 80-NQ/TW of the party (07/01/2026) means 24/11 to be a day off; a law that makes it one was not found.
UNCERTAIN = (date(2026, 11, 24),)
# In 2014 Tết began a day later than the library has it: 29/01 was moved, and the weekend made up for to the end.
OBSERVED = {date(2014, 2, 5): ("Mùng sáu Tết Nguyên Đán", "Sixth Day of Lunar New Year")}

_HEAD = """\
# Generated from the `holidays` library, and what it lacks, by sangkien.rules.calendar_source; do not edit.
"""


def render() -> str:
    """Return the text of the data file as the installed library has it."""
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    vi, en = (country_holidays("VN", years=years, language=language) for language in ("vi", "en_US"))
    names = {day: (vi[day], en[day]) for day in vi if day.year in years} | OBSERVED
    names |= {
        off: (f"Ngày nghỉ (thay cho ngày {day:%d/%m/%Y})", f"Day off (substituted from {day:%m/%d/%Y})")
        for off, day in SWAPS.items()
    }
    named = sorted((name, day) for day, name in names.items())
    swaps_known_to = date(max(VietnamStaticHolidays.special_public_holidays), 12, 31)
    worked = {day for day in vi.weekend_workdays if day.year in years} | set(SWAPS.values())
    working = ", ".join(day.isoformat() for day in sorted(worked))
    lines = [f"last_year: {LAST_YEAR}", f"swaps_known_to: {swaps_known_to}", f"working_weekend_days: [{working}]"]
    lines += [f"uncertain: [{', '.join(map(str, UNCERTAIN))}]", "days_off:"]
    for (name_vi, name_en), group in groupby(named, key=lambda item: item[0]):
        days = fill(", ".join(str(day) for _, day in group), 106, break_on_hyphens=False)
        lines += [f'  - vi: "{name_vi}"', f'    en: "{name_en}"', "    days:", indent(f"[{days}]", " " * 6)]
    return _HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
