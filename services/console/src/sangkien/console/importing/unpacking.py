"""Looks into .xlsx files before the reader does: how large they are, and which cells it would take for empty ones."""

import html
import re
import zipfile
import zlib
from pathlib import Path
from typing import Final

from sangkien.console.importing.cells import UNCALCULATED
from sangkien.console.importing.problems import TableUnreadable

MOST_UNPACKED: Final = 600 * 2**20
"""Of a workbook once unpacked. A hundred thousand rows of a dozen columns make some 80 MiB."""
MOST_CELLS: Final = 40_000_000
_PIECE: Final = 2**20
_REFERENCE: Final = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"')
_SUSPECT: Final = re.compile(rb't="e"|<f[ />]')
_CELL: Final = re.compile(rb"<c ([^>]*[^/>])>(.*?)</c>", re.DOTALL)
_AT: Final = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_VALUE: Final = re.compile(rb"<v>([^<]+)</v>")
_SHEET: Final = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATION: Final = re.compile(r"<Relationship\s[^>]*>")

Marks = dict[str, dict[tuple[int, int], str]]
"""What stands in cells without a result, by sheet and by (row, column) from 0: an error, or UNCALCULATED."""


def look_into(path: Path) -> Marks:
    """The cells whose formulas gave an error or were never worked out.

    It is unpacked once, counting: what a workbook says of its own size is not to be trusted. Raises TableUnreadable.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            suspect = _measured(archive)
            return _marks(archive, suspect) if suspect else {}
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, EOFError, ValueError):
        raise TableUnreadable("file_broken") from None


def _measured(archive: zipfile.ZipFile) -> list[str]:
    """The members that may hold cells without a result, once everything was found to be of a sound size."""
    unpacked = 0
    suspect = []
    for member in archive.infolist():
        sheet = "worksheets/" in member.filename
        rows = columns = 0
        tail = b""
        found = False
        with archive.open(member) as content:
            while piece := content.read(_PIECE):
                unpacked += len(piece)
                if unpacked > MOST_UNPACKED:
                    raise TableUnreadable("file_too_large", limit=MOST_UNPACKED // 2**20)
                if sheet:
                    rows, columns = _reach(tail + piece, rows, columns)
                    found = found or _SUSPECT.search(tail + piece) is not None
                    tail = piece[-32:]
        # The reader makes room for every cell up to the farthest: a single one far out would fill the memory.
        if rows * columns > MOST_CELLS:
            raise TableUnreadable("file_too_large", limit=MOST_UNPACKED // 2**20)
        if found:
            suspect.append(member.filename)
    return suspect


def _reach(xml: bytes, rows: int, columns: int) -> tuple[int, int]:
    for letters, number in _REFERENCE.findall(xml):
        rows = max(rows, int(number))
        columns = max(columns, _column(letters))
    return rows, columns


def _column(letters: bytes) -> int:
    """From 1."""
    column = 0
    for letter in letters:
        column = column * 26 + letter - 64
    return column


def _marks(archive: zipfile.ZipFile, members: list[str]) -> Marks:
    names = _sheet_names(archive)
    return {names[member]: _of_sheet(archive.read(member)) for member in members if member in names}


def _of_sheet(xml: bytes) -> dict[tuple[int, int], str]:
    marks = {}
    for attributes, content in _CELL.findall(xml):
        at, value = _AT.search(attributes), _VALUE.search(content)
        if at is None:
            continue
        if b't="e"' in attributes:
            mark = value[1].decode(errors="replace") if value else UNCALCULATED
        elif b"<f" in content and value is None and b't="str"' not in attributes:  # a text may well be empty
            mark = UNCALCULATED
        else:
            continue
        marks[int(at[2]) - 1, _column(at[1]) - 1] = mark
    return marks


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """The sheets' names by the members that hold them; empty for a workbook without the usual parts."""
    try:
        book = archive.read("xl/workbook.xml").decode(errors="replace")
        relations = archive.read("xl/_rels/workbook.xml.rels").decode(errors="replace")
    except KeyError:
        return {}
    targets = {_attribute(one, "Id"): _attribute(one, "Target") for one in _RELATION.findall(relations)}
    names = {}
    for sheet in _SHEET.findall(book):
        target = targets.get(_attribute(sheet, r"\w+:id"), "")
        member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        names[member] = _attribute(sheet, "name")
    return names


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf"\s{name}=(?:\"([^\"]*)\"|'([^']*)')", tag)
    return html.unescape(found[1] or found[2] or "") if found else ""
