"""Review rounds as intake knows them, and which of them takes a dossier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sangkien.intake.domain.errors import (
    CouncilGone,
    NoOpenRound,
    OutsideRound,
    RoundShut,
    SeveralOpenRounds,
    TierDiffers,
)


@dataclass(frozen=True, slots=True)
class Round:
    """A round of a council: dossiers are filed for it from `opens_on` to `closes_on`, both included.

    `closed_on` is set once it was closed; from then on it takes nothing, whatever day a dossier bears. `node` is the
    node whose council it is, "" for this one's. `owner_until` is the last day of the organisation whose council it is,
    None while it stands, and `owner_successors` are those it went over into: of them, as far as it is known.
    """

    round_id: str
    name: str
    tier: str
    owner_id: str
    opens_on: date
    closes_on: date
    closed_on: date | None = None
    node: str = ""
    owner_until: date | None = None
    owner_successors: tuple[str, ...] = ()

    def covers(self, filed_on: date) -> bool:
        open_ = self.closed_on is None and self.opens_on <= filed_on <= self.closes_on
        return open_ and not self.is_orphaned(filed_on)

    def is_orphaned(self, filed_on: date) -> bool:
        """Whether its council's organisation had ended by that day."""
        return self.owner_until is not None and filed_on > self.owner_until

    def check(self, tier: str, filed_on: date) -> None:
        """Accept a dossier of `tier` ("" for any) filed on that day. Raises TierDiffers, RoundShut, CouncilGone,
        OutsideRound.
        """
        if tier and tier != self.tier:
            raise TierDiffers(field="dossier.tier", name=self.name, tier=self.tier)
        if self.closed_on is not None:
            raise RoundShut(field="dossier.round_id", name=self.name, closed_on=self.closed_on.isoformat())
        if self.owner_until is not None and self.is_orphaned(filed_on):
            raise CouncilGone(field="dossier.round_id", name=self.name, until=self.owner_until.isoformat())
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


def the_successors_round(named: Round, rounds: Sequence[Round], tier: str, filed_on: date) -> Round:
    """The round a dossier goes to that names one: another one only where that one's organisation had ended by the day
    and exactly one of its successors, or of theirs, has a round of `tier` ("" for any) that is open on the day.
    """
    if not named.is_orphaned(filed_on):
        return named
    followers = set(named.owner_successors)
    while more := {
        id
        for one in rounds
        if one.owner_id in followers and one.is_orphaned(filed_on)
        for id in one.owner_successors
        if id not in followers
    }:
        followers |= more
    fitting = [one for one in rounds if one.owner_id in followers and one.covers(filed_on) and tier in ("", one.tier)]
    return fitting[0] if len(fitting) == 1 else named
