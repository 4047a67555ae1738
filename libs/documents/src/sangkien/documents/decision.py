"""A decision with its annexed list, laid out as NĐ 30/2020/NĐ-CP, Phụ lục I and III ask."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sangkien.documents.errors import DocumentError
from sangkien.documents.parts import Letterhead, Signature, breakable, paragraphs, require, upper, written_date
from sangkien.documents.typesetting import typeset
from sangkien.text import nfc

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the annex: its heading, its share of the width (a number above 0, against the other columns')."""

    heading: str
    weight: int = 1
    align: Literal["left", "center", "right"] = "left"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the annex ("Cá nhân", "Tập thể"), numbered I, II … when it has a heading; rows count from 1 in each."""

    heading: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Annex:
    """The list that goes with a decision, thousands of rows if need be; the row number is a column of its own.

    Empty sections are left out. Raises `DocumentError` for a row that has not one text for each column.
    """

    title: str
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    closing: str = ""

    def __post_init__(self) -> None:
        require("decision", **{"annex.title": self.title})
        if not self.columns or any(column.weight < 1 for column in self.columns):
            raise DocumentError("decision", "annex.columns", "needs at least one column, each of weight 1 or more")
        if len(self.sections) > len(_ROMAN):
            raise DocumentError("decision", "annex.sections", f"has more than {len(_ROMAN)} sections; join some")
        for place, section in enumerate(self.sections):
            for number, row in enumerate(section.rows, start=1):
                if len(row) != len(self.columns):
                    field = f"annex.sections[{place}] row {number}"
                    raise DocumentError("decision", field, f"has {len(row)} texts for {len(self.columns)} columns")

    def payload(self, attached_to: str) -> dict[str, Any]:
        filled = [section for section in self.sections if section.rows]
        return {
            "title": upper(self.title),
            "attached_to": attached_to,
            "columns": [{"heading": c.heading, "weight": c.weight, "align": c.align} for c in self.columns],
            "sections": [
                {"heading": f"{numeral}. {nfc(section.heading)}" if section.heading else "", "rows": section.rows}
                for numeral, section in zip(_ROMAN, filled, strict=False)
            ],
            "breakable": breakable(text for section in filled for row in section.rows for text in row),
            "closing": self.closing,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What a decision says.

    `subject` is the trích yếu ("Về việc công nhận sáng kiến …"). `authority` is who decides, printed in capitals.
    `grounds` are the căn cứ of the rule set valid on that date, without their closing marks. Each of `articles` is the
    text of one Điều, its paragraphs on lines of their own. `recipients` are the nơi nhận, the archive last ("Lưu: VT").
    `number` and `issued_on` are None together for a draft, which is marked so: a number is taken only at issue
    (NĐ 30/2020/NĐ-CP, Điều 15); `symbol` is what follows the number ("QĐ-UBND"). Raises `DocumentError`.
    """

    letterhead: Letterhead
    symbol: str
    subject: str
    authority: str
    grounds: tuple[str, ...]
    articles: tuple[str, ...]
    recipients: tuple[str, ...]
    signature: Signature
    number: int | None = None
    issued_on: date | None = None
    annex: Annex | None = None

    def __post_init__(self) -> None:
        require(
            "decision",
            agency=self.letterhead.agency,
            place=self.letterhead.place,
            symbol=self.symbol,
            subject=self.subject,
        )
        if (self.number is None) != (self.issued_on is None):
            raise DocumentError("decision", "number", "goes with issued_on: give both at issue, neither for a draft")
        if self.number is not None and self.number < 1:
            raise DocumentError("decision", "number", "counts from 1 in each year")
        if not self.articles or not all(map(paragraphs, self.articles)):
            raise DocumentError("decision", "articles", "needs at least one article, and text in each")


def render_decision(decision: Decision) -> bytes:
    """The decision and its annex as PDF/A-2b; same data, same bytes. Blocking: call it in a thread."""
    return typeset("decision", _payload(decision), decision.issued_on)


def numbered(number: int | None, symbol: str) -> str:
    """`07/QĐ-UBND`: a zero before numbers under 10 (NĐ 30/2020/NĐ-CP, Phụ lục I); room to write in for a draft."""
    return f"{'………' if number is None else f'{number:02}'}/{nfc(symbol)}"


def _payload(decision: Decision) -> dict[str, Any]:
    number = numbered(decision.number, decision.symbol)
    written = written_date(decision.issued_on)
    attached_to = f"(Kèm theo Quyết định số {number} {written} của {nfc(decision.letterhead.agency)})"
    return {
        "title": f"Quyết định {number}: {nfc(decision.subject)}",
        "author": nfc(decision.letterhead.agency),
        "on": decision.issued_on.isoformat() if decision.issued_on else None,
        "draft": decision.number is None,
        "letterhead": decision.letterhead.payload(),
        "written_date": written,
        "number": number,
        "subject": decision.subject,
        "authority": upper(decision.authority),
        "grounds": _closed(decision.grounds, ";", "."),
        "articles": [paragraphs(article) for article in decision.articles],
        "recipients": _closed(decision.recipients, ";", "."),
        "signature": decision.signature.payload(),
        "annex": decision.annex.payload(attached_to) if decision.annex else None,
    }


def _closed(lines: tuple[str, ...], between: str, last: str) -> list[str]:
    bare = [nfc(line).rstrip(" ;.,") for line in lines if nfc(line)]
    return [f"{line}{last if place == len(bare) else between}" for place, line in enumerate(bare, start=1)]
