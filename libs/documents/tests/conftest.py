import io
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from pypdf import PdfReader

from sangkien.documents import (
    Annex,
    Attendee,
    Certificate,
    Column,
    Decision,
    Letterhead,
    Minutes,
    Receipt,
    Section,
    Signature,
    Vote,
)

Read = Callable[[bytes], list[str]]
DISTRICT = Letterhead("Ủy ban nhân dân quận Ba Đình", "Ba Đình", "Thành phố Hà Nội")
DEPUTY = Signature("Phó Chủ tịch", "Phạm Thị Ẵm", "Ủy ban nhân dân", "KT", "Chủ tịch")


@pytest.fixture
def read() -> Read:
    """The text of each page; lines as they are set."""
    return lambda pdf: [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


@pytest.fixture
def certificate() -> Certificate:
    return Certificate(
        letterhead=DISTRICT,
        number="27/GCN-UBND",
        issued_on=date(2023, 12, 5),
        title="Tạo dựng không gian lịch sử ở lớp học trong giảng dạy môn Lịch sử 7",
        holder="Nguyễn Thị Ằng",
        signature=DEPUTY,
        decision_number="07/QĐ-UBND",
        decided_on=date(2023, 2, 20),
        verify_url="https://sangkien.example.vn/x/6E7ES5Q6XW",
        check_code="6E7ES5Q6XW",
        holder_unit="Trường THCS Thành Công",
        co_authors=("Lê Ỗ Ữ", "ĐỖ VĂN ỴỲ"),
        owner="Phòng Giáo dục và Đào tạo",
        field="Giáo dục",
        summary="Bố trí góc lịch sử tại lớp.",
        benefit="Học sinh khá, giỏi tăng từ 61% lên 84%.",
    )


@pytest.fixture
def decision() -> Decision:
    return Decision(
        letterhead=DISTRICT,
        symbol="QĐ-UBND",
        number=7,
        issued_on=date(2023, 12, 20),
        subject="Về việc khen thưởng năm 2023",
        authority="Chủ tịch Ủy ban nhân dân quận Ba Đình",
        grounds=("Căn cứ Luật Thi đua, khen thưởng", "Xét đề nghị của Trưởng phòng Nội vụ;"),
        articles=("Tặng Giấy khen cho 2 cá nhân.\nMức thưởng 540.000 đồng.", "Có hiệu lực từ ngày ký./."),
        recipients=("Như Điều 2", "Lưu: VT, NV."),
        signature=DEPUTY,
        annex=Annex(
            title="Danh sách khen thưởng",
            columns=(Column("Họ và tên", 2), Column("Số tiền", 1, "right")),
            sections=(
                Section("Cá nhân", (("Đỗ Ẵm", "540.000"), ("Lê Ỷ", "540.000"))),
                Section("Hộ gia đình", ()),
                Section("Tập thể", (("Trường Mầm non A", "1.080.000"),)),
            ),
            closing="Tổng cộng: 2.160.000 đồng./.",
        ),
    )


@pytest.fixture
def minutes() -> Minutes:
    chair, secretary, member = (
        Attendee("Nguyễn Ánh", "Chủ tịch"),
        Attendee("Lê Ỷ", "Ủy viên thư ký"),
        Attendee("Vũ Ữ", ""),
    )
    return Minutes(
        letterhead=Letterhead("Hội đồng sáng kiến", "Ba Đình"),
        number="12/BB-HĐSK",
        council="Hội đồng sáng kiến quận Ba Đình",
        subject="Họp xét công nhận sáng kiến Đợt 1",
        venue="Phòng họp số 2",
        opened_at=datetime(2023, 10, 19, 18, 5, tzinfo=UTC),
        closed_at=datetime(2023, 10, 20, 10, 30, tzinfo=UTC),
        chair=chair,
        secretary=secretary,
        present=(chair, secretary, member),
        absent=(Attendee("Phạm Ân", "Ủy viên", "đi công tác"),),
        rule="Có mặt ít nhất 2/3 thành viên.",
        votes=(
            Vote("BD-1", "Sáng kiến một", 3, 0, 0, passed=True, unit="Trường Mầm non A"),
            Vote("BD-2", "Sáng kiến hai", 1, 0, 1, passed=False, excluded=1, note="Một thành viên là tác giả."),
        ),
    )


@pytest.fixture
def receipt() -> Receipt:
    return Receipt(
        letterhead=Letterhead("Phòng Kinh tế", "Ba Đình", "Ủy ban nhân dân quận Ba Đình"),
        number="07/BN-KT",
        dossier_code="BD23-0007",
        title="Sáng kiến một",
        filer="Đỗ Ẵm",
        received_at=datetime(2023, 4, 4, 17, 15, tzinfo=UTC),
        answer_by=date(2023, 5, 5),
        signature=Signature("Người nhận", "Lê Ỷ"),
        documents=("Đơn yêu cầu công nhận sáng kiến", "minh-chung.pdf"),
    )
