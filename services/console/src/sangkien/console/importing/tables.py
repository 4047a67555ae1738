"""Reads spreadsheets and CSV files into rows of plain cells, whoever made them."""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sangkien.console.importing.headers import Header, find_header
from sangkien.console.importing.problems import TableUnreadable
from sangkien.console.importing.unpacking import Marks, look_into
from sangkien.text import legacy_encoding

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

Cell = str | float | int | bool | datetime | date | time | timedelta | None

MOST_BYTES: Final = 200 * 2**20
"""Of the file itself."""
_OTHER_KINDS: Final = (
    b"%pdf",
    b"\x89png",
    b"\xff\xd8\xff",
    b"gif8",
    b"rar!",
    b"<html",
    b"<!doctype",
    b"<?xml",
    b"<table",
)
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_CONTROL: Final = re.compile("[\x01-\x08\x0e-\x1f]")
_END: Final = "\x1e"
_JOINED: Final = re.compile("[\u1ea0-\u1ef9]")
_UNJOINED: Final = re.compile("[\u0300\u0301\u0303\u0309\u0323]")


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet. `rows[0]` is row 1 of the spreadsheet. `merged` are (first row, last row, column), from 0.

    `header` is None when no row of the sheet looks like one. `unread` names further sheets with lists of their own.
    `delimited` is a text file; `swallowed` is its row, from 1, whose quote is never closed, and the lines lost with it.
    """

    rows: Sequence[Sequence[Cell]]
    header: Header | None
    merged: tuple[tuple[int, int, int], ...] = ()
    unread: tuple[str, ...] = ()
    delimited: bool = False
    swallowed: tuple[int, int] | None = None


def read_table(path: Path) -> Table:
    """The table in an .xlsx, .xls, .ods or .csv file: the first sheet with a header, else the first that is not empty.

    Hidden sheets count only where no other will do.

    Raises TableUnreadable for a file that is missing, of another kind, broken, protected, or too large unpacked.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
        size = path.stat().st_size
    except OSError as error:
        raise TableUnreadable("file_unreadable", reason=type(error).__name__) from None
    if size > MOST_BYTES:
        raise TableUnreadable("file_too_large", limit=MOST_BYTES // 2**20)
    if start.startswith(b"PK\x03\x04"):
        return _from_workbook(path, look_into(path))
    if start == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        if _ENCRYPTED in path.read_bytes():  # an .xlsx with a password, whatever it is called
            raise TableUnreadable("file_protected")
        return _from_workbook(path, {})
    if path.suffix.lower() in (".xlsx", ".xls", ".xlsm", ".ods"):
        raise TableUnreadable("file_broken")
    return _from_csv(path.read_bytes())


def _from_workbook(path: Path, marks: Marks) -> Table:
    import python_calamine as calamine

    try:
        with _opened(path) as book:
            shown = [each.name for each in book.sheets_metadata if each.visible == calamine.SheetVisibleEnum.Visible]
            hidden = [name for name in book.sheet_names if name not in shown]
            tables = {
                name: table
                for name in (*shown, *hidden)
                if (table := _sheet(book, name, marks.get(name, {}))) is not None
            }
    except calamine.PasswordError:
        raise TableUnreadable("file_protected") from None
    except (calamine.CalamineError, ValueError, OverflowError) as error:
        raise TableUnreadable("file_protected" if "assword" in str(error) else "file_broken") from None
    if not tables:
        raise TableUnreadable("table_empty")
    lists = [name for name, table in tables.items() if table.header is not None and table.header.complete]
    headed = [name for name, table in tables.items() if table.header is not None]
    chosen = next(iter((*lists, *headed, *tables)))
    return replace(tables[chosen], unread=tuple(name for name in lists if name != chosen and name in shown))


def _opened(path: Path) -> "CalamineWorkbook":
    """By the name's suffix, else by content: people rename .xls to .xlsx and the other way round."""
    import python_calamine as calamine

    try:
        return calamine.CalamineWorkbook.from_path(str(path))
    except calamine.PasswordError:
        raise
    except calamine.CalamineError:
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))


def _sheet(book: "CalamineWorkbook", name: str, marks: Mapping[tuple[int, int], str]) -> Table | None:
    """A sheet, None when it holds nothing."""
    sheet = book.get_sheet_by_name(name)
    if sheet.start is None:
        return None
    rows = sheet.to_python(skip_empty_area=False)
    for (line, column), mark in marks.items():
        if line < len(rows) and column < len(rows[line]):
            rows[line][column] = mark
    if not any(any(cell not in ("", None) for cell in row) for row in rows[:2_000]):
        return None
    merged = tuple((top, bottom, left) for (top, left), (bottom, _) in (sheet.merged_cell_ranges or ()) if bottom > top)
    return Table(rows, find_header(rows), merged)


def _from_csv(raw: bytes) -> Table:
    if raw.lstrip()[:16].lower().startswith(_OTHER_KINDS):
        raise TableUnreadable("file_broken")
    text = _decoded(raw).replace("\0", "")
    if not text.strip():
        raise TableUnreadable("table_empty")
    if len(_CONTROL.findall(text[:4_000])) > len(text[:4_000]) // 100:
        raise TableUnreadable("file_broken")
    csv.field_size_limit(2**24)
    marks = [(_score(text[:200_000], mark), mark) for mark in _marks(text)]
    mark = max(marks, key=lambda pair: pair[0])[1]  # of equals the first, which is the likeliest
    try:
        # The last line is seen apart from the others, unless a quote before it is still open.
        rows = list(csv.reader(io.StringIO(f"{text}\n{_END}", newline=""), delimiter=mark))
    except csv.Error:
        raise TableUnreadable("file_broken") from None
    swallowed = None
    if (last := rows.pop()) != [_END]:
        swallowed = len(rows) + 1, "".join(last).count("\n")
    return Table(rows, find_header(rows), delimited=True, swallowed=swallowed)


def _score(sample: str, mark: str) -> int:
    """How much of a header can be read when the text is split at this mark."""
    try:
        header = find_header(list(csv.reader(io.StringIO(sample, newline=""), delimiter=mark)))
    except csv.Error:
        return -1
    return header.score if header else 0


def _marks(text: str) -> list[str]:
    """The delimiters to try, the likeliest first; Vietnamese spreadsheets write ";" where English ones write ","."""
    start = text[:5_000]
    return sorted(",;\t|", key=start.count, reverse=True)


def _decoded(raw: bytes) -> str:
    """UTF-8 or UTF-16 where it is that; else Windows-1258, unless the bytes make sense as TCVN3 or VNI only.

    Those are left as they are for the rows to be refused with the name of their encoding.
    """
    if raw.startswith(b"\xef\xbb\xbf"):
        return raw.decode("utf-8-sig", errors="replace")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    head = raw[:4_000]
    if head.count(0) > len(head) // 4:
        return raw.decode("utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be", errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", errors="replace")
        if len(_JOINED.findall(text)) > text.count("\ufffd"):  # a broken byte makes one row unreadable, not the file
            return text
        text = unicodedata.normalize("NFC", raw.decode("cp1258", errors="replace"))
        latin = raw.decode("latin-1")
        # In Windows-1258 every tone follows its vowel and joins it; other encodings leave tones that join nothing.
        sound = len(_JOINED.findall(text)) > len(_UNJOINED.findall(text))
        return latin if not sound and legacy_encoding(latin[:20_000]) else text
