"""How numbers and dates are written for people in Vietnam."""

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

_ENGLISH_MONTHS = (
    "January February March April May June July August September October November December".split()
)  # strftime would follow the machine's locale


def thousands(number: int) -> str:
    """An integer with the Vietnamese thousands mark: 1080000 as `1.080.000`."""
    return f"{number:,}".replace(",", ".")


def vnd(amount: int) -> str:
    """An amount in đồng: 1080000 as `1.080.000 đ`, joined by a no-break space."""
    return f"{thousands(amount)}\u00a0đ"


def day(on: date, lang: str = "vi") -> str:
    """A date: `05/02/2023` in Vietnamese, `5 February 2023` in English."""
    if lang == "vi":
        return f"{on.day:02}/{on.month:02}/{on.year}"
    return f"{on.day} {_ENGLISH_MONTHS[on.month - 1]} {on.year}"


def _vnd_fact(value: str | int, _lang: str) -> str:
    return vnd(value) if isinstance(value, int) else value


def _date_fact(value: str | int, lang: str) -> str:
    try:
        return day(date.fromisoformat(str(value)), lang)
    except ValueError:
        return str(value)  # a text must come out whatever the fact holds


FORMATS: Mapping[str, Callable[[str | int, str], str]] = MappingProxyType({"vnd": _vnd_fact, "date": _date_fact})
