"""The spreadsheets units send: the same content in the shapes they really use."""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import xlsxwriter

from sangkien.console.demo.cast import DossierDraft

_HEADER = (
    "STT",
    "Tên sáng kiến",
    "Tác giả",
    "Ngày tháng năm sinh",
    "Chức danh",
    "Tỷ lệ (%) đóng góp",
    "Đơn vị",
    "Lĩnh vực áp dụng",
    "Ngày áp dụng lần đầu",
    "Ngày nộp",
    "Email",
    "Minh chứng",
)
Evidence = Mapping[DossierDraft, Sequence[str]]
"""Names of files by dossier."""


def write_workbooks(folder: Path, drafts: Sequence[DossierDraft], evidence: Evidence) -> list[Path]:
    """One file a unit, in an order that does not change. Units differ in how they lay out authors and write dates."""
    by_unit: dict[str, list[DossierDraft]] = defaultdict(list)
    for draft in drafts:
        by_unit[draft.unit].append(draft)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, (unit, rows) in enumerate(sorted(by_unit.items())):
        path = folder / f"danh-sach-{number + 1:03d}.xlsx"
        _write(path, unit, rows, evidence, style=number % 3)
        paths.append(path)
    return paths


def _write(path: Path, unit: str, drafts: Sequence[DossierDraft], evidence: Evidence, *, style: int) -> None:
    """Style 0: authors in one cell, a line each. 1: a row an author, under a title. 2: decomposed text."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("Danh sách")
        dates = book.add_format({"num_format": "dd/mm/yyyy"})
        line = 0
        if style == 1:
            sheet.write_string(0, 0, f"DANH SÁCH SÁNG KIẾN ĐỀ NGHỊ CÔNG NHẬN - {unit.upper()}")
            line = 2
        for column, text in enumerate(_HEADER):
            sheet.write_string(line, column, text)
        for number, draft in enumerate(drafts, start=1):
            for row in _rows(number, draft, "; ".join(evidence.get(draft, ())), one_cell=style != 1):
                line += 1
                for column, value in enumerate(row):
                    if isinstance(value, int):
                        sheet.write_number(line, column, value)
                    elif isinstance(value, date):
                        if style == 2:
                            sheet.write_string(line, column, value.strftime("%d/%m/%Y"))
                        else:
                            sheet.write_datetime(line, column, value, dates)
                    elif value:
                        sheet.write_string(line, column, unicodedata.normalize("NFD", value) if style == 2 else value)


def _rows(number: int, draft: DossierDraft, files: str, *, one_cell: bool) -> list[list[str | int | date]]:
    whole: list[str | int | date] = [draft.unit, draft.field, draft.first_applied_on, draft.filed_on]
    authors = [
        [a.name, a.birth_date.strftime("%d/%m/%Y"), a.job, f"{share}%", a.email]
        for a, share in zip(draft.authors, draft.shares, strict=True)
    ]
    if one_cell:
        name, born, job, share, email = ("\n".join(column) for column in zip(*authors, strict=True))
        return [[number, draft.title, name, born, job, share, *whole, email, files]]
    rows: list[list[str | int | date]] = []
    for place, (name, born, job, share, email) in enumerate(authors):
        head: list[str | int | date] = [number, draft.title] if place == 0 else ["", ""]
        rest: list[str | int | date] = whole if place == 0 else ["", "", "", ""]
        rows.append([*head, name, born, job, share, *rest, email, files if place == 0 else ""])
    return rows
