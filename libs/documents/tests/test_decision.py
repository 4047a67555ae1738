from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from sangkien.documents import Annex, Column, Decision, DocumentError, Section, Signature, numbered, render_decision

Read = Callable[[bytes], list[str]]


def test_decision_is_laid_out_as_the_law_has_it(decision: Decision, read: Read) -> None:
    assert [page.splitlines() for page in read(render_decision(decision))] == [
        [
            "THÀNH PHỐ HÀ NỘI",
            "ỦY BAN NHÂN DÂN QUẬN BA ĐÌNH",
            "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
            "Độc lập - Tự do - Hạnh phúc",
            "Số: 07/QĐ-UBND Ba Đình, ngày 20 tháng 12 năm 2023",
            "QUYẾT ĐỊNH",
            "Về việc khen thưởng năm 2023",
            "CHỦ TỊCH ỦY BAN NHÂN DÂN QUẬN BA ĐÌNH",
            "Căn cứ Luật Thi đua, khen thưởng;",
            "Xét đề nghị của Trưởng phòng Nội vụ.",
            "QUYẾT ĐỊNH:",
            "Điều 1. Tặng Giấy khen cho 2 cá nhân.",
            "Mức thưởng 540.000 đồng.",
            "Điều 2. Có hiệu lực từ ngày ký./.",
            "Nơi nhận:",
            "- Như Điều 2;",
            "- Lưu: VT, NV.",
            "TM. ỦY BAN NHÂN DÂN",
            "KT. CHỦ TỊCH",
            "PHÓ CHỦ TỊCH",
            "Phạm Thị Ẵm",
        ],
        [
            "DANH SÁCH KHEN THƯỞNG",
            "(Kèm theo Quyết định số 07/QĐ-UBND ngày 20 tháng 12 năm 2023 của Ủy ban ",
            "nhân dân quận Ba Đình)",
            "STT Họ và tên Số tiền",
            "I. Cá nhân",
            "1 Đỗ Ẵm 540.000",
            "2 Lê Ỷ 540.000",
            "II. Tập thể",
            "1 Trường Mầm non A 1.080.000",
            "Tổng cộng: 2.160.000 đồng./.",
        ],
    ]


def test_draft_has_no_number_and_no_date(decision: Decision, read: Read) -> None:
    (page,) = read(render_decision(replace(decision, number=None, issued_on=None, annex=None)))
    assert page.splitlines()[0] == "DỰ THẢO"
    assert page.splitlines()[5] == "Số: ………/QĐ-UBND Ba Đình, ngày …… tháng …… năm ………"


@pytest.mark.parametrize(
    ("signature", "lines"),
    [
        (Signature("Chủ tịch", "A"), ["CHỦ TỊCH"]),
        (Signature("Chủ tịch", "A", "Ủy ban nhân dân"), ["TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"]),
        (Signature("Phó Giám đốc", "A", mode="KT", on_behalf_of="Giám đốc"), ["KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC"]),
        (Signature("Chánh Văn phòng", "A", mode="TL", on_behalf_of="Chủ tịch"), ["TL. CHỦ TỊCH", "CHÁNH VĂN PHÒNG"]),
        (Signature("Trưởng phòng", "A", mode="TUQ", on_behalf_of="Giám đốc"), ["TUQ. GIÁM ĐỐC", "TRƯỞNG PHÒNG"]),
        (Signature("Giám đốc", "A", mode="Q"), ["Q. GIÁM ĐỐC"]),
    ],
)
def test_signature_says_in_whose_stead_it_stands(signature: Signature, lines: list[str]) -> None:
    assert signature.lines() == lines


def test_annex_of_thousands_repeats_its_header_and_loses_no_row(decision: Decision, read: Read) -> None:
    people = tuple((f"Nguyễn Thị Ằng {n}", "540.000") for n in range(1, 1_001))
    units = tuple((f"Trường Mầm non {n}", "1.080.000") for n in range(1, 201))
    annex = Annex(
        "Danh sách", (Column("Họ và tên"), Column("Tiền")), (Section("Cá nhân", people), Section("Tập thể", units))
    )

    _, *listed = read(render_decision(replace(decision, annex=annex)))

    lines = [page.splitlines() for page in listed]
    assert all(page.count("STT Họ và tên Tiền") == 1 for page in lines)
    assert [page[0] for page in lines[1:]] == [str(number) for number in range(2, len(lines) + 1)]
    rows = [line for page in lines for line in page if line.endswith("0.000")]
    assert rows == [
        *(f"{n} {name} {sum_}" for n, (name, sum_) in enumerate(people, start=1)),
        *(f"{n} {name} {sum_}" for n, (name, sum_) in enumerate(units, start=1)),
    ]
    headings = Counter(line for page in lines for line in page if line.startswith("I"))
    assert headings == {"I. Cá nhân": 1, "II. Tập thể": 1}


def test_annex_row_higher_than_a_page_is_printed_whole(decision: Decision, read: Read) -> None:
    words = [f"từ{n}" for n in range(1_200)]
    annex = Annex("Danh sách", (Column("Tên"), Column("Tóm tắt")), (Section("", (("A", " ".join(words)),)),))

    _, *listed = read(render_decision(replace(decision, annex=annex)))

    assert [word for page in listed for word in page.split() if word.startswith("từ")] == words
    assert len(listed) > 3  # what may not break is set beyond the lower edge


def test_signature_is_never_alone_on_a_page(decision: Decision, read: Read) -> None:
    for length in range(10, 26):
        filler = "\n".join(f"Khoản {n}." for n in range(length))
        crowded = replace(decision, articles=(filler, "Điều khoản cuối cùng./."), annex=None)

        last = read(render_decision(crowded))[-1].splitlines()

        assert last.index("Điều 2. Điều khoản cuối cùng./.") < last.index("Phạm Thị Ẵm")


def test_number_below_ten_has_a_zero() -> None:
    assert [numbered(number, "QĐ-UBND") for number in (9, 10, 3034)] == ["09/QĐ-UBND", "10/QĐ-UBND", "3034/QĐ-UBND"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"issued_on": None}, "decision: number: goes with issued_on: give both at issue, neither for a draft"),
        ({"number": 0}, "decision: number: counts from 1 in each year"),
        ({"articles": ("Một.", " \n")}, "decision: articles: needs at least one article, and text in each"),
        ({"subject": ""}, "decision: subject: is empty; it must be printed, so fill it in"),
    ],
)
def test_decision_refuses_what_cannot_be_issued(decision: Decision, changes: dict[str, object], problem: str) -> None:
    with pytest.raises(DocumentError) as caught:
        replace(decision, **changes)  # type: ignore[arg-type]
    assert str(caught.value) == problem


def test_annex_refuses_a_row_of_the_wrong_width() -> None:
    with pytest.raises(DocumentError) as caught:
        Annex("Danh sách", (Column("Tên"), Column("Tiền")), (Section("", (("A", "1"), ("B",))),))
    assert str(caught.value) == "decision: annex.sections[0] row 2: has 1 texts for 2 columns"


def test_signature_names_whom_it_stands_for() -> None:
    with pytest.raises(DocumentError, match="KT, TL and TUQ name the position signed for"):
        Signature("Phó Chủ tịch", "A", mode="KT")
