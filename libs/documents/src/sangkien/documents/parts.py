"""What the documents share: letterhead, signature, and how the law writes a date (NĐ 30/2020/NĐ-CP, Phụ lục I)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, Literal

from sangkien.documents.errors import DocumentError
from sangkien.text import nfc, nfc_lines

_LONGEST_WHOLE_CELL = 600
VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")  # no daylight saving since 1975

Mode = Literal["", "KT", "TL", "TUQ", "Q"]


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who issues: `agency`, its `superior` where it has one, and the `place` named before the date."""

    agency: str
    place: str
    superior: str = ""

    def payload(self) -> dict[str, Any]:
        return {"agency": upper(self.agency), "superior": upper(self.superior), "place": self.place}


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs, and in whose stead (NĐ 30/2020/NĐ-CP, Điều 13).

    `position` and `name` are the signer's. `collective` is the body signed for (printed after `TM.`). `mode` is how an
    individual signs: `KT` in place of a superior, `TL` by order, `TUQ` by authorisation, each naming that superior's
    position in `on_behalf_of`; `Q` as acting head; "" in his or her own right. Raises `DocumentError`.
    """

    position: str
    name: str
    collective: str = ""
    mode: Mode = ""
    on_behalf_of: str = ""

    def __post_init__(self) -> None:
        require("signature", position=self.position, name=self.name)
        if (self.mode in {"KT", "TL", "TUQ"}) != bool(self.on_behalf_of):
            problem = "KT, TL and TUQ name the position signed for, other modes name none"
            raise DocumentError("signature", "on_behalf_of", problem)

    def lines(self) -> list[str]:
        """The block above the signature, in capitals: `TM. ỦY BAN NHÂN DÂN`, `KT. CHỦ TỊCH`, `PHÓ CHỦ TỊCH`."""
        lines = [f"TM. {upper(self.collective)}"] if self.collective else []
        if self.on_behalf_of:
            lines.append(f"{self.mode}. {upper(self.on_behalf_of)}")
        return [*lines, f"{'Q. ' if self.mode == 'Q' else ''}{upper(self.position)}"]

    def payload(self) -> dict[str, Any]:
        return {"lines": self.lines(), "name": self.name}


def require(document: str, **texts: str) -> None:
    """Refuse a document whose named texts are blank. Raises `DocumentError`."""
    for field, text in texts.items():
        if not nfc(text):
            raise DocumentError(document, field, "is empty; it must be printed, so fill it in")


def upper(text: str) -> str:
    return nfc(text).upper()


def paragraphs(text: str) -> list[str]:
    return [line for line in nfc_lines(text).splitlines() if line]


def shortened(text: str, limit: int) -> str:
    """The text, or as many whole words of it as fit in `limit` characters and the mark of an omission, […]."""
    clean = nfc(text)
    if len(clean) <= limit:
        return clean
    return f"{clean[: limit - 3].rsplit(' ', 1)[0]} […]"


def breakable(texts: Iterable[str]) -> bool:
    """Whether table rows may break over pages: they stay whole unless one could be higher than a page."""
    return any(len(text) > _LONGEST_WHOLE_CELL for text in texts)


def written_date(on: date | None) -> str:
    """`ngày 05 tháng 02 năm 2023`: a zero before days under 10 and months 1 and 2; blanks for a draft."""
    if on is None:
        return "ngày …… tháng …… năm ………"
    month = f"{on.month:02}" if on.month < 3 else str(on.month)
    return f"ngày {on.day:02} tháng {month} năm {on.year}"


def written_time(document: str, field: str, at: datetime) -> str:
    """`8 giờ 05 phút, ngày 18 tháng 5 năm 2023` in Vietnam's time. Raises `DocumentError` for a time without offset."""
    local = local_time(document, field, at)
    return f"{local.hour} giờ {local.minute:02} phút, {written_date(local.date())}"


def local_time(document: str, field: str, at: datetime) -> datetime:
    """The time in Vietnam. Raises `DocumentError` for a time without offset."""
    if at.tzinfo is None:
        raise DocumentError(document, field, "is a time without its offset; use aware UTC times")
    return at.astimezone(VIETNAM)
