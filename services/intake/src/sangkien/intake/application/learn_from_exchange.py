"""Takes in rounds of other nodes and what those nodes make of dossiers filed to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sangkien.intake.application.ports import Dossiers, KnownRound, RoundBook, World
from sangkien.intake.domain.dossier import Dossier
from sangkien.intake.domain.foreign import Answered, learn_answer
from sangkien.intake.domain.rounds import Round
from sangkien.store import Op


@dataclass(frozen=True, slots=True)
class RoundTold:
    """A round of another node stands like this at its `version`."""

    version: int
    round: Round


@dataclass(frozen=True, slots=True)
class AnswerTold:
    """The competent node answered about a dossier."""

    dossier_id: str
    answer: Answered


News = RoundTold | AnswerTold


class LearnFromExchange:
    """Turns a batch of news into the operations of its effect.

    Whatever another node says that is not its to say, is old, or is about something unknown here changes nothing: it
    must not hold up or fail what other nodes say.
    """

    def __init__(self, dossiers: Dossiers, rounds: RoundBook, world: World) -> None:
        self._dossiers = dossiers
        self._rounds = rounds
        self._world = world

    async def __call__(self, news: Sequence[News]) -> list[Op]:
        ops = await self._learn_rounds([one for one in news if isinstance(one, RoundTold)])
        return ops + await self._learn_answers([one for one in news if isinstance(one, AnswerTold)])

    async def _learn_rounds(self, news: Sequence[RoundTold]) -> list[Op]:
        known = dict(await self._rounds.known([one.round.round_id for one in news]))
        touched: dict[str, KnownRound] = {}
        for one in news:
            id = one.round.round_id
            before = known.get(id)
            if before is not None and (before.round.node != one.round.node or one.version <= before.applied):
                continue  # old, or of a node that would speak for another one's round
            known[id] = touched[id] = KnownRound(one.round, one.version, before.version if before else 0)
        return [self._rounds.written(one) for one in touched.values()]

    async def _learn_answers(self, news: Sequence[AnswerTold]) -> list[Op]:
        known = await self._dossiers.get_many([one.dossier_id for one in news])
        touched: dict[str, Dossier] = {}
        for one in sorted(news, key=lambda told: told.answer.order):
            dossier = known.get(one.dossier_id)
            if dossier is not None and learn_answer(dossier, one.answer):
                touched[one.dossier_id] = dossier
        now = self._world.now()
        return [op for dossier in touched.values() for op in self._dossiers.changed(dossier, now=now, traceparent="")]
