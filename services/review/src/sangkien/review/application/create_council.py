"""Set up a council."""

from dataclasses import dataclass
from datetime import date

from sangkien.kernel import KeyReused
from sangkien.review.application.acting import act_date, check_text, fingerprint
from sangkien.review.application.ports import Clock, Records, Rulebook, Units
from sangkien.review.domain.council import Council, Formation, Member
from sangkien.review.domain.errors import TierUnknown


@dataclass(frozen=True, slots=True)
class NewCouncil:
    """`jurisdiction` is the path whose score sheet and council rules hold."""

    key: str
    name: str
    tier: str
    owner_id: str
    established_by: str
    established_on: date
    members: tuple[Member, ...]
    jurisdiction: str


@dataclass(frozen=True, slots=True)
class CreateCouncil:
    """Creates once for a key; the composition is held against the rules of the day."""

    records: Records
    units: Units
    rules: Rulebook
    clock: Clock

    async def __call__(self, command: NewCouncil) -> str:
        """Return the council's id. Raises KeyReused and whatever the command's content is refused for."""
        check_text(
            idempotency_key=command.key,
            name=command.name,
            owner_id=command.owner_id,
            established_by=command.established_by,
        )

        async def attempt() -> str:
            known = await self.records.council_by_key(command.key)
            if known is not None:
                if known.fingerprint != fingerprint(command):
                    raise KeyReused(field="idempotency_key")
                return known.id
            council = self._found(command)
            await self.units.commit("review.council", council)
            return council.id

        return await self.units.attempting(attempt)

    def _found(self, command: NewCouncil) -> Council:
        on = act_date(command.established_on, self.clock, "established_on")
        tiers = self.rules.tiers(on)
        if command.tier not in tiers:
            raise TierUnknown(field="tier", known=", ".join(tiers))
        self.rules.check_jurisdiction(command.jurisdiction, command.tier, on)
        return Council.found(
            Formation(command.established_by, on, command.members),
            self.rules.composition(on, command.jurisdiction),
            id=self.clock.new_id(),
            name=command.name,
            tier=command.tier,
            owner_id=command.owner_id,
            jurisdiction=command.jurisdiction,
            key=command.key,
            fingerprint=fingerprint(command),
        )
