"""Decisions, candidates, the register and certificates, to read."""

from dataclasses import dataclass
from typing import Final

from sangkien.recognition.application.asking import known
from sangkien.recognition.application.ports import Caller, Candidates, Decisions, Listed, Records, Register
from sangkien.recognition.domain.candidate import Candidate
from sangkien.recognition.domain.decision import Decision
from sangkien.recognition.domain.errors import CertificateFilterWrong, CertificateNotYours, RecordNotYours
from sangkien.recognition.domain.record import RecordEntry
from sangkien.recognition.domain.register import Certificate, Entry

STAFF: Final = frozenset({"secretary", "leader", "operator", "service"})
"""Who sees certificates of others."""


@dataclass(frozen=True, slots=True)
class InitiativeFilter:
    """Empty fields and year 0 do not narrow the list."""

    tier: str = ""
    unit_id: str = ""
    round_id: str = ""
    year: int = 0


@dataclass(frozen=True, slots=True)
class CertificateFilter:
    """Exactly one is set."""

    decision_id: str = ""
    initiative_id: str = ""
    person_id: str = ""


class Queries:
    """Reads; nothing is written."""

    def __init__(self, decisions: Decisions, candidates: Candidates, register: Register, records: Records) -> None:
        self._decisions = decisions
        self._candidates = candidates
        self._register = register
        self._records = records

    async def record(self, person_id: str, caller: Caller) -> list[RecordEntry]:
        """What was recognised of the person, here and as other nodes assert, by date. Raises RecordNotYours."""
        if STAFF.isdisjoint(caller.roles) and person_id != caller.person_id:
            raise RecordNotYours(field="person_id")
        return (await self._records.get_many([person_id]))[person_id].entries()

    async def decision(self, decision_id: str) -> Decision:
        """Raises DecisionUnknown."""
        return await known(self._decisions, decision_id)

    async def candidates(self, round_id: str, limit: int, token: str) -> Listed[Candidate]:
        """Those of the round that wait for a decision. Raises RecognitionPageTokenInvalid."""
        return await self._candidates.list_waiting(round_id, limit, token)

    async def initiatives(self, wanted: InitiativeFilter, limit: int, token: str) -> tuple[Listed[Entry], int]:
        """The public register, latest first, and how many match. Raises RecognitionPageTokenInvalid."""
        fields: dict[str, str | int] = {
            "tier": wanted.tier,
            "unit_id": wanted.unit_id,
            "round_id": wanted.round_id,
            "year": wanted.year,
        }
        return await self._register.entries({field: value for field, value in fields.items() if value}, limit, token)

    async def certificates(
        self, wanted: CertificateFilter, caller: Caller, limit: int, token: str
    ) -> tuple[Listed[Certificate], int]:
        """Raises CertificateFilterWrong, CertificateNotYours and RecognitionPageTokenInvalid."""
        fields = {
            "decision_id": wanted.decision_id,
            "initiative_id": wanted.initiative_id,
            "person_id": wanted.person_id,
        }
        where = {field: value for field, value in fields.items() if value}
        if len(where) != 1:
            raise CertificateFilterWrong
        if STAFF.isdisjoint(caller.roles) and where.get("person_id") != caller.person_id:
            raise CertificateNotYours(field="person_id")
        return await self._register.certificates(where, limit, token)
