"""The receipt for a filing (giấy biên nhận; NĐ 13/2012/NĐ-CP, Điều 6; TT 18/2013/TT-BKHCN, Điều 6)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sangkien.documents.errors import DocumentError
from sangkien.documents.parts import Letterhead, Signature, local_time, require, written_date, written_time
from sangkien.documents.typesetting import typeset
from sangkien.text import nfc
from sangkien.text.formats import day


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt states: who filed what, when, and until when the unit answers.

    `received_at` is aware; `answer_by` is the date of the answer on whether the filing is accepted, which the law wants
    on the receipt. `documents` are the papers and files taken in. `confidential` says that the filing names parts to be
    kept secret, which binds the unit. `signature` is the receiving officer's. Raises `DocumentError`.
    """

    letterhead: Letterhead
    number: str
    dossier_code: str
    title: str
    filer: str
    received_at: datetime
    answer_by: date
    signature: Signature
    filer_unit: str = ""
    channel: str = ""
    documents: tuple[str, ...] = ()
    confidential: bool = False

    def __post_init__(self) -> None:
        require(
            "receipt",
            agency=self.letterhead.agency,
            place=self.letterhead.place,
            number=self.number,
            dossier_code=self.dossier_code,
            title=self.title,
            filer=self.filer,
        )
        if self.answer_by < local_time("receipt", "received_at", self.received_at).date():
            raise DocumentError("receipt", "answer_by", "is before the day of filing")


def render_receipt(receipt: Receipt) -> bytes:
    """The receipt as PDF/A-2b; same data, same bytes. Blocking: call it in a thread."""
    return typeset("receipt", _payload(receipt), local_time("receipt", "received_at", receipt.received_at).date())


def _payload(receipt: Receipt) -> dict[str, Any]:
    on = local_time("receipt", "received_at", receipt.received_at).date()
    agency = nfc(receipt.letterhead.agency)
    statements = [f"{agency} trả lời về việc chấp nhận đơn trước hoặc trong ngày {day(receipt.answer_by)}."]
    if receipt.confidential:
        statements.append("Phần nội dung người nộp yêu cầu bảo mật được giữ bí mật theo quy định.")
    return {
        "title": f"Giấy biên nhận {receipt.number}",
        "author": agency,
        "on": on.isoformat(),
        "letterhead": receipt.letterhead.payload(),
        "written_date": written_date(on),
        "number": receipt.number,
        "subject": "Đơn yêu cầu công nhận sáng kiến",
        "facts": [
            ("Mã hồ sơ", receipt.dossier_code),
            ("Tên sáng kiến", receipt.title),
            ("Người nộp", receipt.filer),
            ("Đơn vị", receipt.filer_unit),
            ("Hình thức nộp", receipt.channel),
            ("Thời điểm nhận", written_time("receipt", "received_at", receipt.received_at)),
            ("Ngày hẹn trả lời", day(receipt.answer_by)),
        ],
        "documents": receipt.documents,
        "statements": statements,
        "filer": receipt.filer,
        "signature": receipt.signature.payload(),
    }
