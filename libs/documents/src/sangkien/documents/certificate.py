"""The certificate of recognition, one for each author (TT 18/2013/TT-BKHCN, Điều 9)."""

import io
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sangkien.documents.errors import DocumentError
from sangkien.documents.parts import Letterhead, Signature, require, shortened, written_date
from sangkien.documents.sealing import grouped, read_check_code
from sangkien.documents.typesetting import typeset
from sangkien.text import nfc

if TYPE_CHECKING:
    import segno

_PRINTABLE_ASCII = re.compile(r"[!-~]+")
_LONGEST_TITLE = 1_000
_LONGEST = 200
_LONGEST_URL = 100
_MOST_NAMES = 12
_LONGEST_NAMES = 400
_SUMMARY = 700
_BENEFIT = 400


@dataclass(frozen=True, slots=True)
class Certificate:
    """What one certificate asserts; all of it is fixed at issue, and the picture is drawn from it whenever asked for.

    `letterhead.agency` is the recognising unit; `holder` the author it is given to; `co_authors` the others; `owner`
    the chủ đầu tư; `decision_number` and `decided_on` name the decision it follows from; `kind` is the tier's label in
    the rule set of the day. `summary` and `benefit` may be of any length: what one page cannot hold is cut with […],
    the register keeps the whole. `verify_url` (short, https) is what the QR code holds, `check_code` what people type.
    Raises `DocumentError`.
    """

    letterhead: Letterhead
    number: str
    issued_on: date
    title: str
    holder: str
    signature: Signature
    decision_number: str
    decided_on: date
    verify_url: str
    check_code: str
    holder_unit: str = ""
    co_authors: tuple[str, ...] = ()
    owner: str = ""
    field: str = ""
    summary: str = ""
    benefit: str = ""
    kind: str = "SÁNG KIẾN"

    def __post_init__(self) -> None:
        require(
            "certificate",
            agency=self.letterhead.agency,
            place=self.letterhead.place,
            number=self.number,
            title=self.title,
            holder=self.holder,
            decision_number=self.decision_number,
            kind=self.kind,
        )
        limits = dict.fromkeys(("holder", "holder_unit", "owner", "field", "kind"), _LONGEST)
        limits["title"] = _LONGEST_TITLE
        for field, limit in limits.items():
            if len(getattr(self, field)) > limit:
                raise DocumentError("certificate", field, f"is longer than {limit} characters; shorten it")
        if any(len(name) > _LONGEST for name in self.co_authors):
            raise DocumentError("certificate", "co_authors", f"has a name of more than {_LONGEST} characters")
        parts = urlsplit(self.verify_url)
        if parts.scheme not in {"https", "http"} or not parts.netloc or not _PRINTABLE_ASCII.fullmatch(self.verify_url):
            raise DocumentError("certificate", "verify_url", "is no web address in plain ASCII; give https://host/path")
        if len(self.verify_url) > _LONGEST_URL:
            problem = f"is longer than {_LONGEST_URL} characters; a phone must read it from paper, use a short address"
            raise DocumentError("certificate", "verify_url", problem)
        if read_check_code(self.check_code) != self.check_code:
            raise DocumentError(
                "certificate", "check_code", "is not in its stored form; pass it through read_check_code"
            )


def render_certificate(certificate: Certificate) -> bytes:
    """The certificate as one A4 page of PDF/A-2b; same data, same bytes. Blocking: call it in a thread."""
    return typeset("certificate", _payload(certificate), certificate.issued_on, _verbatim(certificate.verify_url))


def qr_code(url: str) -> "segno.QRCode":
    """The QR code of an address; level M, so that a stain on the paper does not matter (ISO/IEC 18004)."""
    import segno  # like the typesetter, for few calls

    return segno.make_qr(url, error="m")


def _verbatim(address: str) -> dict[str, str]:
    svg = io.BytesIO()
    qr_code(address).save(svg, kind="svg", border=2, xmldecl=False)
    url = urlsplit(address)
    shown = f"{url.netloc}{url.path}{'?' + url.query if url.query else ''}"
    return {"qr": svg.getvalue().decode(), "url": address, "shown_url": shown}


def _payload(certificate: Certificate) -> dict[str, Any]:
    return {
        "title": f"Giấy chứng nhận {certificate.number}",
        "author": nfc(certificate.letterhead.agency),
        "on": certificate.issued_on.isoformat(),
        "letterhead": certificate.letterhead.payload(),
        "written_date": written_date(certificate.issued_on),
        "number": certificate.number,
        "heading": "GIẤY CHỨNG NHẬN",
        "kind": certificate.kind,
        "certifies": f"{nfc(certificate.letterhead.agency)} chứng nhận",
        "holder": certificate.holder,
        "holder_unit": certificate.holder_unit,
        "as": "là đồng tác giả của sáng kiến" if certificate.co_authors else "là tác giả của sáng kiến",
        "initiative": certificate.title,
        "facts": [
            ("Đồng tác giả:", _names(certificate.co_authors)),
            ("Chủ đầu tư tạo ra sáng kiến:", certificate.owner),
            ("Lĩnh vực áp dụng:", certificate.field),
            ("Tóm tắt nội dung:", shortened(certificate.summary, _SUMMARY)),
            ("Lợi ích kinh tế - xã hội:", shortened(certificate.benefit, _BENEFIT)),
            ("Theo Quyết định:", f"số {certificate.decision_number} {written_date(certificate.decided_on)}"),
        ],
        "signature": certificate.signature.payload(),
        "shown_code": grouped(certificate.check_code),
    }


def _names(names: tuple[str, ...]) -> str:
    shown: list[str] = []
    for name in names:
        if len(shown) == _MOST_NAMES or sum(map(len, [*shown, name])) > _LONGEST_NAMES:
            return f"{', '.join(shown)} và {len(names) - len(shown)} đồng tác giả khác"
        shown.append(name)
    return ", ".join(shown)
