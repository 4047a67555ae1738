"""Files as they come: kinds, encodings, headers, sheets; and files nobody should trust."""

import csv
import io
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from sangkien.console.importing import ImportRow, RowError, TableUnreadable, read_rows, read_table, write_template
from sangkien.text import nfc

HEADER = ["STT", "Tên sáng kiến", "Tác giả", "Đơn vị"]
GOOD = [1, "Nâng cao chất lượng phục vụ ở bộ phận Một cửa", "Nguyễn Thị Hoa", "Phường Điện Biên"]
TODAY = date(2023, 12, 1)
Rows = Sequence[Sequence[Any]]


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    def write(rows: Rows, *more: Rows, merge: str = "") -> Path:
        path = tmp_path / "danh-sach.xlsx"
        with xlsxwriter.Workbook(path) as book:
            for sheet_rows in (rows, *more):
                sheet = book.add_worksheet()
                if merge:
                    sheet.merge_range(merge, "")
                for line, row in enumerate(sheet_rows):
                    for column, value in enumerate(row):
                        if value != "":
                            sheet.write(line, column, value)
        return path

    return write


def read(path: Path, **options: Any) -> tuple[list[ImportRow], list[RowError]]:
    return read_rows(read_table(path), today=TODAY, **options)


def tone_apart(char: str) -> str:
    """As Windows-1258 has it: the letter with its circumflex, breve or horn, then the tone."""
    parts = unicodedata.normalize("NFD", char)
    tones = "".join(part for part in parts if part in "\u0300\u0301\u0303\u0309\u0323")
    return unicodedata.normalize("NFC", "".join(part for part in parts if part not in tones)) + tones


def told(errors: Sequence[RowError]) -> list[tuple[int, str, str]]:
    return [(error.row, error.column, error.code) for error in errors]


def test_list_under_a_title_with_empty_columns_and_sheets_is_read(workbook: Callable[..., Path]) -> None:
    title = ["DANH SÁCH CÁC SÁNG KIẾN ĐÃ ĐƯỢC CÔNG NHẬN"]
    stray = [2.0, "Sổ theo dõi điện tử", "Trần Văn An", "Phòng Kinh tế", "", 43.0]
    path = workbook([], [title, [], [*HEADER, "", ""], [1.0, *GOOD[1:]], stray, [], []], [])

    rows, rejected = read(path)

    assert [(row.row, row.title, row.unit, row.authors[0].full_name, row.authors[0].share) for row in rows] == [
        (4, GOOD[1], GOOD[3], "Nguyễn Thị Hoa", 10_000),
        (5, "Sổ theo dõi điện tử", "Phòng Kinh tế", "Trần Văn An", 10_000),
    ]
    assert rejected == []


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (
            [["TT", "Họ và tên tác giả", "Tên giải pháp", "Nơi công tác (hoặc nơi thường trú)"]],
            [1, "A B", "Sổ tay", "U"],
        ),
        ([["No", "Authors", "Initiative title", "Organisation"]], [1, "A B", "Sổ tay", "U"]),
        ([["STT", "Chủ nhiệm", "TÊN ĐỀ TÀI", "Cơ quan"]], [1, "A B", "Sổ tay", "U"]),
        ([["1. TT", "2.Tác giả", "9.Tên sáng kiến.", "4.Cơ quan công tác"]], [1, "A B", "Sổ tay", "U"]),
        ([["Số", "Họ và tên", "Tên sáng", "Đơn vị"], ["TT", "tác giả", "kiến", "công tác"]], [1, "A B", "Sổ tay", "U"]),
        ([["STT", "Tên tác giả/đồng tác giả", "Tên sáng kiến", "Công đoàn cơ sở"]], [1, "A B", "Sổ tay", "U"]),
        (
            [["Đơn vị: Phường A"], ["TT", "Thông tin tác giả", "Tên sáng kiến", "Đơn vị"], ["", "Họ và tên", "", ""]],
            [1, "A B", "Sổ tay", "U"],
        ),
        ([["Số", "Người thực hiện", "Tên SKKN", "Trường"], ["(1)", "(2)", "(3)", "(4)"]], [1, "A B", "Sổ tay", "U"]),
    ],
)
def test_header_is_understood_in_the_words_people_use(
    workbook: Callable[..., Path], header: Rows, row: list[Any]
) -> None:
    rows, rejected = read(workbook([["DANH SÁCH"], [], *header, row]))

    assert [(one.authors[0].full_name, one.title, one.unit) for one in rows] == [("A B", "Sổ tay", "U")]
    assert rejected == []


def test_missing_column_is_named_once_with_the_columns_found(workbook: Callable[..., Path]) -> None:
    path = workbook([["Danh sách"], ["STT", "Tên sáng kiến", "Tác giả", "Ghi chú"], [1, "Sổ tay", "A B", ""]])

    rows, rejected = read(path)

    assert (rows, told(rejected)) == ([], [(2, "Đơn vị", "missing_column")])
    assert "STT; Tên sáng kiến; Tác giả; Ghi chú" in rejected[0].message
    assert [row.unit for row in read(path, default_unit="Phường Trúc Bạch")[0]] == ["Phường Trúc Bạch"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1258"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_is_read_in_every_usual_encoding_and_delimiter(tmp_path: Path, encoding: str, mark: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=mark).writerows([["DANH SÁCH, 2023; đợt 1"], HEADER, [*GOOD[:2], "A B\nC D (40%)", "U"]])
    text = out.getvalue().replace("A B\n", "A B (60%)\n")
    if encoding == "cp1258":
        text = "".join(map(tone_apart, text))
    path = tmp_path / "danh-sach.csv"
    path.write_bytes(text.encode(encoding))

    rows, rejected = read(path)

    assert (told(rejected), [row.title for row in rows]) == ([], [GOOD[1]])
    assert [(author.full_name, author.share) for author in rows[0].authors] == [("A B", 6_000), ("C D", 4_000)]


def test_titles_with_real_encoding_defects_come_out_in_normal_form(workbook: Callable[..., Path]) -> None:
    with (Path(__file__).parent / "raw-titles-as-stored.tsv").open(encoding="utf-8", newline="") as file:
        stored = [
            line["raw_title_escaped"].replace("\\n", "\n").replace("\\u00a0", "\u00a0")
            for line in csv.DictReader(file, delimiter="\t")
        ]
    path = workbook([HEADER, *([number, title, f"A B{number}", "U"] for number, title in enumerate(stored, start=1))])

    rows, rejected = read(path)

    assert len(stored) == 60
    assert rejected == []
    assert [row.title for row in rows] == [nfc(title) for title in stored]
    assert [title for title in (row.title for row in rows) if not unicodedata.is_normalized("NFC", title)] == []


@pytest.mark.parametrize(
    ("title", "encoding"),
    [
        ("øng dông c«ng nghÖ th«ng tin trong qu¶n lý", "TCVN3"),
        ("Moät soá bieän phaùp naâng cao chaát löôïng giaùo duïc", "VNI"),
    ],
)
def test_legacy_encoding_is_refused_by_name(workbook: Callable[..., Path], title: str, encoding: str) -> None:
    rows, rejected = read(workbook([HEADER, GOOD, [2, title, "A B", "U"]]))

    assert ([row.row for row in rows], told(rejected)) == ([2], [(3, "Tên sáng kiến", "legacy_encoding")])
    assert encoding in rejected[0].message


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("TCVN3", "øng dông c«ng nghÖ th«ng tin trong qu¶n lý".encode("latin-1")),
        ("VNI", "Moät soá bieän phaùp naâng cao chaát löôïng".encode("latin-1")),
    ],
)
def test_legacy_bytes_of_a_csv_are_refused_by_name(tmp_path: Path, encoding: str, raw: bytes) -> None:
    path = tmp_path / "danh-sach.csv"
    path.write_bytes(b"No,Title,Authors,Unit\n1," + raw + b",A B,U\n")

    _, rejected = read(path)

    assert told(rejected) == [(2, "Title", "legacy_encoding")]
    assert encoding in rejected[0].message


def test_broken_byte_of_a_csv_makes_its_row_unreadable_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "danh-sach.csv"
    lines: Rows = [HEADER, GOOD, [2, "Sổ tay điện tử", "A B", "U"]]
    path.write_bytes(
        "\n".join(",".join(map(str, line)) for line in lines).encode().replace("Sổ".encode(), b"S\xe1\xbb")
    )

    rows, rejected = read(path)

    assert ([row.row for row in rows], told(rejected)) == ([2], [(3, "Tên sáng kiến", "text_garbled")])


def test_quote_never_closed_and_delimiter_within_a_text_are_told_of(tmp_path: Path) -> None:
    path = tmp_path / "danh-sach.csv"
    lines: Rows = [
        HEADER,
        GOOD,
        [2, "Quản lý, điều hành", "A B", "U"],
        [3, '"Sổ tay', "A B", "U"],
        [4, "Tủ sách", "A B", "U"],
    ]
    path.write_text("\n".join(",".join(map(str, line)) for line in lines), encoding="utf-8")

    rows, rejected = read(path)

    assert ([row.row for row in rows], told(rejected)) == ([2], [(3, "", "row_too_long"), (4, "", "quote_open")])


def test_formula_with_an_error_or_without_a_result_is_no_empty_cell(tmp_path: Path) -> None:
    path = tmp_path / "cong-thuc.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Bìa")
        sheet = book.add_worksheet("Danh sách & “phụ lục”")
        sheet.write_row(0, 0, [*HEADER, "Ngày áp dụng"])
        for line in range(1, 4):
            sheet.write_row(line, 0, [line, f"Sáng kiến số {line}", "A B", "U"])
        sheet.write_formula(1, 4, "=A9", None, "#REF!")
        sheet.write_formula(2, 4, "=DATE(2022,9,5)", None, "")
        sheet.write_formula(3, 4, "=DATE(2022,9,5)", None, 44809)

    # Libraries that only write formulas leave out their results; xlsxwriter has an empty text there.
    changed = tmp_path / "chua-tinh.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(
                name, old.read(name).replace(b't="str"><f>DATE(2022,9,5)</f><v></v>', b"><f>DATE(2022,9,5)</f><v/>")
            )
    rows, rejected = read(changed)

    assert [(row.row, row.first_applied_on) for row in rows] == [(4, date(2022, 9, 5))]
    assert told(rejected) == [(2, "Ngày áp dụng", "cell_error"), (3, "Ngày áp dụng", "cell_error")]


def test_template_is_read_back_without_its_samples(tmp_path: Path) -> None:
    path = tmp_path / "mau.xlsx"
    write_template(path)

    table = read_table(path)

    assert read_rows(table) == ([], [])
    assert table.header is not None
    assert sorted(table.header.columns) == [
        "authors", "benefit", "benefit_vnd", "birth_date", "email", "evidence", "field", "filed_on", "first_applied_on",
        "job_title", "number", "share", "staff_code", "summary", "title", "unit",
    ]  # fmt: skip


def test_hundred_thousand_rows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "lon.csv"
    lines = (f"{n},Sáng kiến số {n},Nguyễn Văn A,Trường Tiểu học số {n % 100}" for n in range(1, 100_001))
    path.write_text("\n".join([",".join(HEADER), *lines]), encoding="utf-8")

    rows, rejected = read(path)

    assert (len(rows), rows[-1].row, rejected) == (100_000, 100_001, [])


@pytest.mark.parametrize("suffix", [".xls", ".ods", ".csv", ""])
def test_workbook_is_known_by_its_content_whatever_it_is_called(workbook: Callable[..., Path], suffix: str) -> None:
    path = workbook([HEADER, GOOD])

    assert [row.title for row in read(path.rename(path.with_suffix(suffix)))[0]] == [GOOD[1]]


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_untrustworthy_files_are_refused_before_they_are_unpacked_into_memory(
    tmp_path: Path, workbook: Callable[..., Path]
) -> None:
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(workbook([HEADER, GOOD]).read_bytes()[:-200])
    damaged = packed(tmp_path / "damaged.xlsx", {"xl/worksheets/sheet1.xml": bytes(range(256)) * 40})
    sound = damaged.read_bytes()
    damaged.write_bytes(sound[:60] + b"\xff" * 30 + sound[90:])
    far = b'<sheetData><c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c></sheetData>'
    files = {
        packed(tmp_path / "bomb.xlsx", {"xl/worksheets/sheet1.xml": b"0" * 700 * 2**20}): "file_too_large",
        packed(tmp_path / "far.xlsx", {"xl/worksheets/sheet1.xml": far}): "file_too_large",
        packed(tmp_path / "other.xlsx", {"word/document.xml": b"<w/>"}): "file_broken",
        cut: "file_broken",
        damaged: "file_broken",
        tmp_path / "missing.xlsx": "file_unreadable",
        tmp_path: "file_unreadable",
    }
    for name, content, code in (
        ("text.xlsx", b"not a workbook", "file_broken"),
        ("empty.csv", b" \n\n", "table_empty"),
        ("page.csv", b"<html><table><tr><td>STT</td></tr></table></html>", "file_broken"),
        ("scan.csv", b"%PDF-1.4 \n1 0 obj", "file_broken"),
        ("noise.csv", bytes(range(1, 256)) * 9, "file_broken"),
        (
            "locked.xls",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            "file_protected",
        ),
        ("biff.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "file_broken"),
    ):
        (tmp_path / name).write_bytes(content)
        files[tmp_path / name] = code

    answered = {}
    for path in files:
        with pytest.raises(TableUnreadable) as caught:
            read_table(path)
        answered[path] = caught.value.problem.code
    assert answered == files


def test_table_without_any_header_lists_what_it_found(tmp_path: Path) -> None:
    path = tmp_path / "danh-sach.csv"
    path.write_text("Mã,Giá\nA,1\n", encoding="utf-8")

    rows, rejected = read(path)

    assert (rows, told(rejected)) == (
        [],
        [(1, "Tên sáng kiến", "missing_column"), (1, "Tác giả", "missing_column"), (1, "Đơn vị", "missing_column")],
    )
    assert "Mã; Giá" in rejected[0].message


def test_hidden_sheet_yields_to_one_that_is_shown_and_further_lists_are_named(tmp_path: Path) -> None:
    path = tmp_path / "nhieu-trang.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheets = [book.add_worksheet(name) for name in ("Cũ", "Mầm non", "Tiểu học", "Hướng dẫn")]
        sheets[0].hide()
        sheets[1].activate()
        for sheet in sheets[:3]:
            sheet.write_row(0, 0, HEADER)
            sheet.write_row(1, 0, [1, f"Sáng kiến của trang {sheet.name}", *GOOD[2:]])
        sheets[3].write(0, 0, "Cách điền")
    table = read_table(path)

    assert [row.title for row in read_rows(table, today=TODAY)[0]] == ["Sáng kiến của trang Mầm non"]
    assert table.unread == ("Tiểu học",)
