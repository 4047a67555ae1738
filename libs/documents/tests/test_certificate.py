import io
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import segno
from pypdf import PdfReader

from sangkien.documents import Certificate, DocumentError, qr_code, render_certificate

Read = Callable[[bytes], list[str]]


def lines_between(text: str, first: str, last: str) -> str:
    """What is set between two lines, as one line."""
    lines = text.splitlines()
    return " ".join(line.strip() for line in lines[lines.index(first) + 1 : lines.index(last)])


def test_certificate_says_what_the_law_wants_on_it(certificate: Certificate, read: Read) -> None:
    assert [page.splitlines() for page in read(render_certificate(certificate))] == [
        [
            "THÀNH PHỐ HÀ NỘI",
            "ỦY BAN NHÂN DÂN QUẬN BA ĐÌNH",
            "Số: 27/GCN-UBND",
            "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
            "Độc lập - Tự do - Hạnh phúc",
            "GIẤY CHỨNG NHẬN",
            "SÁNG KIẾN",
            "Ủy ban nhân dân quận Ba Đình chứng nhận",
            "Nguyễn Thị Ằng",
            "Trường THCS Thành Công",
            "là đồng tác giả của sáng kiến",
            "“Tạo dựng không gian lịch sử ở lớp học trong giảng dạy môn Lịch sử 7”",
            "Đồng tác giả: Lê Ỗ Ữ, ĐỖ VĂN ỴỲ",
            "Chủ đầu tư tạo ra sáng kiến: Phòng Giáo dục và Đào tạo",
            "Lĩnh vực áp dụng: Giáo dục",
            "Tóm tắt nội dung: Bố trí góc lịch sử tại lớp.",
            "Lợi ích kinh tế - xã hội: Học sinh khá, giỏi tăng từ 61% lên 84%.",
            "Theo Quyết định: số 07/QĐ-UBND ngày 20 tháng 02 năm 2023",
            "Quét mã hoặc mở địa chỉ dưới đây để xác minh:",
            "sangkien.example.vn/x/6E7ES5Q6XW",
            "Mã kiểm tra: 6E7ES-5Q6XW",
            "Ba Đình, ngày 05 tháng 12 năm 2023",
            "TM. ỦY BAN NHÂN DÂN",
            "KT. CHỦ TỊCH",
            "PHÓ CHỦ TỊCH",
            "Phạm Thị Ẵm",
        ]
    ]


def test_certificate_of_decomposed_names_is_the_same(certificate: Certificate) -> None:
    decomposed = replace(
        certificate,
        holder=unicodedata.normalize("NFD", certificate.holder),
        title=unicodedata.normalize("NFD", certificate.title),
    )
    assert render_certificate(decomposed) == render_certificate(certificate)


def test_certificate_leads_to_its_address(certificate: Certificate) -> None:
    page = PdfReader(io.BytesIO(render_certificate(certificate))).pages[0]

    assert [link["/A"]["/URI"] for link in page.annotations or []] == [certificate.verify_url]


def test_qr_code_holds_the_address() -> None:
    url = "https://sangkien.example.vn/x/6E7ES5Q6XW"

    assert qr_code(url) == segno.make(url, error="m", micro=False)
    assert qr_code(url) != qr_code(url.replace("6E7", "6E8"))
    assert qr_code(url).symbol_size()[0] <= 41  # modules; coarse enough to be read from paper at 27 mm


@pytest.mark.parametrize(
    ("title", "holder"),
    [
        (
            "MỘT SỐ BIỆN PHÁP GIÚP NÂNG CAO HIỆU QUẢ GIÁO DỤC ĐẠO ĐỨC Ằ Ẵ Ỗ Ữ Ỵ " * 4,
            "CÔNG TẰNG TÔN NỮ HOÀNG KHÁNH " * 3,
        ),
        ("Nghiên cứu ứng dụng " * 50, "Ng"),
        ("X" * 1_000, "Y" * 200),
    ],
)
def test_certificate_keeps_long_texts_on_its_page(
    certificate: Certificate, read: Read, title: str, holder: str
) -> None:
    crowded = replace(
        certificate, title=title, holder=holder, summary="Nội dung dài. " * 200, benefit="Lợi ích. " * 200
    )

    pdf = render_certificate(crowded)

    (page,) = read(pdf)
    text = page.replace("\u200b", "")
    assert lines_between(text, "Ủy ban nhân dân quận Ba Đình chứng nhận", "Trường THCS Thành Công").replace(
        " ", ""
    ) == holder.replace(" ", "")
    quoted = text[text.index("“") + 1 : text.index("”")]
    assert "".join(quoted.split()) == "".join(title.split())
    assert text.count("[…]") == 2
    at = heights(pdf)
    downwards = [
        "SÁNG KIẾN",
        "Ủy ban nhân dân quận Ba Đình chứng nhận",
        "là đồng tác giả của sáng kiến",
        "Đồng tác giả:",
        "Chủ đầu tư tạo ra sáng kiến:",
        "Tóm tắt nội dung:",
        "Lợi ích kinh tế - xã hội:",
        "Theo Quyết định:",
        "TM. ỦY BAN NHÂN DÂN",
        "Phạm Thị Ẵm",
    ]
    order = [round(at[line]) for line in downwards]
    assert order == sorted(set(order), reverse=True)  # what has no room is set over what is there


def heights(pdf: bytes) -> dict[str, float]:
    """How high above the page's lower edge each line stands, in points."""
    found: dict[str, float] = {}

    def visit(text: str, current: list[float], matrix: list[float], *_: Any) -> None:
        if text.strip():
            found[text.strip()] = matrix[4] * current[1] + matrix[5] * current[3] + current[5]

    PdfReader(io.BytesIO(pdf)).pages[0].extract_text(visitor_text=visit)
    return found


def test_certificate_of_many_authors_counts_the_rest(certificate: Certificate, read: Read) -> None:
    (page,) = read(render_certificate(replace(certificate, co_authors=tuple(f"Tác Giả {n}" for n in range(1, 41)))))
    assert "Tác Giả 12 và 28 đồng tác giả khác" in " ".join(page.split())


def test_certificate_leaves_out_what_is_not_known(certificate: Certificate, read: Read) -> None:
    bare = replace(certificate, holder_unit="", co_authors=(), owner="", field="", summary="", benefit="")
    (page,) = read(render_certificate(bare))
    assert page.splitlines()[8:12] == [
        "Nguyễn Thị Ằng",
        "là tác giả của sáng kiến",
        "“Tạo dựng không gian lịch sử ở lớp học trong giảng dạy môn Lịch sử 7”",
        "Theo Quyết định: số 07/QĐ-UBND ngày 20 tháng 02 năm 2023",
    ]


def test_certificate_prints_markup_and_strange_characters_as_text(certificate: Certificate, read: Read) -> None:
    title = 'Dùng #eval("1") *đậm* $x^2$ [a] \\ `b` 数 😀 ② ½ ‑ ㎡ // hết'
    (page,) = read(render_certificate(replace(certificate, title=title)))
    assert '“Dùng #eval("1") *đậm* $x^2$ [a] \\ `b` □ □ 2 ½ - m2 // hết”' in page.splitlines()


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("holder", " \u200b", "certificate: holder: is empty; it must be printed, so fill it in"),
        ("title", "x" * 1_001, "certificate: title: is longer than 1000 characters; shorten it"),
        ("owner", "x" * 201, "certificate: owner: is longer than 200 characters; shorten it"),
        ("verify_url", "javascript:alert(1)", "is no web address in plain ASCII"),
        ("verify_url", "https://ví-dụ.vn/x", "is no web address in plain ASCII"),
        ("verify_url", "https://a.vn/x y", "is no web address in plain ASCII"),
        ("verify_url", "https://a.vn/" + "x" * 100, "is longer than 100 characters"),
        ("check_code", "6E7ES5Q6XV", "has a typing error"),
        ("check_code", "6e7es-5q6xw", "is not in its stored form"),
    ],
)
def test_certificate_refuses_what_cannot_be_issued(
    certificate: Certificate, field: str, value: str, problem: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        replace(certificate, **{field: value})  # type: ignore[arg-type]
    assert problem in str(caught.value)
