"""Consumers `intake__review` and `intake__exchange`: rounds that open and close, and what becomes of dossiers."""

from collections.abc import Sequence
from functools import partial

from sangkien.contracts.events import (
    DossierAccepted,
    DossierRefused,
    DossierVoted,
    ForeignAnswerReceived,
    ForeignRoundAnnounced,
    RoundClosed,
    RoundOpened,
    SupplementRequested,
)
from sangkien.intake.application.learn_from_exchange import AnswerTold, LearnFromExchange, RoundTold
from sangkien.intake.application.learn_from_review import (
    DossierMoved,
    LearnFromReview,
    News,
    RoundEnded,
    RoundStarted,
)
from sangkien.intake.domain.dossier import Dossier
from sangkien.intake.domain.foreign import Answered
from sangkien.intake.domain.rounds import Round
from sangkien.messaging import Incoming, Later
from sangkien.store import Op


class ReviewHandler:
    """Handles what review publishes. News of a round or a dossier that is not here yet waits (`Later`)."""

    def __init__(self, learn: LearnFromReview) -> None:
        self._learn = learn

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Op]:
        ops, waiting = await self._learn([_news(incoming) for incoming in batch])
        if waiting:
            raise Later(*waiting)
        return ops


_Move = DossierAccepted | SupplementRequested | DossierRefused | DossierVoted


def _news(incoming: Incoming) -> News:
    version = incoming.aggregate_version
    match incoming.event:
        case RoundOpened() as opened:
            started = Round(
                opened.round_id, opened.name, opened.tier, opened.owner_id, opened.opens_on, opened.closes_on
            )
            return RoundStarted(incoming.id, version, started)
        case RoundClosed() as closed:
            return RoundEnded(incoming.id, version, closed.round_id, closed.closed_on)
        case DossierAccepted() | SupplementRequested() | DossierRefused() | DossierVoted() as move:
            return DossierMoved(incoming.id, move.dossier_id, partial(_learn, move, version))
        case other:
            raise TypeError(f"intake does not listen to {other.TYPE}")


def _learn(move: _Move, version: int, dossier: Dossier) -> bool:
    match move:
        case DossierAccepted():
            return dossier.learn_accepted(review_version=version)
        case SupplementRequested():
            return dossier.learn_supplement_asked(move.shortcomings, move.due, review_version=version)
        case DossierRefused():
            return dossier.learn_refused(move.reason, review_version=version)
        case DossierVoted():
            return dossier.learn_voted(review_version=version)


class ExchangeHandler:
    """Handles what exchange heard from other nodes. Nothing of it waits: what does not fit is dropped."""

    def __init__(self, learn: LearnFromExchange) -> None:
        self._learn_foreign = learn

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Op]:
        return await self._learn_foreign([_foreign_news(incoming) for incoming in batch])


def _foreign_news(incoming: Incoming) -> RoundTold | AnswerTold:
    version = incoming.aggregate_version
    match incoming.event:
        case ForeignRoundAnnounced() as told:
            announced = Round(
                told.round_id,
                told.name,
                told.tier,
                told.owner_id,
                told.opens_on,
                told.closes_on,
                told.closed_on,
                told.node,
            )
            return RoundTold(version, announced)
        case ForeignAnswerReceived() as said:
            answer = Answered(
                node=said.node,
                version=said.version,
                order=version,
                answer=said.answer,
                code=said.code,
                due=said.answer_due,
                reasons=tuple(code for code in said.reason.split(",") if code),
                decision_symbol=said.decision_symbol,
            )
            return AnswerTold(said.dossier_id, answer)
        case other:
            raise TypeError(f"intake does not listen to {other.TYPE}")
