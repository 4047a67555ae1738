"""Reads spreadsheets and CSV files into rows of plain cells, whoever made them."""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sangkien.console.importing.headers import Header, find_header
from sangkien.console.importing.problems import TableUnreadable
from sangkien.text import legacy_encoding

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

Cell = str | float | int | bool | datetime | date | time | timedelta | None

MOST_BYTES: Final = 200 * 2**20
"""Of the file itself."""
MOST_UNPACKED: Final = 600 * 2**20
"""Of a workbook once unpacked. A hundred thousand rows of a dozen columns make some 80 MiB."""
MOST_CELLS: Final = 40_000_000
_PIECE: Final = 2**20
_JOINED: Final = re.compile("[\u1ea0-\u1ef9]")
_UNJOINED: Final = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_REFERENCE: Final = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"')


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet. `rows[0]` is row 1 of the spreadsheet. `merged` are (first row, last row, column), from 0.

    `header` is None when no row of the sheet looks like one. `unread` names further sheets with lists of their own.
    """

    rows: Sequence[Sequence[Cell]]
    header: Header | None
    merged: tuple[tuple[int, int, int], ...] = ()
    unread: tuple[str, ...] = ()


def read_table(path: Path) -> Table:
    """The table in an .xlsx, .xls or .csv file: the first sheet with a header, else the first with anything in it.

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
        _check_unpacked(path)
        return _from_workbook(path)
    if start == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return _from_workbook(path)
    if path.suffix.lower() in (".xlsx", ".xls", ".xlsm", ".ods"):
        raise TableUnreadable("file_broken")
    return _from_csv(path.read_bytes())


def _check_unpacked(path: Path) -> None:
    """Unpack once, counting: what a workbook says of its own size is not to be trusted."""
    unpacked = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                sheet = "worksheets/" in member.filename
                rows = columns = 0
                tail = b""
                with archive.open(member) as content:
                    while piece := content.read(_PIECE):
                        unpacked += len(piece)
                        if unpacked > MOST_UNPACKED:
                            raise TableUnreadable("file_too_large", limit=MOST_UNPACKED // 2**20)
                        if sheet:
                            rows, columns = _reach(tail + piece, rows, columns)
                            tail = piece[-32:]
                # The reader makes room for every cell up to the farthest: a single one far out would fill the memory.
                if rows * columns > MOST_CELLS:
                    raise TableUnreadable("file_too_large", limit=MOST_UNPACKED // 2**20)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError):
        raise TableUnreadable("file_broken") from None


def _reach(xml: bytes, rows: int, columns: int) -> tuple[int, int]:
    for letters, number in _REFERENCE.findall(xml):
        rows = max(rows, int(number))
        column = 0
        for letter in letters:
            column = column * 26 + letter - 64
        columns = max(columns, column)
    return rows, columns


def _from_workbook(path: Path) -> Table:
    import python_calamine as calamine

    try:
        with calamine.CalamineWorkbook.from_path(str(path)) as book:
            shown = [each.name for each in book.sheets_metadata if each.visible == calamine.SheetVisibleEnum.Visible]
            hidden = [name for name in book.sheet_names if name not in shown]
            tables = {name: table for name in (*shown, *hidden) if (table := _sheet(book, name)) is not None}
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


def _sheet(book: "CalamineWorkbook", name: str) -> Table | None:
    """A sheet, None when it holds nothing."""
    sheet = book.get_sheet_by_name(name)
    if sheet.start is None:
        return None
    rows = sheet.to_python(skip_empty_area=False)
    if not any(any(cell not in ("", None) for cell in row) for row in rows[:2_000]):
        return None
    merged = tuple((top, bottom, left) for (top, left), (bottom, _) in (sheet.merged_cell_ranges or ()) if bottom > top)
    return Table(rows, find_header(rows), merged)


def _from_csv(raw: bytes) -> Table:
    text = _decoded(raw).replace("\0", "")
    if not text.strip():
        raise TableUnreadable("table_empty")
    csv.field_size_limit(2**24)
    marks = [(_score(text[:200_000], mark), mark) for mark in _marks(text)]
    mark = max(marks, key=lambda pair: pair[0])[1]  # of equals the first, which is the likeliest
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error:
        raise TableUnreadable("file_broken") from None
    return Table(rows, find_header(rows))


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
        text = unicodedata.normalize("NFC", raw.decode("cp1258", errors="replace"))
        latin = raw.decode("latin-1")
        # In Windows-1258 every tone follows its vowel and joins it; other encodings leave tones that join nothing.
        sound = len(_JOINED.findall(text)) > len(_UNJOINED.findall(text))
        return latin if not sound and legacy_encoding(latin[:20_000]) else text
