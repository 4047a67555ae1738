"""Open a round of a council."""

from dataclasses import dataclass
from datetime import date

from sangkien.kernel import KeyReused
from sangkien.review.application.acting import check_text, fingerprint
from sangkien.review.application.ports import Clock, Records, Units
from sangkien.review.domain.errors import CouncilNotFound
from sangkien.review.domain.round import Round


@dataclass(frozen=True, slots=True)
class NewRound:
    """A round may open before its council is first formed: members sit from the assignment on."""

    key: str
    council_id: str
    name: str
    group: str
    opens_on: date
    closes_on: date
    evidence_due: date | None


@dataclass(frozen=True, slots=True)
class OpenRound:
    """Opens once for a key."""

    records: Records
    units: Units
    clock: Clock

    async def __call__(self, command: NewRound) -> str:
        """Return the round's id. Raises KeyReused, CouncilNotFound, RoundPeriod."""
        check_text(idempotency_key=command.key, name=command.name)

        async def attempt() -> str:
            known = await self.records.round_by_key(command.key)
            if known is not None:
                if known.fingerprint != fingerprint(command):
                    raise KeyReused(field="idempotency_key")
                return known.id
            council = await self.records.council(command.council_id)
            if council is None:
                raise CouncilNotFound(field="council_id")
            opened = Round(
                id=self.clock.new_id(),
                council_id=council.id,
                name=command.name,
                group=command.group,
                tier=council.tier,
                owner_id=council.owner_id,
                jurisdiction=council.jurisdiction,
                opens_on=command.opens_on,
                closes_on=command.closes_on,
                evidence_due=command.evidence_due,
                key=command.key,
                fingerprint=fingerprint(command),
            )
            opened.open()
            await self.units.commit("review.round", opened)
            return opened.id

        return await self.units.attempting(attempt)
