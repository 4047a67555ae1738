"""Review rounds as intake knows them, and which of them takes a dossier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sangkien.intake.domain.errors import NoOpenRound, OutsideRound, RoundShut, SeveralOpenRounds, TierDiffers


@dataclass(frozen=True, slots=True)
class Round:
    """A round of a council: dossiers are filed for it from `opens_on` to `closes_on`, both included.

    `closed_on` is set once it was closed; from then on it takes nothing, whatever day a dossier bears. `node` is the
    node whose council it is, "" for this one's.
    """

    round_id: str
    name: str
    tier: str
    owner_id: str
    opens_on: date
    closes_on: date
    closed_on: date | None = None
    node: str = ""

    def covers(self, filed_on: date) -> bool:
        return self.closed_on is None and self.opens_on <= filed_on <= self.closes_on

    def check(self, tier: str, filed_on: date) -> None:
        """Accept a dossier of `tier` ("" for any) filed on that day. Raises TierDiffers, RoundShut, OutsideRound."""
        if tier and tier != self.tier:
            raise TierDiffers(field="dossier.tier", name=self.name, tier=self.tier)
        if self.closed_on is not None:
            raise RoundShut(field="dossier.round_id", name=self.name, closed_on=self.closed_on.isoformat())
        if not self.covers(filed_on):
            raise OutsideRound(
                field="dossier.filed_on",
                name=self.name,
                opens_on=self.opens_on.isoformat(),
                closes_on=self.closes_on.isoformat(),
                filed_on=filed_on.isoformat(),
            )


def the_open_round(rounds: Sequence[Round], tier: str, filed_on: date) -> Round:
    """The one round of `tier` ("" for any) that is open on the day: an own one, or else that of another node.

    Raises NoOpenRound, SeveralOpenRounds.
    """
    fitting = [one for one in rounds if one.covers(filed_on) and tier in ("", one.tier)]
    fitting = [one for one in fitting if not one.node] or fitting
    if not fitting:
        raise NoOpenRound(field="dossier.round_id", filed_on=filed_on.isoformat())
    if len(fitting) > 1:
        names = "; ".join(sorted(one.name for one in fitting))
        raise SeveralOpenRounds(field="dossier.round_id", names=names)
    return fitting[0]
