"""Tell anyone whether a check code stands for a certificate."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from sangkien.recognition.application.ports import Register

ReadCode = Callable[[str], str]
"""A typed code in its stored form, "" for what can be none."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What the register shows of a certificate; all empty for a code that stands for none."""

    valid: bool = False
    number: str = ""
    title: str = ""
    author_name: str = ""
    unit_name: str = ""
    decision_symbol: str = ""
    issued_on: str = ""
    data_sha256: str = ""


class VerifyCertificate:
    """Answers every code alike: a typing error and a code nobody was given look the same."""

    def __init__(self, register: Register, read_code: ReadCode) -> None:
        self._register = register
        self._read_code = read_code

    async def __call__(self, typed: str) -> Verified:
        """Never refuses: whatever was typed has an answer."""
        certificate = await self._register.by_code(self._read_code(typed))
        if certificate is None:
            return Verified()
        data = json.loads(certificate.sealed.text)
        return Verified(
            valid=True,
            number=certificate.number,
            title=data["title"],
            author_name=data["holder"],
            unit_name=data["holder_unit"],
            decision_symbol=data["decision_symbol"],
            issued_on=data["issued_on"],
            data_sha256=certificate.sealed.sha256,
        )
