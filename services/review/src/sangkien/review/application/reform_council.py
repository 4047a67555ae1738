"""Replace a council's members from a day on."""

from dataclasses import dataclass
from datetime import date

from sangkien.review.application.acting import act_date, check_text
from sangkien.review.application.ports import Clock, Records, Rulebook, Units
from sangkien.review.domain.council import Formation, Member
from sangkien.review.domain.errors import CouncilNotFound


@dataclass(frozen=True, slots=True)
class NewFormation:
    """The new formation, whole."""

    council_id: str
    established_by: str
    established_on: date
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class ReformCouncil:
    """Repeating a reform changes nothing; sessions and rounds keep who sat before."""

    records: Records
    units: Units
    rules: Rulebook
    clock: Clock

    async def __call__(self, command: NewFormation) -> None:
        """Raises CouncilNotFound and what `Council.reform` raises."""
        check_text(established_by=command.established_by)
        on = act_date(command.established_on, self.clock, "established_on")

        async def attempt() -> None:
            council = await self.records.council(command.council_id)
            if council is None:
                raise CouncilNotFound(field="council_id")
            formation = Formation(command.established_by, on, command.members)
            if council.reform(formation, self.rules.composition(on, council.jurisdiction)):
                await self.units.commit("review.council", council)

        await self.units.attempting(attempt)
