"""Rows as people fill them in: authors, shares, dates, money; and what is said of those that cannot be filed."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from sangkien.console.importing import ImportRow, RowError, Table, read_rows
from sangkien.console.importing.cells import read_date, read_money
from sangkien.console.importing.headers import find_header
from sangkien.console.importing.problems import CellRefused
from sangkien.text.catalogue import known_codes

HEADER = [
    "STT", "Tên sáng kiến", "Tác giả", "Tỷ lệ (%) đóng góp", "Đơn vị", "Ngày sinh", "Ngày áp dụng lần đầu",
    "Giá trị làm lợi", "Lợi ích", "Chức danh",
]  # fmt: skip
FIELDS = ["number", "title", "authors", "share", "unit", "birth_date", "applied", "money", "benefit", "job"]
TODAY = date(2023, 12, 1)


def row(**cells: Any) -> list[Any]:
    given = {"title": "Sổ tay điện tử", "authors": "Nguyễn Thị Hoa", "unit": "Phường Điện Biên"} | cells
    return [given.get(field, "") for field in FIELDS]


SIGNED = [
    ["", "", "", "", "Trúc Bạch, ngày 5 tháng 9 năm 2023"],
    ["NGƯỜI LẬP BIỂU", "", "KẾ TOÁN", "", "TM. BAN CHẤP HÀNH"],
    ["", "(Ký, ghi rõ họ tên)"],
    ["", "Người tổng hợp", "", "", "Hoàng Thị Hợp"],
    ["Lê Thị Lập", "Trần Văn Kế", "Vũ Thị Toán", "", "Phạm Văn Trưởng"],
]


def read(*rows: Sequence[Any], merged: tuple[tuple[int, int, int], ...] = ()) -> tuple[list[ImportRow], list[RowError]]:
    lines = [HEADER, *rows]
    return read_rows(Table(lines, find_header(lines), merged), today=TODAY)


def told(errors: Sequence[RowError]) -> list[tuple[int, str, str]]:
    return [(error.row, error.column, error.code) for error in errors]


def authors(*rows: Sequence[Any]) -> list[tuple[str, int]]:
    good, rejected = read(*rows)
    assert rejected == []
    return [(author.full_name, author.share) for one in good for author in one.authors]


@pytest.mark.parametrize(
    "cells",
    [
        {"authors": "Lê An\nVũ Bình", "share": "60%\n40%"},
        {"authors": "Lê An \nVũ Bình\n", "share": "60; 40"},
        {"authors": "Lê An; Vũ Bình", "share": "60, 40"},
        {"authors": "Lê An  Vũ Bình", "share": "60/40"},
        {"authors": "Lê An (60%), Vũ Bình (40%)"},
        {"authors": "1. Lê An: 60%\n2. Vũ Bình: 40%"},
        {"authors": "- Chủ nhiệm: Lê An - 60%\n- Thành viên: Vũ Bình - 40%"},
        {"authors": "Lê An (60)\nVũ Bình (40)"},
        {"authors": "Lê An, Vũ Bình", "share": "60% - 40%"},
        {"authors": "Lê An và Vũ Bình", "share": "60,0%\n40,0 %"},
        {"authors": "Lê An VÀ Vũ Bình", "share": "60-40"},
        {"authors": "Lê An - Vũ Bình", "share": "0,6\n0,4"},
        {"authors": "1) Lê An 2) Vũ Bình", "share": "60,40"},
        {"authors": "a) Ông Lê An\nb) ThS. Vũ Bình*", "share": "60 : 40"},
        {"authors": "Nhóm tác giả: Lê  An; Vũ Bình (Tổ 2)", "share": "60 – 40"},
        {"authors": "Lê An 60% Vũ Bình 40%"},
        {"authors": "Lê An (1985)\nVũ Bình", "share": "Vũ Bình: 40%\nLê An: 60%"},
    ],
)
def test_two_authors_of_one_cell_are_told_apart(cells: dict[str, str]) -> None:
    assert authors(row(**cells)) == [("Lê An", 6_000), ("Vũ Bình", 4_000)]


@pytest.mark.parametrize("shares", [(60, 40), (0.6, 0.4), ("60%", "40%")])
def test_a_row_for_each_author_is_one_initiative(shares: tuple[Any, Any]) -> None:
    first = row(number=1.0, authors="Lê An", share=shares[0])
    below = row(title="", unit="", authors="Vũ Bình", share=shares[1])
    again = row(authors="Vũ Bình", share=shares[1])

    assert authors(first, below) == [("Lê An", 6_000), ("Vũ Bình", 4_000)]
    assert authors(first, again) == [("Lê An", 6_000), ("Vũ Bình", 4_000)]


def test_rows_that_number_the_authors_of_one_title_are_one_initiative() -> None:
    assert authors(row(number=1, authors="Lê An", share="60%"), row(number=2, authors="Vũ Bình", share="40%")) == [
        ("Lê An", 6_000),
        ("Vũ Bình", 4_000),
    ]


def test_row_given_twice_with_half_a_share_is_not_two_authors() -> None:
    good, rejected = read(row(number=1, share="50%"), row(number=2, share="50%"))

    assert (good, [error.code for error in rejected]) == ([], ["shares_not_100", "shares_not_100"])


def test_each_author_has_the_birth_date_and_job_of_the_same_line() -> None:
    cells = {"authors": "Lê An\nVũ Bình", "share": "50%\n50%", "birth_date": "1/2/85\n03.04.1991", "job": "Giáo viên"}
    [one], _ = read(row(**cells))
    [alone], _ = read(row(birth_date=1985.0))

    assert [(a.birth_date, a.job_title) for a in one.authors] == [
        (date(1985, 2, 1), "Giáo viên"),
        (date(1991, 4, 3), ""),
    ]
    assert alone.authors[0].birth_date is None


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"title": " \n"}, "Tên sáng kiến", "cell_empty"),
        ({"authors": ""}, "Tác giả", "cell_empty"),
        ({"unit": ""}, "Đơn vị", "cell_empty"),
        ({"authors": "Lê An\nVũ Bình"}, "Tỷ lệ (%) đóng góp", "shares_missing"),
        ({"authors": "Lê An, Vũ Bình"}, "Tỷ lệ (%) đóng góp", "shares_missing"),
        ({"authors": "Lê An\nVũ Bình", "share": "60%"}, "Tỷ lệ (%) đóng góp", "shares_missing"),
        ({"authors": "Lê An\nVũ Bình", "share": "50%\n40%"}, "Tỷ lệ (%) đóng góp", "shares_not_100"),
        ({"share": 90}, "Tỷ lệ (%) đóng góp", "shares_not_100"),
        ({"authors": "Lê An, Hiệu trưởng"}, "Tác giả", "author_unclear"),
        ({"authors": "lê an và vũ bình"}, "Tác giả", "author_unclear"),
        ({"authors": "?"}, "Tác giả", "author_unclear"),
        ({"authors": 123.0}, "Tác giả", "author_unclear"),
        ({"authors": "Lê An (50%); Vũ Bình (40%)"}, "Tác giả", "shares_not_100"),
        ({"share": "1%"}, "Tỷ lệ (%) đóng góp", "shares_not_100"),
        ({"applied": "1/1/1989"}, "Ngày áp dụng lần đầu", "date_too_early"),
        ({"applied": True}, "Ngày áp dụng lần đầu", "date_invalid"),
        ({"applied": time(8, 30)}, "Ngày áp dụng lần đầu", "date_invalid"),
        ({"share": timedelta(hours=50, minutes=50)}, "Tỷ lệ (%) đóng góp", "share_malformed"),
        ({"share": "một nửa"}, "Tỷ lệ (%) đóng góp", "share_malformed"),
        ({"share": "60%\n40%"}, "Tỷ lệ (%) đóng góp", "shares_count_differs"),
        ({"authors": "Lê An\nVũ Bình", "share": "100%\n0%"}, "Tỷ lệ (%) đóng góp", "share_out_of_range"),
        ({"applied": "31/02/2023"}, "Ngày áp dụng lần đầu", "date_invalid"),
        ({"applied": "Năm học 2022 - 2023"}, "Ngày áp dụng lần đầu", "date_invalid"),
        ({"applied": date(1899, 11, 8)}, "Ngày áp dụng lần đầu", "date_invalid"),
        ({"applied": "0000-00-00"}, "Ngày áp dụng lần đầu", "date_invalid"),
        ({"applied": "02/12/2023"}, "Ngày áp dụng lần đầu", "date_in_future"),
        ({"birth_date": "30/02/1980"}, "Ngày sinh", "date_invalid"),
    ],
)
def test_bad_row_is_named_with_its_column_and_the_good_ones_stay(cells: dict[str, Any], column: str, code: str) -> None:
    good, rejected = read(
        row(number=1), row(number=2, **({"title": "Một sáng kiến khác"} | cells)), row(number=3, unit="U")
    )

    assert [one.row for one in good] == [2, 4]
    assert told(rejected) == [(3, column, code)]
    assert all((rejected[0].message, rejected[0].fix, rejected[0].message_en, rejected[0].fix_en))
    assert code in known_codes()


def test_sum_of_wrong_shares_is_said() -> None:
    _, [error] = read(row(authors="Lê An\nVũ Bình", share="50%\n40%"))
    assert "90%" in error.message


def test_duplicate_row_names_the_first() -> None:
    twin = row(number=3, title="SỔ TAY ĐIỆN TỬ", authors="nguyễn thị hoa")
    good, rejected = read(row(number=1), row(number=2, authors="Người Khác"), twin)

    assert ([one.row for one in good], told(rejected)) == ([2, 3], [(4, "Tên sáng kiến", "duplicate_row")])
    assert "dòng 2" in rejected[0].message


def test_sections_footers_samples_and_number_rows_are_passed_over() -> None:
    good, rejected = read(
        ["(1)", "(2)", "(3)", "(4)"],
        ["I", "Bậc mầm non"],
        row(number=1),
        ["", "II. Bậc tiểu học"],
        row(number=2, title="Dòng minh họa thứ nhất"),
        row(number=2, unit="nt", title="Sáng kiến thứ hai"),
        [],
        ["", "Tổng số: 02 sáng kiến"],
        ["", "", "", "", "Hà Nội, ngày 5 tháng 9 năm 2023"],
    )

    assert (told(rejected), [(one.row, one.unit) for one in good]) == (
        [],
        [(4, "Phường Điện Biên"), (7, "Phường Điện Biên")],
    )


@pytest.mark.parametrize(
    "total",
    [
        ["", "Tổng cộng", 2], ["Tổng cộng", "", "", "200%"], ["", "TỔNG CỘNG", "2 tác giả", "", "2 đơn vị"],
        ["Cộng", 2, 2], ["", "Tổng số sáng kiến: 02"], ["", "Danh sách gồm 02 sáng kiến./."],
    ],
)  # fmt: skip
def test_totals_signatures_and_headers_of_further_pages_are_no_initiatives(total: list[Any]) -> None:
    good, rejected = read(
        list("ABCDEFGHIK"), row(number=1), HEADER, row(number=2, title="Tổng hợp ý kiến"), total, *SIGNED
    )
    unnumbered, rejected_too = read(row(), total, *SIGNED)

    assert ([one.row for one in good], told(rejected)) == ([3, 5], [])
    assert ([(one.row, len(one.authors)) for one in unnumbered], told(rejected_too)) == ([(2, 1)], [])


def test_list_goes_on_below_a_signature_where_its_numbers_do() -> None:
    good, rejected = read(row(number=1), *SIGNED, row(number=2, unit="U"), row(number=3, title=""))

    assert ([one.row for one in good], told(rejected)) == ([2, 8], [(9, "Tên sáng kiến", "cell_empty")])


@pytest.mark.parametrize("share", ["100%", ""])
def test_row_that_lost_its_title_is_refused_itself_and_not_joined_to_the_one_above(share: str) -> None:
    good, rejected = read(row(share=share), row(title="", authors="Vũ Bình", share=share), row(title="Sáng kiến hai"))

    assert ([one.row for one in good], told(rejected)) == ([2, 4], [(3, "Tên sáng kiến", "cell_empty")])


@pytest.mark.parametrize("name", ["Nguyễn Văn A12345", "Tác giả 1985", "Nguyễn Văn A-12", "H'Hen Niê", "Ông Gia Bảo"])
def test_unusual_name_is_a_name(name: str) -> None:
    assert authors(row(authors=name)) == [(name, 10_000)]


def test_authors_in_columns_of_their_own_are_all_read() -> None:
    lines: list[list[Any]] = [
        ["Tên sáng kiến", "Tác giả 1", "Tỷ lệ 1", "Tác giả 2", "Tỷ lệ 2", "Đơn vị"],
        ["Sổ tay điện tử", "Lê An", 0.6, "Vũ Bình", 0.4, "U"],
        ["Tủ sách lưu động", "Lê An", "", "", "", "U"],
    ]
    good, rejected = read_rows(Table(lines, find_header(lines)), today=TODAY)

    assert rejected == []
    assert [[(author.full_name, author.share) for author in one.authors] for one in good] == [
        [("Lê An", 6_000), ("Vũ Bình", 4_000)],
        [("Lê An", 10_000)],
    ]


def test_authors_numbered_below_their_initiative_belong_to_it() -> None:
    below = row(number="1.1", title="", authors="Vũ Bình", share="40%")

    assert authors(row(number="1", authors="Lê An", share="60%"), below) == [("Lê An", 6_000), ("Vũ Bình", 4_000)]


def test_authors_below_one_merged_title_belong_to_it_even_when_numbered() -> None:
    first = row(number=1, authors="Lê An", share="60%")
    below = row(number=2, title="", authors="Vũ Bình", share="40%")
    good, rejected = read(first, below, row(number=2, title="Sáng kiến hai"), merged=((1, 2, 1),))

    assert ([(one.row, len(one.authors)) for one in good], told(rejected)) == ([(2, 2), (4, 1)], [])


def test_the_same_initiative_below_itself_with_several_authors_is_a_duplicate() -> None:
    good, rejected = read(
        row(authors="Lê An\nVũ Bình", share="50%\n50%"),
        row(title="“Sổ tay  ĐIỆN TỬ”.", authors="Vũ Bình\nLê An", share="50%\n50%"),
        row(authors="Lê Ân\nVũ Bình", share="50%\n50%"),
    )

    assert ([one.row for one in good], told(rejected)) == ([2, 4], [(3, "Tên sáng kiến", "duplicate_row")])


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"title": "Nguy?n nhân và gi?i pháp"}, "Tên sáng kiến", "text_garbled"),
        ({"authors": "Nguyá»…n Thá»‹ Hoa"}, "Tác giả", "text_garbled"),
        ({"unit": "Phường \ufffdiện Biên"}, "Đơn vị", "text_garbled"),
        ({"title": "#REF!"}, "Tên sáng kiến", "cell_error"),
        ({"applied": "#N/A"}, "Ngày áp dụng lần đầu", "cell_error"),
        ({"share": "#DIV/0!"}, "Tỷ lệ (%) đóng góp", "cell_error"),
    ],
)
def test_damaged_cell_is_refused_as_what_it_is(cells: dict[str, str], column: str, code: str) -> None:
    good, rejected = read(row(**cells), row(title="«Má» và con: vì sao?"))

    assert ([one.row for one in good], told(rejected)) == ([3], [(2, column, code)])
    assert code in known_codes()


@pytest.mark.parametrize(
    ("heading", "code"),
    [("TÃªn sÃ¡ng kiáº¿n", "text_garbled"), ("T?n s?ng ki?n", "text_garbled"), ("Tªn s¸ng kiÕn", "legacy_encoding")],
)
def test_header_of_damaged_text_is_named_as_that_and_not_as_missing(heading: str, code: str) -> None:
    lines: list[list[Any]] = [["STT", heading, "?"], [1, "Sổ tay điện tử", "Lê An"]]

    assert told(read_rows(Table(lines, find_header(lines)), today=TODAY)[1]) == [(1, heading, code)]


def test_unit_of_a_merged_cell_holds_for_every_row_it_covers() -> None:
    good, rejected = read(
        row(number=1, unit="Trường A"),
        row(number=2, title="Sáng kiến hai", unit=""),
        row(number=3, title="Sáng kiến ba", unit=""),
        merged=((1, 2, FIELDS.index("unit")),),
    )

    assert ([one.unit for one in good], told(rejected)) == (["Trường A", "Trường A"], [(4, "Đơn vị", "cell_empty")])


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("05/09/2023", date(2023, 9, 5)), ("5.9.2023", date(2023, 9, 5)), ("5-9-23", date(2023, 9, 5)),
        ("2023-09-05", date(2023, 9, 5)), ("2023-09-05T00:00:00", date(2023, 9, 5)), (45174.0, date(2023, 9, 5)),
        (datetime(2023, 9, 5, 7, 0), date(2023, 9, 5)), ("09.2022", date(2022, 9, 1)), ("9/2022", date(2022, 9, 1)),  # noqa: DTZ001 (spreadsheets know no zone)
        ("Tháng 9/2015", date(2015, 9, 1)), ("tháng 10 năm 2020", date(2020, 10, 1)), ("15/3/07", date(2007, 3, 15)),
        ("ngày 05 tháng 9 năm 2023", date(2023, 9, 5)), ("Từ ngày 01/9/2012 đến tháng 5/2013", date(2012, 9, 1)),
        ("", None), (None, None), ("-", None), ("45174", date(2023, 9, 5)),
    ],
)  # fmt: skip
def test_date_is_read_in_the_usual_forms(cell: Any, day: date | None) -> None:
    assert read_date("first_applied_on", cell, TODAY) == day


@pytest.mark.parametrize("cell", ["01/07", "8-12", "20112- 2013", "NH 2003 - 2004", "31/04/2023", "29/02/2023", 7.5])
def test_date_that_cannot_be_told_is_refused(cell: Any) -> None:
    with pytest.raises(CellRefused) as caught:
        read_date("first_applied_on", cell, TODAY)
    assert caught.value.code == "date_invalid"


def test_two_digit_year_of_birth_makes_an_adult() -> None:
    assert read_date("birth_date", "01/02/10", TODAY) == date(1910, 2, 1)
    assert read_date("birth_date", "01/02/09", TODAY) == date(2009, 2, 1)
    assert read_date("first_applied_on", "01/02/10", TODAY) == date(2010, 2, 1)


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("131.800.000 đồng", 131_800_000), ("97,3 tỉ đồng", 97_300_000_000), ("60 tỷ đồng", 60_000_000_000),
        ("3.500 triệu", 3_500_000_000), ("94.090.000đ", 94_090_000), ("2.000.000 đ", 2_000_000),
        ("10,9 tỷ", 10_900_000_000),
        ("12,210,000 VND", 12_210_000), (24564.0, 24_564), ("không", 0), ("", 0), ("1,5 triệu đồng/năm", 1_500_000),
        ("hơn 22 tỷ đồng", None), ("1.761 USD/năm", None), ("hàng trăm triệu đồng mỗi năm", None),
        ("116.000 đ/m * 6m * 2 lần/năm = 1.392.000 đ", None), (-5, None), (0.5, None), (1e20, None),
    ],
)  # fmt: skip
def test_money_is_exact_or_not_taken(cell: Any, amount: int | None) -> None:
    assert read_money(cell) == amount


def test_money_in_words_is_kept_with_the_benefit_and_warned_of() -> None:
    [one], rejected = read(row(money="hơn 22 tỷ đồng", benefit="Tiết kiệm giấy"))

    assert (one.benefit_vnd, one.benefit, rejected) == (0, "Tiết kiệm giấy\nGiá trị làm lợi: hơn 22 tỷ đồng", [])
    assert told(one.warnings) == [(2, "Giá trị làm lợi", "money_unreadable")]


def test_key_follows_content_and_round_not_the_place_in_the_file() -> None:
    [first], _ = read(row())
    [moved], _ = read([], [], row(title="Sô\u0309 tay điện tử"))
    [other], _ = read(row(share=100, job="Công chức"))

    assert (moved.row, moved.key("R1")) == (4, first.key("R1"))
    assert len({first.key("R1"), first.key("R2"), other.key("R1")}) == 3
    assert len(first.key("R1")) <= 128


def test_evidence_may_go_on_below_its_row_and_a_signature_in_its_column_is_none() -> None:
    lines = [
        [*HEADER, "Minh chứng"],
        [*row(), "ảnh trước.jpg; \nảnh sau.jpg"],
        [*[""] * len(HEADER), "bản vẽ.dwg"],
        [*row(title="Tủ sách lưu động"), ""],
        ["", "Người lập bảng", *[""] * (len(HEADER) - 2), "Thủ trưởng đơn vị"],
        [*[""] * len(HEADER), "Nguyễn Văn A"],
    ]
    good, rejected = read_rows(Table(lines, find_header(lines)), today=TODAY)

    assert rejected == []
    assert [(one.title, one.evidence) for one in good] == [
        ("Sổ tay điện tử", ("ảnh trước.jpg", "ảnh sau.jpg", "bản vẽ.dwg")),
        ("Tủ sách lưu động", ()),
    ]
