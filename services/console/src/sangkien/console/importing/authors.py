"""Reads who made an initiative, and how much of it is whose, from the cells of one or several rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sangkien.console.importing.cells import lines_of, read_date, read_shares, text_of
from sangkien.console.importing.problems import CellRefused
from sangkien.kernel import Refusal, check_shares, parse_share
from sangkien.text import fold, nfc

_PARTS: Final = re.compile(r"[\n;|\t]|\s+(?=\d{1,2}\s*[.)/]\s*[^\W\d_])")
_WIDE_BLANK: Final = re.compile(r"(?<=\S) {2,}(?=\S)")
_AFTER_SHARE: Final = re.compile(
    r"(?:(?<=\))|(?<=%))\s*,\s*|(?:(?<=%\))|(?<=%))\s+(?:[-–+&]\s*|và\s+)?(?=[^\W\d_])", re.IGNORECASE
)
_NUMBER: Final = r"(\d{1,3}(?:[.,]\d{1,2})?)"
_INLINE: Final = re.compile(
    rf"[\s:–-]*\(\s*{_NUMBER}\s*%?\s*\)\s*$|[\s:–-]*\(?(?<![\d.,/]){_NUMBER}\s*%\s*\)?\s*$|(?:\s*:|\s[–-])\s*{_NUMBER}\s*$"
)
_BULLET: Final = re.compile(r"^\s*(?:\d{1,2}\s*[.)/-]|[a-hA-H]\s*[.)](?=\s)|[-+•*–])\s*")
_REMARK: Final = re.compile(r"\s*\([^)]*\)\s*$")
_ROLE: Final = re.compile(
    r"^(?:chủ nhiệm|chủ trì|thành viên|(?:nhóm |các )?(?:đồng )?tác giả|ông|bà)\s*:\s*", re.IGNORECASE
)
_SURNAME: Final = (
    r"(?:nguyễn|trần|lê|phạm|hoàng|huỳnh|phan|vũ|võ|đặng|bùi|đỗ|hồ|ngô|dương|lý|đinh|trương|trịnh|đào|đoàn|mai|hà)"
)
_STYLED: Final = re.compile(  # "Ông" is a family name, too
    rf"^(?:(?:(?:pgs|gs|ths|ts|bs|ks|cn)\.\s*|(?:đ/c|đồng chí|bà)\s+|ông\s+(?={_SURNAME}\s)))+", re.IGNORECASE
)
_JOINED: Final = re.compile(r"\s*[,&/+]\s*|\s+(?:và|cùng|[-–—])\s+", re.IGNORECASE)
_NO_NAME: Final = re.compile(r"[,/|+&:;%=<>#@?\\]|\s[-–—]\s|\s(?:và|cùng)\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ImportAuthor:
    """An author as a spreadsheet names them; `share` in hundredths of a percent, texts empty where it says nothing."""

    full_name: str
    share: int
    birth_date: date | None = None
    unit: str = ""
    job_title: str = ""
    email: str = ""
    staff_code: str = ""


Cells = dict[str, Any]
"""The cells of one row by field."""


def read_authors(rows: Sequence[Cells], today: date) -> tuple[ImportAuthor, ...]:
    """The authors of one dossier, from its row and the rows that continue it.

    Raises CellRefused: `cell_empty` without any name, `author_unclear` for what is no name of one person,
    `shares_missing` for several authors of whom one has no share (none is ever made up), `shares_count_differs`,
    `shares_not_100`, `share_out_of_range`, and what dates refuse.
    """
    found: list[tuple[str, int | None, Cells, int, int]] = []
    beside = False
    for row in rows:
        names = _names(row)
        shares = _shares(row, names)
        beside |= any(share is not None for _, share in names)
        found += [
            (name, share, row, place, len(names))
            for place, ((name, _), share) in enumerate(zip(names, shares, strict=True))
        ]
    if not found:
        raise CellRefused("authors", "cell_empty")
    if len(found) == 1 and found[0][1] is None:
        name, _, row, place, of = found[0]
        found = [(name, 10_000, row, place, of)]
    at_fault = "authors" if beside else "share"
    given = [share for _, share, _, _, _ in found if share is not None]
    if len(given) < len(found):
        raise CellRefused(at_fault, "shares_missing", authors=len(found))
    try:
        check_shares(given)
    except Refusal as refusal:
        raise CellRefused(at_fault, refusal.code, **refusal.facts) from None
    return tuple(
        _author(name, share, row, place, of, today)
        for (name, _, row, place, of), share in zip(found, given, strict=True)
    )


def _names(row: Cells) -> list[tuple[str, int | None]]:
    """Names of one row, each with the share written beside it."""
    names: list[tuple[str, int | None]] = []
    for field in ("authors", "co_authors"):
        raw = row.get(field)
        for piece in _pieces(raw) if isinstance(raw, str) else []:
            for part in _AFTER_SHARE.split(_ROLE.sub("", nfc(piece))):
                names += [read for one in _apart(part) if (read := _name_and_share(one))[0]]
        if raw not in ("", None) and not isinstance(raw, str):
            raise CellRefused(field, "author_unclear")
    return names


def _pieces(cell: str) -> list[str]:
    """The lines of a cell, and what two blanks part, unless that would cut a name to a single word."""
    pieces: list[str] = []
    for line in _PARTS.split(cell):
        parts = _WIDE_BLANK.split(line)
        pieces += parts if all(len(part.split()) > 1 for part in parts) else [line]
    return pieces


def _apart(text: str) -> list[str]:
    """Names joined by commas or "và", where every part looks like a whole name; else the text as it is."""
    text = _STYLED.sub("", _BULLET.sub("", text))
    parts = [_STYLED.sub("", part) for part in _JOINED.split(text) if part]
    whole = len(parts) > 1 and all(
        len(words := _BULLET.sub("", part).split()) >= 2
        and all(word[0].isupper() for word in words if word[0].isalpha())
        for part in parts
    )
    return parts if whole else [text]


def _name_and_share(text: str) -> tuple[str, int | None]:
    text = _STYLED.sub("", _BULLET.sub("", text))
    match = _INLINE.search(text)
    share = None
    if match:
        try:
            share = parse_share(match[1] or match[2] or match[3])
        except Refusal:
            raise CellRefused("authors", "share_malformed") from None
        text = text[: match.start()]
    name = _STYLED.sub("", _REMARK.sub("", _ROLE.sub("", text))).strip(" ,.:-–*")
    if name and (_NO_NAME.search(name) or sum(map(str.isalpha, name)) < 2):
        raise CellRefused("authors", "author_unclear")
    return name, share


def _shares(row: Cells, names: Sequence[tuple[str, int | None]]) -> list[int | None]:
    """A share, or None, for each name of the row: from beside the name, else from the column of shares."""
    beside = [share for _, share in names]
    if any(share is not None for share in beside):
        return beside
    column = read_shares(row.get("share"), len(names))
    if not column:
        return beside
    if len(column) > len(names) > 0:
        raise CellRefused("share", "shares_count_differs", authors=len(names), shares=len(column))
    if len(column) == len(names) > 1:
        return _by_name(fold(text_of(row["share"])), [fold(name) for name, _ in names], column)
    return [*column, *[None] * (len(names) - len(column))][: len(names)]


def _by_name(cell: str, names: Sequence[str], shares: Sequence[int]) -> list[int | None]:
    """Each author's share where the cell of shares names them all, by their whole names or the last words of them, in
    whatever order; else the shares as they stand.
    """
    for called in (names, [name.split()[-1] for name in names]):
        places = [found.start() for one in called if (found := re.search(rf"\b{re.escape(one)}\b", cell))]
        if len(set(places)) == len(names):
            return [shares[sorted(places).index(place)] for place in places]
    return list(shares)


def _author(name: str, share: int, row: Cells, place: int, of: int, today: date) -> ImportAuthor:
    return ImportAuthor(
        full_name=name,
        share=share,
        birth_date=_birth_date(row.get("birth_date"), place, of, today),
        unit=_own(row.get("author_unit"), place, of, shared=True),
        job_title=_own(row.get("job_title"), place, of),
        email=_own(row.get("email"), place, of),
        staff_code=_own(row.get("staff_code"), place, of),
    )


def _own(cell: Any, place: int, of: int, *, shared: bool = False) -> str:
    """The author's own value of a cell that holds one a line. One for several authors is the first's, or all's."""
    values = lines_of(text_of(cell))
    if len(values) == of:
        return nfc(values[place])
    if len(values) == 1 and (shared or place == 0):
        return nfc(values[0])
    return ""


def _birth_date(cell: Any, place: int, of: int, today: date) -> date | None:
    """None also for a year alone: it tells people apart no better than nothing, and no date may be made up from it."""
    own: Any = cell if of == 1 and not isinstance(cell, str) else _own(cell, place, of)
    text = text_of(own)
    if not text or (text.isdigit() and len(text) == 4):
        return None
    return read_date("birth_date", own, today)
