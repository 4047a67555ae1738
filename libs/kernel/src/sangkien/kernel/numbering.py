"""The year's number register of an issuer: gap-free, in order of time (Decree 30/2020/NĐ-CP, article 15).

Refusals drawn from here:

    Refusal
    ├── RegisterSuffixMalformed
    ├── RegisterYearMalformed
    ├── RegisterStartMalformed
    ├── RegisterOpenedOtherwise
    ├── RegisterYearWrong
    └── NumberOutOfOrder
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sangkien.kernel.aggregates import Aggregate
from sangkien.kernel.refusals import Refusal

_SUFFIX = re.compile(r"/[^\W\d_]\w*(?:[/&-]\w+)*")
_LONGEST_SUFFIX = 40
_LAST_NUMBER = 999_999


class RegisterSuffixMalformed(Refusal):
    """The suffix is not a slash and a symbol without blanks, such as /QĐ-UBND."""

    code = "register_suffix_malformed"
    kind = "invalid"


class RegisterYearMalformed(Refusal):
    """The year is not a calendar year of four digits."""

    code = "register_year_malformed"
    kind = "invalid"


class RegisterStartMalformed(Refusal):
    """The last number used on paper is below 0 or beyond what a year holds. Facts: `limit`."""

    code = "register_start_malformed"
    kind = "invalid"


class RegisterOpenedOtherwise(Refusal):
    """The register stands already, opened at another number. Facts: `opened_at`, `last_number`."""

    code = "register_opened_otherwise"
    kind = "conflict"


class RegisterYearWrong(Refusal):
    """The day lies outside the register's year: numbers begin again every 1 January. Facts: `year`."""

    code = "register_year_wrong"
    kind = "precondition"


class NumberOutOfOrder(Refusal):
    """A later number would carry an earlier day than the last one given. Facts: `last_number`, `last_day`."""

    code = "number_out_of_order"
    kind = "precondition"


@dataclass(frozen=True, slots=True)
class Numbered:
    """A number taken, and its printed form: two digits at least, then the suffix (3034/QĐ-UBND, 07/QĐ-UBND)."""

    number: int
    symbol: str


def register_id(issuer_id: str, suffix: str, year: int) -> str:
    """The one id of an issuer's register with this suffix in this year, so that it cannot be opened twice.

    Raises RegisterSuffixMalformed and RegisterYearMalformed.
    """
    if not 1945 <= year <= 9999:
        raise RegisterYearMalformed(field="year")
    return f"{issuer_id}|{_checked(suffix)}|{year}"


@dataclass
class NumberRegister(Aggregate):
    """Numbers of one issuer, suffix and calendar year; saved in one unit with the document that took the number.

    `opened_at` is the last number used on paper before, `last_number` the last one given, `last_day` its day (None
    before the first).
    """

    issuer_id: str
    suffix: str
    year: int
    opened_at: int
    last_number: int
    last_day: date | None = None

    @classmethod
    def open(cls, issuer_id: str, suffix: str, year: int, last_number: int) -> "NumberRegister":
        """Start a register whose next number is `last_number` + 1.

        Raises RegisterSuffixMalformed, RegisterYearMalformed and RegisterStartMalformed.
        """
        register_id(issuer_id, suffix, year)
        if not 0 <= last_number <= _LAST_NUMBER:
            raise RegisterStartMalformed(field="last_number", limit=_LAST_NUMBER)
        return cls(issuer_id, _checked(suffix), year, last_number, last_number)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "NumberRegister":
        """The register as it was stored, at the version it was stored with (`ver`)."""
        last_day = date.fromisoformat(document["last_day"]) if document["last_day"] else None
        register = cls(
            document["issuer_id"],
            document["suffix"],
            document["year"],
            document["opened_at"],
            document["last_number"],
            last_day,
        )
        register.version = document["ver"]
        return register

    def as_document(self) -> dict[str, Any]:
        """The register as it is stored under its id; its last day is ISO, "" before the first."""
        return {
            "_id": self.id,
            "issuer_id": self.issuer_id,
            "suffix": self.suffix,
            "year": self.year,
            "opened_at": self.opened_at,
            "last_number": self.last_number,
            "last_day": self.last_day.isoformat() if self.last_day else "",
        }

    @property
    def id(self) -> str:
        """See `register_id`."""
        return register_id(self.issuer_id, self.suffix, self.year)

    def confirm_opened_at(self, last_number: int) -> None:
        """Accept being opened again with the same facts. Raises RegisterOpenedOtherwise."""
        if last_number != self.opened_at:
            raise RegisterOpenedOtherwise(field="last_number", opened_at=self.opened_at, last_number=self.last_number)

    def take(self, on: date) -> Numbered:
        """Give the next number to a document of the day `on`. Raises RegisterYearWrong and NumberOutOfOrder.

        Two documents may share a day; a number is never given back, so save it in the unit that issues.
        """
        if on.year != self.year:
            raise RegisterYearWrong(field="issued_on", year=self.year)
        if self.last_day is not None and on < self.last_day:
            raise NumberOutOfOrder(field="issued_on", last_number=self.last_number, last_day=self.last_day.isoformat())
        self.last_number += 1
        self.last_day = on
        return Numbered(self.last_number, f"{self.last_number:02}{self.suffix}")


def _checked(suffix: str) -> str:
    normal = unicodedata.normalize("NFC", suffix.strip())
    if len(normal) > _LONGEST_SUFFIX or not _SUFFIX.fullmatch(normal):
        raise RegisterSuffixMalformed(field="suffix")
    return normal
