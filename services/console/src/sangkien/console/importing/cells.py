"""Reads single cells: texts, dates, shares, money, the way people write them in Vietnam."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal

from sangkien.console.importing.problems import CellRefused
from sangkien.kernel import Refusal, parse_share
from sangkien.text import fold, nfc, nfc_lines

_EXCEL_START: Final = date(1899, 12, 30)
_EARLIEST: Final = {"birth_date": 1901, "first_applied_on": 1990, "filed_on": 1990}
_HALF_A_DATE: Final = 1901
"""Before it lie 1899 and 0000, which spreadsheets make of half a date."""
_SERIAL: Final = re.compile(r"\d{5}(?:\.0+)?")
_LEAST_AGE: Final = 14

_DAY: Final = r"(?P<day>\d{1,2})"
_MONTH: Final = r"(?P<month>\d{1,2})"
_YEAR: Final = r"(?P<year>\d{4}|\d{2})"
_DATES: Final = [
    re.compile(words)
    for words in (
        rf"(?P<year>\d{{4}})\s*[-/.]\s*{_MONTH}\s*[-/.]\s*{_DAY}(?:[t ]+\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?z?)?",
        rf"(?:ngay )?{_DAY}\s*[-/.]\s*{_MONTH}\s*[-/.]\s*{_YEAR}(?: \d{{1,2}}:\d{{2}}(?::\d{{2}})?)?",
        rf"(?:ngay )?{_DAY}\s*(?:thang|/|-)\s*{_MONTH}\s*(?:nam|/|-)\s*{_YEAR}",
        r"(?:thang )?(?P<month>\d{1,2})\s*(?:nam|[-/.])\s*(?P<year>\d{4})",
    )
]
_SPAN: Final = re.compile(r"(?:bat dau )?(?:tu|from)(?: ngay| thang)? (?P<from>.+?)(?: (?:den|to|-)\b.*)?")

_MOST_MONEY: Final = 2**53
_SCALES: Final = {"": 1, "nghin": 10**3, "ngan": 10**3, "trieu": 10**6, "tr": 10**6, "ty": 10**9, "ti": 10**9}
_MONEY: Final = re.compile(
    r"(\d{1,3}(?:[.,]\d{3})+|\d+(?:[.,]\d{1,2})?)\s*(nghin|ngan|trieu|tr|ty|ti)?\s*(?:dong|vnd|d)?(?:\s*/\s*(?:1\s*)?nam)?"
)
_PERCENT: Final = re.compile(r"(\d{1,3}(?:[.,]\d+)?)\s*%")
_SHARE_MARKS: Final = re.compile(r"[\n;/|+]|,\s+|\s{2,}|(?<=\d)\s*[-–—:]\s*(?=\d)|\s+(?=\d)")
_FRACTION: Final = re.compile(r"0?[.,]\d{1,4}|1(?:[.,]0+)?")


UNCALCULATED: Final = "#FORMULA"
"""What stands for a formula without a result."""
ERRORS: Final = frozenset(
    {"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", UNCALCULATED}
)


def text_of(cell: Any) -> str:
    """A cell as text of one or more lines, in normal form. Whole numbers lose the ".0" that spreadsheets give them."""
    if cell is None or isinstance(cell, bool | time | timedelta):
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    text = str(cell)
    return nfc_lines(text) if "\n" in text or "\r" in text else nfc(text)


def is_error(cell: Any) -> bool:
    """Whether a spreadsheet shows an error here, or a formula that was never worked out."""
    return isinstance(cell, str) and cell.startswith("#") and cell in ERRORS


def lines_of(text: str) -> list[str]:
    """The values of a cell that holds one a line, or split by ";"."""
    return [part.strip() for part in re.split(r"[\n;]", text) if part.strip()]


DateField = Literal["birth_date", "first_applied_on", "filed_on"]


def read_date(field: DateField, cell: Any, today: date) -> date | None:
    """A date in any of the usual forms, None for an empty cell. A month alone is its first day.

    Raises CellRefused: `date_invalid` for what is no day of the calendar or cannot be told, `date_too_early`,
    `date_in_future`.
    """
    found = _date(field, cell, today)
    if found is None:
        return None
    if found.year < _HALF_A_DATE:
        raise CellRefused(field, "date_invalid")
    if found.year < _EARLIEST[field]:
        raise CellRefused(field, "date_too_early", year=_EARLIEST[field])
    if found > today:
        raise CellRefused(field, "date_in_future", today=today.isoformat())
    return found


def _date(field: DateField, cell: Any, today: date) -> date | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, bool | time | timedelta):
        raise CellRefused(field, "date_invalid")
    if isinstance(cell, int | float):
        if not 20_000 <= cell < 80_000:
            raise CellRefused(field, "date_invalid")
        return _EXCEL_START + timedelta(days=int(cell))
    text = fold(text_of(cell)).strip(" .,-–")
    if not text:
        return None
    if _SERIAL.fullmatch(text):  # a date that lost its format on the way into text
        return _date(field, float(text), today)
    span = _SPAN.fullmatch(text)
    return _written_date(field, span["from"] if span else text, today)


def _written_date(field: DateField, text: str, today: date) -> date:
    for pattern in _DATES:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        parts = match.groupdict()
        year = int(parts["year"])
        if len(parts["year"]) == 2:
            year = _century(field, year, today)
        try:
            return date(year, int(parts["month"]), int(parts.get("day") or 1))
        except ValueError:
            break
    raise CellRefused(field, "date_invalid")


def _century(field: DateField, year: int, today: date) -> int:
    """Two digits of a year: the latest that makes sense. Nobody files before the age of fourteen."""
    latest = today.year - (_LEAST_AGE if field == "birth_date" else 0)
    return 2000 + year if 2000 + year <= latest else 1900 + year


def read_shares(cell: Any, authors: int) -> list[int]:
    """Shares in hundredths of a percent, in the order of the cell; empty for an empty cell.

    Bare numbers up to 1 are a cell in percent format (0.6 is 60 %), as number or as text. Raises CellRefused
    `share_malformed`.
    """
    if isinstance(cell, bool | time | timedelta):  # "50:50" becomes a time where a spreadsheet takes it for one
        raise CellRefused("share", "share_malformed")
    if isinstance(cell, int | float):
        return [round(cell * 10_000) if 0 < cell <= 1 else _share(f"{cell:g}")]
    text = unicodedata.normalize("NFKC", text_of(cell))
    if not text:
        return []
    parts = _PERCENT.findall(text)
    if parts:
        return [_share(part) for part in parts]
    parts = [part.strip() for part in _SHARE_MARKS.split(text) if part.strip()]
    if len(parts) == 1 and text.count(",") == authors - 1 > 0:
        numbers = [number.strip() for number in text.split(",")]
        if all(number.isdigit() for number in numbers) and sum(map(int, numbers)) == 100:
            parts = numbers
    if all(_FRACTION.fullmatch(part) for part in parts):
        return [round(float(part.replace(",", ".")) * 10_000) for part in parts]
    return [_share(part) for part in parts]


def _share(text: str) -> int:
    try:
        return parse_share(text)
    except Refusal:
        raise CellRefused("share", "share_malformed") from None


def read_money(cell: Any) -> int | None:
    """Whole đồng, 0 for an empty cell, None for what is no single exact amount of đồng.

    The dot parts thousands and the comma decimals: `131.800.000 đồng`, `97,3 tỉ`, `3.500 triệu`.
    """
    amount = _money(cell)
    return amount if amount is None or amount <= _MOST_MONEY else None


def _money(cell: Any) -> int | None:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return int(cell) if cell >= 0 and float(cell).is_integer() else None
    text = fold(text_of(cell)).strip(" .=")
    if not text or text in ("khong", "-", "0"):
        return 0
    match = _MONEY.fullmatch(text)
    if match is None:
        return None
    number, scale = match[1], _SCALES[match[2] or ""]
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", number) and not (scale > 1 and number.count(",") == 1):
        return int(re.sub(r"[.,]", "", number)) * scale
    whole, _, decimals = number.replace(",", ".").partition(".")
    amount, rest = divmod(int(whole + decimals) * scale, 10 ** len(decimals))
    return None if rest else amount
