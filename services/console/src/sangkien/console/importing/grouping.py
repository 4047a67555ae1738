"""Tells the rows of a list that hold initiatives from those that only dress it, and those that go on with another."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sangkien.console.importing.authors import Cells
from sangkien.console.importing.cells import is_error, lines_of, read_shares, text_of
from sangkien.console.importing.headers import Header, meaning_of
from sangkien.console.importing.problems import CellRefused
from sangkien.console.importing.tables import Table
from sangkien.kernel.evidence_files import is_taken_kind
from sangkien.text import fold

_SAMPLE: Final = "dong minh hoa"
_SECTION: Final = re.compile(r"(?:[ivx]{1,5}|[a-h])\s*[.)]?")
_COLUMN_NUMBER: Final = re.compile(r"[(\[]?\d{1,2}[)\]]?(?:\s*=.*)?")
_COLUMN_LETTER: Final = re.compile(r"[(\[]?[A-Za-zĐđ][)\]]?")
_FOOTER: Final = re.compile(
    r"(tong so|tong cong|danh sach (?:nay|gom|tren|co)|ha noi,? ngay|ngay \d+ thang|ghi chu *:|cong *:)(?!\w).*"
    r"|(nguoi lap|lap bang|thu truong|xac nhan cua)( bang| bieu| don vi| co quan| thu truong)*"
)
_TOTAL: Final = re.compile(
    r"(?:tong|tong so|tong cong|cong)(?: (?:so|cong|cac|sang kien|giai phap|de tai|ho so|tac gia))*"
    r"(?:\s*[:(.,-]\s*\d.*|\s+\d.*|\s*[:.]?)"
)
_DAY: Final = r"(?:.{2,40}, ?)?ngay\b.{0,12}\bthang\b.{0,12}\bnam\b.{0,8}"
_SIGNATURE: Final = re.compile(
    rf"\(?(?:da )?ky\b.*|{_DAY}|noi nhan\b.*|(?:tm|t/m|kt|k/t|tl|t/l|tuq)\b[. /].*"
    r"|(?:nguoi|can bo) (?:lap|tong hop|ke khai|bao cao)\b.*|(?:lap|xac nhan) (?:bang|bieu|danh sach|cua)\b.*"
    r"|(?:pho )?(?:chu tich|hieu truong|giam doc|thu truong|truong (?:phong|ban|khoa|don vi)|to truong|bi thu|ke toan"
    r"|thu ky|ban chap hanh)(?: \S+){0,6}"
)
_WHOLE_SHARE: Final = 10_000
_LONGEST_SIGNATURE: Final = 60
_SAME: Final = frozenset({"nt", "-nt-", "nhu tren", '"', "''", "”", "//"})
_SHARED_DOWN: Final = ("unit", "field", "first_applied_on", "filed_on")

folded = lru_cache(20_000)(fold)  # the units of a list are few, and folding is the dearest of its steps


@dataclass(slots=True)
class Group:
    """A row that names an initiative, and the rows below it that only add authors. `number` counts from 1.

    `overlong` is a row of a text file with more cells than its header: somewhere a delimiter is no delimiter.
    """

    number: int
    rows: list[Cells]
    overlong: bool = False


def groups_of(table: Table, header: Header) -> Iterator[Group]:
    """Each initiative with its continuation rows. Sections, totals, signatures, samples and empty rows are passed over.

    Below a signature only a row with a number, or in a list without numbers a whole one, is an initiative again.
    """
    shared, under_title = _spread(table, header)
    group: Group | None = None
    last: Cells = {}
    closing = False
    # Of evidence nothing follows for what a row is: signatures below a list stand in its last columns, too.
    shaping = {name: column for name, column in header.columns.items() if name != "evidence"}
    width = len(table.rows[header.last])
    for index in range(header.last + 1, len(table.rows)):
        raw = table.rows[index]
        texts = [text_of(cell) for cell in raw]
        cells = _cells_of(raw, texts, header)
        filled = {
            name
            for name, column in shaping.items()
            if column < len(raw) and texts[column] and (name in ("title", "authors") or not is_error(raw[column]))
        }
        if group is not None and not filled and _names_files(cells):
            group.rows.append(cells)
            continue
        said = [text for text in texts if text]
        if not filled:
            continue
        if group is not None and (closing := _closes(said, cells, filled, group, closing=closing)):
            continue
        if _is_decoration(said, cells, filled) or _is_heading(index, said, cells, filled, header):
            continue
        overlong = table.delimited and any(texts[width:])
        if group is not None and not overlong and _continues(cells, filled, group, header, index in under_title):
            group.rows.append(cells)
            continue
        cells.update(shared.get(index, {}))
        for name in ("unit", "field"):
            if folded(text_of(cells.get(name))) in _SAME:
                cells[name] = last.get(name, "")
        if group is not None:
            yield group
        group, last = Group(index + 1, [cells], overlong), cells
    if group is not None:
        yield group


def _cells_of(raw: Sequence[Any], texts: Sequence[str], header: Header) -> Cells:
    cells: Cells = {name: raw[column] for name, column in header.columns.items() if column < len(raw)}
    for name, columns in header.further.items():
        said = [texts[column] for column in (header.columns[name], *columns) if column < len(raw)]
        if any(said[1:]):
            cells[name] = "\n".join(filter(None, said))
    return cells


def _names_files(cells: Cells) -> bool:
    """Whether the row says nothing but names of files, which then belong to the initiative above it."""
    names = lines_of(text_of(cells.get("evidence")))
    return bool(names) and all(is_taken_kind(name) for name in names)


def _spread(table: Table, header: Header) -> tuple[dict[int, Cells], set[int]]:
    """What vertically merged cells say to every row they cover, by row and field, and which rows a title covers."""
    names = {header.columns[name]: name for name in _SHARED_DOWN if name in header.columns}
    spread: dict[int, Cells] = {}
    under_title: set[int] = set()
    for top, bottom, column in table.merged:
        if top <= header.last:
            continue
        covered = range(top + 1, min(bottom + 1, len(table.rows)))
        if column == header.columns.get("title"):
            under_title.update(covered)
        if column in names and column < len(table.rows[top]):
            for index in covered:
                spread.setdefault(index, {})[names[column]] = table.rows[top][column]
    return spread, under_title


def _is_decoration(texts: Sequence[str], cells: Cells, filled: set[str]) -> bool:
    """Whether a row belongs to the look of the list, not to its content. `texts` are its cells that are not empty."""
    if any(text[0] in "dD" and fold(text).startswith(_SAMPLE) for text in texts):
        return True
    if all(_COLUMN_NUMBER.fullmatch(text) for text in texts) and len(texts) > 2:
        return True  # the row of column numbers below a header
    if len(texts) == 1 and not filled & {"number", "title", "authors"}:
        return True  # a place and date, a signature: no row of a list says so little
    if texts[0][0] in "tTcC" and _TOTAL.fullmatch(fold(texts[0])) and all(text[0].isdigit() for text in texts[1:]):
        return True
    if filled - {"number", "title"}:
        return False
    number, title = fold(text_of(cells.get("number"))), fold(text_of(cells.get("title")))
    if "title" not in filled or (number and _SECTION.fullmatch(number)):
        return True
    return not number and (bool(_FOOTER.fullmatch(title)) or bool(re.match(r"(?:[ivx]{1,5}|[a-h])[.)]\s", title)))


def _is_heading(index: int, texts: Sequence[str], cells: Cells, filled: set[str], header: Header) -> bool:
    """Whether a row is the header once more, as on every printed page, its lower line, or its columns' letters."""
    if index == header.last + 1 and (
        (len(texts) > 2 and all(_COLUMN_LETTER.fullmatch(text) for text in texts))
        or all(meaning_of(text)[0] for text in texts)
    ):
        return True
    named = filled & {"title", "authors", "share"}
    if len(filled) < 2 or not all(text_of(cells[name]) in header.texts[name] for name in named):
        return False
    return bool(named) and all(fold(text_of(cells[name])) in fold(header.texts[name]) for name in filled)


def _closes(texts: Sequence[str], cells: Cells, filled: set[str], group: Group, *, closing: bool) -> bool:
    """Whether the row stands below the list: it is signed, or comes after such a row and is no initiative."""
    numbered = text_of(group.rows[0].get("number"))[:1].isdigit()
    if text_of(cells.get("number"))[:1].isdigit():
        return False
    if closing and (numbered or "number" in filled or not {"title", "authors", "unit"} <= filled):
        return True
    signs = [_SIGNATURE.fullmatch(fold(text)) for text in texts if len(text) <= _LONGEST_SIGNATURE]
    return len(signs) == len(texts) and (all(signs) or (numbered and any(signs) and "authors" not in filled))


def _continues(cells: Cells, filled: set[str], group: Group, header: Header, under_title: bool) -> bool:  # noqa: FBT001
    """Whether the row only adds an author to the initiative above it: no title, or the same one with another share.

    Where the title is there again, or is one merged cell, the number may go on: some lists number authors. What is a
    whole share is never a part of one: such a row is an initiative of its own, be it without a title.
    """
    if not filled & {"authors", "co_authors"}:
        return False
    if under_title and "title" not in filled:
        return True
    head = group.rows[0]
    if "title" in filled and not _alike(cells["title"], head.get("title")):
        return False
    share, so_far = _share(cells), [_share(row) for row in group.rows]
    partial = (
        share is not None and share < _WHOLE_SHARE and None not in so_far and sum(filter(None, so_far)) < _WHOLE_SHARE
    )
    if "title" in filled:
        if _alike(cells.get("authors"), head.get("authors")):
            return False
        return partial and (not text_of(cells.get("unit")) or _alike(cells["unit"], head.get("unit")))
    number, own_number = text_of(head.get("number")), text_of(cells.get("number"))
    if own_number:  # 1 and 1 again, or 1.1
        return partial and bool(number) and f"{own_number}.".startswith(f"{number.rstrip('.')}.")
    if share is None and so_far == [None] * len(so_far):  # nothing tells, but for each author's own unit
        own = fold(header.texts.get("unit", "")).startswith(("noi", "dia chi", "workplace"))
        return own or "unit" not in filled or "%" in text_of(cells.get("authors"))
    return partial or (share is None and sum(filter(None, so_far)) < _WHOLE_SHARE)


def _share(cells: Cells) -> int | None:
    """What the row's column of shares adds up to, None where it is empty; what cannot be read counts as a part."""
    try:
        shares = read_shares(cells.get("share"), 0)
    except CellRefused:
        return 1
    return sum(shares) if shares else None


def _alike(one: Any, other: Any) -> bool:
    return text_of(one).casefold() == text_of(other).casefold()
