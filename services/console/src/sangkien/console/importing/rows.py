"""Turns a table into dossiers to be filed, and says of each row that cannot be one what is wrong with it."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final

from sangkien.console.importing.authors import Cells, ImportAuthor, read_authors
from sangkien.console.importing.cells import lines_of, read_date, read_money, text_of
from sangkien.console.importing.headers import REQUIRED, Header
from sangkien.console.importing.problems import CellRefused, RowError, row_error
from sangkien.console.importing.tables import Table
from sangkien.kernel.evidence_files import is_taken_kind
from sangkien.text import fold, legacy_encoding, nfc

_HANOI: Final = timezone(timedelta(hours=7))
_SAMPLE: Final = "dong minh hoa"
_SECTION: Final = re.compile(r"(?:[ivx]{1,5}|[a-h])\s*[.)]?")
_FOOTER: Final = re.compile(
    r"(tong so|tong cong|danh sach nay|ha noi,? ngay|ngay \d+ thang|ghi chu *:|cong *:)(?!\w).*"
    r"|(nguoi lap|lap bang|thu truong|xac nhan cua)( bang| bieu| don vi| co quan| thu truong)*"
)
_SAME: Final = frozenset({"nt", "-nt-", "nhu tren", '"', "''", "”", "//"})
_SHARED_DOWN: Final = ("unit", "field", "first_applied_on", "filed_on")
_MODERN: Final = re.compile("[\u1e00-\u1eff]")
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


@dataclass(slots=True)
class _Group:
    """A row that names an initiative, and the rows below it that only add authors."""

    number: int
    rows: list[Cells]


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
    seen: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for group in _groups(table, header):
        try:
            row = _read(group, header, default_unit, today)
        except CellRefused as refused:
            column = header.texts.get(refused.field, _REQUIRED_TEXTS.get(refused.field, ""))
            rejected.append(row_error(group.number, column, refused.code, **refused.facts))
            continue
        same = (fold(row.title), _folded(row.unit), tuple(sorted(_folded(author.full_name) for author in row.authors)))
        first = seen.setdefault(same, row.row)
        if first != row.row:
            rejected.append(row_error(row.row, header.texts["title"], "duplicate_row", first=first))
        else:
            rows.append(row)
    return rows, rejected


def _header_problems(table: Table, default_unit: str) -> list[RowError]:
    header = table.header
    if header is None:
        for number, row in enumerate(table.rows[:50], start=1):
            texts = [text for cell in row if isinstance(cell, str) and (text := nfc(cell))]
            if encoding := legacy_encoding(" ".join(str(cell) for cell in row if isinstance(cell, str))):
                return [row_error(number, texts[0], "legacy_encoding", encoding=encoding)]
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


def _groups(table: Table, header: Header) -> Iterator[_Group]:
    """Each initiative with its continuation rows. Sections, footers, samples and empty rows are passed over."""
    shared = _spread(table, header)
    group: _Group | None = None
    last: Cells = {}
    # Of evidence nothing follows for what a row is: signatures below a list stand in its last columns, too.
    shaping = {name: column for name, column in header.columns.items() if name != "evidence"}
    for index in range(header.last + 1, len(table.rows)):
        raw = table.rows[index]
        texts = [text_of(cell) for cell in raw]
        cells = {name: raw[column] for name, column in header.columns.items() if column < len(raw)}
        filled = {name for name, column in shaping.items() if column < len(raw) and texts[column]}
        if group is not None and not filled and _names_files(cells):
            group.rows.append(cells)
            continue
        if not filled or _is_decoration([text for text in texts if text], cells, filled):
            continue
        if group is not None and _continues(cells, filled, group.rows[0]):
            group.rows.append(cells)
            continue
        cells.update(shared.get(index, {}))
        for name in ("unit", "field"):
            if _folded(text_of(cells.get(name))) in _SAME:
                cells[name] = last.get(name, "")
        if group is not None:
            yield group
        group, last = _Group(index + 1, [cells]), cells
    if group is not None:
        yield group


def _names_files(cells: Cells) -> bool:
    """Whether the row says nothing but names of files, which then belong to the initiative above it."""
    names = lines_of(text_of(cells.get("evidence")))
    return bool(names) and all(is_taken_kind(name) for name in names)


def _spread(table: Table, header: Header) -> dict[int, Cells]:
    """What vertically merged cells say to every row they cover, by row and field."""
    names = {header.columns[name]: name for name in _SHARED_DOWN if name in header.columns}
    spread: dict[int, Cells] = {}
    for top, bottom, column in table.merged:
        if column in names and top > header.last and column < len(table.rows[top]):
            for index in range(top + 1, min(bottom + 1, len(table.rows))):
                spread.setdefault(index, {})[names[column]] = table.rows[top][column]
    return spread


def _is_decoration(texts: Sequence[str], cells: Cells, filled: set[str]) -> bool:
    """Whether a row belongs to the look of the list, not to its content. `texts` are its cells that are not empty."""
    if any(text[0] in "dD" and fold(text).startswith(_SAMPLE) for text in texts):
        return True
    if all(re.fullmatch(r"\(?\d{1,2}\)?", text) for text in texts) and len(texts) > 2:
        return True  # the row of column numbers below a header
    if len(texts) == 1 and not filled & {"number", "title", "authors"}:
        return True  # a place and date, a signature: no row of a list says so little
    if filled - {"number", "title"}:
        return False
    number, title = fold(text_of(cells.get("number"))), fold(text_of(cells.get("title")))
    if "title" not in filled or (number and _SECTION.fullmatch(number)):
        return True
    return not number and (bool(_FOOTER.fullmatch(title)) or bool(re.match(r"(?:[ivx]{1,5}|[a-h])[.)]\s", title)))


def _continues(cells: Cells, filled: set[str], head: Cells) -> bool:
    """Whether the row only adds an author to the initiative above it: no title, or the same one with another share.

    Where the title is there again, the number may go on: some lists number authors, and a part of 100 % is never whole.
    """
    if not filled & {"authors", "co_authors"}:
        return False
    if "title" not in filled:
        return not text_of(cells.get("number"))
    if not _alike(cells["title"], head.get("title")) or _alike(cells.get("authors"), head.get("authors")):
        return False
    same_unit = not text_of(cells.get("unit")) or _alike(cells["unit"], head.get("unit"))
    shares = [text_of(row.get("share")) for row in (cells, head)]
    return same_unit and all(share and share.rstrip("% ") not in ("100", "1") for share in shares)


def _alike(one: Any, other: Any) -> bool:
    return text_of(one).casefold() == text_of(other).casefold()


_folded = lru_cache(20_000)(fold)  # the units of a list are few, and folding is the dearest of its steps


def _read(group: _Group, header: Header, default_unit: str, today: date) -> ImportRow:
    cells = group.rows[0]
    for name in ("title", "authors", "unit", "summary"):
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
    # A letter with two marks is only in Unicode text, and nearly all of that has one: the long look is for the rest.
    if isinstance(cell, str) and not cell.isascii() and not _MODERN.search(cell):
        encoding = legacy_encoding(cell)
        if encoding:
            raise CellRefused(name, "legacy_encoding", encoding=encoding)
