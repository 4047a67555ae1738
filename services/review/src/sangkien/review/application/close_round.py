"""Close a round to new dossiers."""

from dataclasses import dataclass
from datetime import date

from sangkien.review.application.acting import act_date
from sangkien.review.application.ports import Clock, Records, Units
from sangkien.review.domain.errors import ReviewRoundNotFound


@dataclass(frozen=True, slots=True)
class CloseRound:
    """Closing twice on the same day changes nothing."""

    records: Records
    units: Units
    clock: Clock

    async def __call__(self, round_id: str, closed_on: date | None) -> None:
        """Raises ReviewRoundNotFound, ActInFuture and what `Round.close` raises."""
        on = act_date(closed_on, self.clock, "closed_on")

        async def attempt() -> None:
            closing = await self.records.round(round_id)
            if closing is None:
                raise ReviewRoundNotFound(field="round_id")
            if closing.close(on):
                await self.units.commit("review.round", closing)

        await self.units.attempting(attempt)
