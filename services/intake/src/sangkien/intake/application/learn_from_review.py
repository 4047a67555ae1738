"""Takes in what review says of rounds and dossiers. News may come late, twice, and in any order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sangkien.intake.application.ports import Dossiers, KnownRound, RoundBook, World
from sangkien.intake.domain.dossier import Dossier
from sangkien.intake.domain.rounds import Round
from sangkien.store import Op


@dataclass(frozen=True, slots=True)
class RoundStarted:
    """A round opened. `version` orders the news of one round."""

    news_id: str
    version: int
    round: Round


@dataclass(frozen=True, slots=True)
class RoundEnded:
    """A round takes no more dossiers."""

    news_id: str
    version: int
    round_id: str
    closed_on: date


@dataclass(frozen=True, slots=True)
class DossierMoved:
    """Review decided about a dossier; `learn` tells the dossier, and answers False for old news."""

    news_id: str
    dossier_id: str
    learn: Callable[[Dossier], bool]


News = RoundStarted | RoundEnded | DossierMoved


class LearnFromReview:
    """Turns a batch of news into the operations of their effect."""

    def __init__(self, dossiers: Dossiers, rounds: RoundBook, world: World) -> None:
        self._dossiers = dossiers
        self._rounds = rounds
        self._world = world

    async def __call__(self, news: Sequence[News]) -> tuple[list[Op], list[str]]:
        """The operations, and the ids of the news that wait for a round or dossier not seen yet."""
        waiting: list[str] = []
        ops = await self._learn_rounds([one for one in news if not isinstance(one, DossierMoved)], waiting)
        ops += await self._learn_dossiers([one for one in news if isinstance(one, DossierMoved)], waiting)
        return ops, waiting

    async def _learn_rounds(self, news: Sequence[RoundStarted | RoundEnded], waiting: list[str]) -> list[Op]:
        ids = [one.round.round_id if isinstance(one, RoundStarted) else one.round_id for one in news]
        known = dict(await self._rounds.known(ids))
        touched: dict[str, KnownRound] = {}
        for id, one in sorted(zip(ids, news, strict=True), key=lambda pair: pair[1].version):
            before = known.get(id)
            foreign = before is not None and bool(before.round.node)  # no other node names a round of ours
            if before is not None and not foreign and one.version <= before.applied:
                continue
            if isinstance(one, RoundStarted):
                after = KnownRound(one.round, one.version, before.version if before else 0)
            elif before is None or foreign:
                waiting.append(one.news_id)
                continue
            else:
                after = replace(before, round=replace(before.round, closed_on=one.closed_on), applied=one.version)
            known[id] = touched[id] = after
        return [self._rounds.written(one) for one in touched.values()]

    async def _learn_dossiers(self, news: Sequence[DossierMoved], waiting: list[str]) -> list[Op]:
        known = await self._dossiers.get_many([one.dossier_id for one in news])
        touched: dict[str, Dossier] = {}
        for one in news:
            dossier = known.get(one.dossier_id)
            if dossier is None:
                waiting.append(one.news_id)
            elif one.learn(dossier):
                touched[one.dossier_id] = dossier
        now = self._world.now()
        return [op for dossier in touched.values() for op in self._dossiers.changed(dossier, now=now, traceparent="")]
