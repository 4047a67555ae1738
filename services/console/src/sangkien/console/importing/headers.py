"""Finds the header of a list and says what each of its columns means, in the words people use for them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any, Final

from sangkien.text import fold, nfc

REQUIRED: Final = ("title", "authors", "unit")
_LOOK_AT: Final = 40
_MOST_LINES: Final = 3
_LONGEST_ADDED: Final = 45
_REPEATED: Final = ("authors", "co_authors", "share", "birth_date", "job_title")

# Field → patterns over the folded header, the surest first: where two columns claim a field, the surer one has it.
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "ignored": (
        r"(ghi chu|notes?|remarks?|ky ten|chu ky|nam nu|gioi tinh|trinh do|hoc vi)\b.*",
        r"(noi dung dong gop|xep loai|ket qua)\b.*",
        r".*(danh gia|nhan xet|trang thai|hinh truoc|hinh sau|khen thuong|quyet dinh).*",
    ),
    "number": (r"(stt|tt|so tt|so thu tu|no|nr|#)",),
    "share": (
        r".*\b(ty le|ti le|phan tram|ty trong)\b.*",
        r".*\b(shares?|contribution)\b.*",
        r"(muc do |% )?dong gop.*",
        r"%.*",
    ),
    "title": (
        r"(ten|tieu de)( cua)?( cac)? (sang kien|giai phap|de tai|skkn|y tuong|san pham|cai tien)\b.*",
        r"(initiative |solution )?(title|name)( of (the )?(initiative|solution))?|initiatives?|solutions?",
        r"(sang kien|de tai|skkn)( kinh nghiem)?( de nghi.*| dang ky.*)?",
        r"y tuong|ten",
        r"giai phap",
    ),
    "authors": (
        r"((ho( va)? )?ten )?(cac )?(nhom )?tac gia\b.*",
        r"(authors?|full name|author name)s?\b.*",
        r"ho( va)?( chu dem( va)?)? ten\b.*",
        r"(ten )?(chu nhiem|chu tri|nguoi thuc hien|nguoi nop|nguoi de xuat)\b.*",
        r"thong tin (ve )?(cac )?tac gia",
    ),
    "co_authors": (r"(ho( va)? ten )?(cac )?(dong tac gia|thanh vien|cong su)\b.*", r"co-?\s?authors?"),
    "birth_date": (r"(ngay|thang|nam)( thang)?( nam)? sinh\b.*", r".*\b(date of birth|birth ?dates?|born|dob)\b.*"),
    "unit": (
        r"(ten )?don vi\b.*",
        r"(ten )?(co quan|truong|to chuc|doanh nghiep)\b.*",
        r"(organi[sz]ation|unit|workplace|school|company|department)\b.*",
        r"(khoa|phong|khoa phong|phong ban|khoa/phong)\b.*",
        r"(ten )?(cong doan|cdcs|to cong doan|bo phan)\b.*",
    ),
    "author_unit": (r"(noi|dia chi) (cong tac|lam viec)\b.*", r"(author'?s? )?(workplace|place of work)\b.*"),
    "job_title": (r"chuc (danh|vu)\b.*", r"(job( title)?|position)\b.*", r"nghe nghiep\b.*"),
    "first_applied_on": (
        r"(ngay|ngay,? thang(,? nam)?|thoi (diem|gian)|thang[,/]? ?nam|nam)( duoc| bat dau| dua vao)? ap dung\b.*",
        r"ap dung (lan dau|thu|tu)\b.*",
        r".*\b(first applied|first application|applied (on|from|since)|application date)\b.*",
    ),
    "filed_on": (r"ngay (nop|gui|dang ky|nhan)\b.*", r"(filed|submitted|date filed)\b.*"),
    "field": (r"linh vuc\b.*", r"(field|domain|area)\b.*"),
    "staff_code": (
        r"(ma|so hieu)( so)? (nhan vien|can bo|cong chuc|vien chuc|nv|cb|gv)\b.*",
        r"ms(nv|cb|gv)",
        r"(staff|employee) (code|id|number)",
    ),
    "evidence": (
        r"(ten )?(cac )?(tep |file |tai lieu |ho so )*(minh chung)\b.*",
        r"(ten )?(cac )?(tep|file)( tin)? (dinh kem|kem theo|minh hoa)\b.*",
        r"(evidence|attachments?|attached files?)\b.*",
    ),
    "email": (r"e-?mail\b.*", r"thu dien tu\b.*"),
    "benefit_vnd": (r".*gia tri lam loi.*|.*so tien lam loi.*", r".*\b(benefit|value)\b.*\bvnd\b.*|money value"),
    "summary": (r"tom tat\b.*", r"(noi dung|mo ta)\b.*", r"(summary|abstract|description)\b.*"),
    "benefit": (r"(loi ich|hieu qua)\b.*", r"(benefits?|effect)\b.*"),
}
_PATTERNS: Final = {field: [re.compile(words) for words in patterns] for field, patterns in _WORDS.items()}
_NUMBERING: Final = re.compile(r"^\(?\d{1,2}\s*[.)]\s*")
_ABOVE: Final = re.compile(r"^thong tin( chung)?( ve)?( (cac )?(tac gia|sang kien|giai phap|ca nhan))? (?=[a-z])")
"""What the upper line of a header says over several columns."""


@dataclass(frozen=True, slots=True)
class Header:
    """Where each field is (`columns`, from 0), how the file writes it (`texts`), all that was `found`, and its rows.

    `first` and `last` are rows counted from 0. `further` are columns that go on with a field under the same heading but
    for a number: "Tác giả 1", "Tác giả 2".
    """

    first: int
    last: int
    columns: dict[str, int]
    texts: dict[str, str]
    found: tuple[str, ...]
    further: dict[str, tuple[int, ...]] = attribute(default_factory=dict)

    @property
    def complete(self) -> bool:
        return all(field in self.columns for field in REQUIRED)

    @property
    def score(self) -> int:
        """How many columns are understood; the required ones weigh double."""
        known = self.columns.keys() - {"number"}
        return len(known) + sum(field in known for field in REQUIRED)

    @property
    def rank(self) -> tuple[int, int]:
        """What a better header has more of: columns understood, then lines done without."""
        return self.score, self.first - self.last


def find_header(rows: Sequence[Sequence[Any]]) -> Header | None:
    """The row, or up to three rows, that name the most columns among the first forty; None when none names any two.

    Titles and notices above it are passed over. A header broken over lines, or in two levels, is put together where
    that names more columns than one line does.
    """
    best: Header | None = None
    for first in range(min(_LOOK_AT, len(rows))):
        for last in range(first, min(first + _MOST_LINES, len(rows))):
            if last > first and not (_is_headed(rows[first]) and _continues(rows[last])):
                break
            header = _read(rows, first, last)
            if header is not None and (best is None or header.rank > best.rank):
                best = header
    return best


def _continues(row: Sequence[Any]) -> bool:
    """Whether a row may be the lower part of a header: short words, no figures, no dates."""
    filled = [cell for cell in row if cell not in ("", None)]
    return bool(filled) and all(
        isinstance(cell, str) and len(nfc(cell)) <= _LONGEST_ADDED and not cell.strip().isdigit() for cell in filled
    )


def _is_headed(row: Sequence[Any]) -> bool:
    """Whether a row may be the upper part of a header: a single cell is a caption, as of the whole list's unit."""
    return len([cell for cell in row if isinstance(cell, str) and cell.strip()]) > 1


def _read(rows: Sequence[Sequence[Any]], first: int, last: int) -> Header | None:
    width = max(len(row) for row in rows[first : last + 1])
    texts: list[str] = []
    for column in range(width):
        parts = [rows[line][column] for line in range(first, last + 1) if column < len(rows[line])]
        texts.append(nfc(" ".join(part for part in parts if isinstance(part, str))))
    claims: dict[str, tuple[int, int]] = {}
    for column, text in enumerate(texts):
        field, sureness = meaning_of(text)
        if field and (field not in claims or sureness < claims[field][0]):
            claims[field] = (sureness, column)
    columns = {field: column for field, (_, column) in claims.items() if field != "ignored"}
    if "unit" not in columns and "author_unit" in columns:
        columns["unit"] = columns.pop("author_unit")
    if "authors" not in columns and "co_authors" in columns:
        columns["authors"] = columns.pop("co_authors")
    if len(columns.keys() - {"number"}) < 2:
        return None
    return Header(
        first,
        last,
        columns,
        {field: texts[column] for field, column in columns.items()},
        tuple(text for text in texts if text),
        {field: more for field in _REPEATED if field in columns and (more := _alike(texts, columns[field]))},
    )


def _alike(texts: Sequence[str], first: int) -> tuple[int, ...]:
    """The columns after the first one whose headings differ from its own in a number only."""
    headings = [re.sub(r"\W*\d+\W*", "", fold(text)) for text in texts]
    return tuple(column for column in range(first + 1, len(texts)) if headings[column] == headings[first])


def meaning_of(text: str) -> tuple[str, int]:
    """The field that a column of this heading holds, "" for none, and how unsure that is, from 0."""
    folded = _ABOVE.sub("", _NUMBERING.sub("", fold(text))).strip(" .:*()")
    if not folded or len(folded) > 200:
        return "", 0
    for field, patterns in _PATTERNS.items():
        for sureness, pattern in enumerate(patterns):
            if pattern.fullmatch(folded):
                return field, sureness
    return "", 0
