from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from sangkien.documents import Attendee, DocumentError, Minutes, Receipt, Vote, render_minutes, render_receipt

Read = Callable[[bytes], list[str]]
NAIVE = datetime(2023, 10, 19)  # noqa: DTZ001 -- what is to be refused


def test_minutes_record_the_session_and_every_vote(minutes: Minutes, read: Read) -> None:
    pages = read(render_minutes(minutes))

    expected = [
        "HỘI ĐỒNG SÁNG KIẾN CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM Độc lập - Tự do - Hạnh phúc",
        "Số: 12/BB-HĐSK Ba Đình, ngày 20 tháng 10 năm 2023",
        "BIÊN BẢN Họp xét công nhận sáng kiến Đợt 1",
        "Thời gian bắt đầu: 1 giờ 05 phút, ngày 20 tháng 10 năm 2023.",
        "Địa điểm: Phòng họp số 2. Hội đồng: Hội đồng sáng kiến quận Ba Đình.",
        "Chủ trì: Nguyễn Ánh, Chủ tịch. Thư ký: Lê Ỷ, Ủy viên thư ký.",
        "I. THÀNH PHẦN 1. Có mặt: 3/4 thành viên hội đồng.",
        "- Nguyễn Ánh, Chủ tịch - Lê Ỷ, Ủy viên thư ký - Vũ Ữ",
        "2. Vắng mặt: 1. - Phạm Ân, Ủy viên, đi công tác Có mặt ít nhất 2/3 thành viên.",
        "II. KẾT QUẢ BIỂU QUYẾT",
        "STT Tên sáng kiến, đơn vị, mã hồ sơ Đồng ý Không đồng ý Phiếu trắng Không tham gia Kết quả",
        "1 Sáng kiến một Trường Mầm non A BD-1 3 0 0 0 Đạt",
        "2 Sáng kiến hai BD-2 Một thành viên là tác giả. 1 0 1 1 Không đạt",
        "Tổng số hồ sơ: 2; đạt: 1; không đạt: 1.",
        "Cuộc họp kết thúc vào 17 giờ 30 phút, ngày 20 tháng 10 năm 2023.",
        "Biên bản đã được đọc lại và các thành viên dự họp nhất trí thông qua./.",
        "THƯ KÝ Lê Ỷ CHỦ TỌA Nguyễn Ánh",
    ]
    assert " ".join("\n".join(pages).split()) == " ".join(expected)


def test_minutes_of_a_large_round_lose_no_dossier(minutes: Minutes, read: Read) -> None:
    votes = tuple(Vote(f"BD-{n}", f"Sáng kiến số {n}", 2, 1, 0, passed=True) for n in range(1, 401))

    pages = read(render_minutes(replace(minutes, votes=votes, remarks="Thảo luận.")))

    codes = [line for page in pages for line in page.splitlines() if line.startswith("BD-")]
    assert codes == [vote.code for vote in votes]
    assert "II. NỘI DUNG THẢO LUẬN" in pages[0]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"closed_at": datetime(2023, 10, 19, tzinfo=UTC)}, "minutes: closed_at: is before opened_at"),
        ({"opened_at": NAIVE}, "minutes: opened_at: is a time without its offset; use aware UTC times"),
        ({"chair": Attendee("Người Lạ", "")}, "minutes: chair: is not among those present"),
        (
            {"votes": (Vote("BD-1", "A", 3, 1, 0, passed=True),)},
            "minutes: votes[0]: counts 4 votes and exclusions for 3 members present",
        ),
    ],
)
def test_minutes_refuse_what_did_not_happen(minutes: Minutes, changes: dict[str, object], problem: str) -> None:
    with pytest.raises(DocumentError) as caught:
        replace(minutes, **changes)  # type: ignore[arg-type]
    assert str(caught.value) == problem


def test_receipt_states_when_the_unit_answers(receipt: Receipt, read: Read) -> None:
    assert [page.splitlines() for page in read(render_receipt(replace(receipt, confidential=True)))] == [
        [
            "ỦY BAN NHÂN DÂN QUẬN BA ĐÌNH",
            "PHÒNG KINH TẾ",
            "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
            "Độc lập - Tự do - Hạnh phúc",
            "Số: 07/BN-KT Ba Đình, ngày 05 tháng 4 năm 2023",
            "GIẤY BIÊN NHẬN",
            "Đơn yêu cầu công nhận sáng kiến",
            "Mã hồ sơ: BD23-0007",
            "Tên sáng kiến: Sáng kiến một",
            "Người nộp: Đỗ Ẵm",
            "Thời điểm nhận: 0 giờ 15 phút, ngày 05 tháng 4 năm 2023",
            "Ngày hẹn trả lời: 05/05/2023",
            "Tài liệu đã nhận:",
            "1. Đơn yêu cầu công nhận sáng kiến",
            "2. minh-chung.pdf",
            "Phòng Kinh tế trả lời về việc chấp nhận đơn trước hoặc trong ngày 05/05/2023.",
            "Phần nội dung người nộp yêu cầu bảo mật được giữ bí mật theo quy định.",
            "NGƯỜI NỘP",
            "Đỗ Ẵm",
            "NGƯỜI NHẬN",
            "Lê Ỷ",
        ]
    ]


def test_receipt_refuses_an_answer_before_the_filing(receipt: Receipt) -> None:
    with pytest.raises(DocumentError, match="receipt: answer_by: is before the day of filing"):
        replace(receipt, answer_by=date(2023, 4, 4))
