"""Turns a table into dossiers to be filed, and says of each row that cannot be one what is wrong with it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final

from sangkien.console.importing.authors import ImportAuthor, read_authors
from sangkien.console.importing.cells import is_error, lines_of, read_date, read_money, text_of
from sangkien.console.importing.grouping import Group, folded, groups_of
from sangkien.console.importing.headers import REQUIRED, Header
from sangkien.console.importing.problems import CellRefused, RowError, row_error
from sangkien.console.importing.tables import Table
from sangkien.text import fold, legacy_encoding, nfc, same_name

_HANOI: Final = timezone(timedelta(hours=7))
_MODERN: Final = re.compile("[\u1e00-\u1eff]")
_GARBLED: Final = re.compile(
    "\ufffd|[^\\W\\d_]\\?[a-z]|\u00e1[\u00ba\u00bb](?![\\s.,;:!?)]|$)|\u00c3[\u00a1-\u00bf]|\u00c6\u00b0|\u00c4\u2018"
)
"""What was lost for good, or is UTF-8 that was read as Windows-1252."""
_ELSEWHERE: Final = {"share": "authors", "co_authors": "authors"}
"""Where a list says what it has no column for."""
_REQUIRED_TEXTS: Final = {"title": "Tên sáng kiến", "authors": "Tác giả", "unit": "Đơn vị"}


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A dossier as its row states it. `row` counts from 1 as in the spreadsheet; texts are in normal form.

    `benefit_vnd` is whole đồng, 0 when none is stated. `evidence` are names of files as written. `columns` is how the
    file heads each field. `warnings` are what was left out though it did not stop the row.
    """

    row: int
    title: str
    unit: str
    authors: tuple[ImportAuthor, ...]
    first_applied_on: date | None = None
    filed_on: date | None = None
    field: str = ""
    summary: str = ""
    benefit: str = ""
    benefit_vnd: int = 0
    evidence: tuple[str, ...] = ()
    columns: Mapping[str, str] = attribute(default_factory=dict, compare=False)
    warnings: tuple[RowError, ...] = ()

    def key(self, round_id: str) -> str:
        """The idempotency key: the same content filed for the same round is the same filing, whatever its row.

        Evidence has no part in it: a list that is filed again with other files is no second dossier.
        """
        parts = [
            round_id,
            self.title,
            self.unit,
            str(self.first_applied_on),
            str(self.filed_on),
            self.field,
            self.summary,
            self.benefit,
            str(self.benefit_vnd),
        ]
        for author in self.authors:
            parts += [
                author.full_name,
                str(author.share),
                str(author.birth_date),
                author.unit,
                author.job_title,
                author.email,
                author.staff_code,
            ]
        return "row:" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def read_rows(
    table: Table, *, default_unit: str = "", today: date | None = None
) -> tuple[list[ImportRow], list[RowError]]:
    """The rows that can be filed, and what is wrong with the others, both in the order of the file.

    `default_unit` stands where the file names no unit. `today` is the day in Hanoi unless given; later dates are
    refused. A missing required column is one error at the header, and no row is read.
    """
    today = today or datetime.now(_HANOI).date()
    if problems := _header_problems(table, default_unit):
        return [], problems
    header = table.header
    assert header is not None  # noqa: S101 (or there was a problem)
    rows: list[ImportRow] = []
    rejected: list[RowError] = []
    if table.swallowed is not None:
        number, lines = table.swallowed
        rejected.append(row_error(number, "", "quote_open", lines=lines))
    seen: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for group in groups_of(table, header):
        try:
            row = _read(group, header, default_unit, today)
        except CellRefused as refused:
            column = header.texts.get(refused.field) or header.texts.get(_ELSEWHERE.get(refused.field, ""), "")
            column = column or _REQUIRED_TEXTS.get(refused.field, "")
            rejected.append(row_error(group.number, column, refused.code, **refused.facts))
            continue
        first = seen.setdefault(_sameness(row), row.row)
        if first != row.row:
            rejected.append(row_error(row.row, header.texts["title"], "duplicate_row", first=first))
        else:
            rows.append(row)
    return rows, sorted(rejected, key=lambda error: error.row)


def _sameness(row: ImportRow) -> tuple[str, str, tuple[str, ...]]:
    """What two rows of one initiative agree in. Diacritics tell people apart, but quotes and a dot no titles."""
    names = sorted(same_name(author.full_name) for author in row.authors)
    return fold(row.title).strip(" .\"'“”‘’"), folded(row.unit), tuple(names)


def _header_problems(table: Table, default_unit: str) -> list[RowError]:
    header = table.header
    if header is None:
        for number, row in enumerate(table.rows[:50], start=1):
            texts = [cell for cell in row if isinstance(cell, str) and nfc(cell)]
            said = " ".join(texts)
            if _GARBLED.search(said):
                at_fault = next((nfc(text) for text in texts if _GARBLED.search(text)), "")
                return [row_error(number, at_fault, "text_garbled")]
            if encoding := legacy_encoding(said):
                at_fault = next((nfc(text) for text in texts if legacy_encoding(text)), "")
                return [row_error(number, at_fault, "legacy_encoding", encoding=encoding)]
        found = next((texts for row in table.rows if len(texts := [text_of(c) for c in row if text_of(c)]) > 1), [])
        number = next((n for n, row in enumerate(table.rows, start=1) if [c for c in row if text_of(c)]), 1)
        missing = [one for one in REQUIRED if one != "unit" or not default_unit]
        return [_missing(number, one, found) for one in missing]
    missing = [one for one in REQUIRED if one not in header.columns and not (one == "unit" and default_unit)]
    return [_missing(header.first + 1, one, header.found) for one in missing]


def _missing(row: int, field_: str, found: Sequence[str]) -> RowError:
    name = _REQUIRED_TEXTS[field_]
    listed = "; ".join(text[:40] for text in found[:20]) or "–"
    return row_error(row, name, "missing_column", name=name, found=listed)


def _read(group: Group, header: Header, default_unit: str, today: date) -> ImportRow:
    cells = group.rows[0]
    if group.overlong:
        raise CellRefused("", "row_too_long")
    for name, cell in cells.items():
        if name != "number" and is_error(cell):
            raise CellRefused(name, "cell_error", mark=text_of(cell))
    for name in ("title", "authors", "co_authors", "unit", "summary"):
        _check_encoding(name, cells.get(name))
    title = nfc(text_of(cells.get("title"))).strip()
    if not title:
        raise CellRefused("title", "cell_empty")
    unit = nfc(text_of(cells.get("unit"))) or default_unit
    if not unit:
        raise CellRefused("unit", "cell_empty")
    authors = read_authors(group.rows, today)
    benefit = text_of(cells.get("benefit"))
    money = read_money(cells.get("benefit_vnd"))
    warnings: tuple[RowError, ...] = ()
    if money is None:
        stated = nfc(text_of(cells["benefit_vnd"]))
        benefit = f"{benefit}\n{header.texts['benefit_vnd']}: {stated}".strip()
        warnings = (row_error(group.number, header.texts["benefit_vnd"], "money_unreadable"),)
    return ImportRow(
        row=group.number,
        title=title,
        unit=unit,
        authors=authors,
        first_applied_on=read_date("first_applied_on", cells.get("first_applied_on"), today),
        filed_on=read_date("filed_on", cells.get("filed_on"), today),
        field=nfc(text_of(cells.get("field"))),
        summary=text_of(cells.get("summary")),
        benefit=benefit,
        benefit_vnd=money or 0,
        evidence=tuple([name for each in group.rows for name in lines_of(text_of(each.get("evidence")))]),
        columns=header.texts,
        warnings=warnings,
    )


def _check_encoding(name: str, cell: Any) -> None:
    if isinstance(cell, str) and name != "summary" and _GARBLED.search(cell):  # a summary may quote what it likes
        raise CellRefused(name, "text_garbled")
    # A letter with two marks is only in Unicode text, and nearly all of that has one: the long look is for the rest.
    if isinstance(cell, str) and not cell.isascii() and not _MODERN.search(cell):
        encoding = legacy_encoding(cell)
        if encoding:
            raise CellRefused(name, "legacy_encoding", encoding=encoding)
