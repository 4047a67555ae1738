"""Consumer `recognition__review`: what councils voted."""

from collections.abc import Sequence

from sangkien.contracts.events import DossierVoted
from sangkien.messaging import Incoming
from sangkien.recognition.application.follow_review import FollowReview, Voted
from sangkien.recognition.domain.candidate import Author, Vote
from sangkien.store import Op


class ReviewHandler:
    """Turns votes into candidates."""

    def __init__(self, follow: FollowReview) -> None:
        self._follow = follow

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Op]:
        return await self._follow([_voted(incoming) for incoming in batch])


def _voted(incoming: Incoming) -> Voted:
    match incoming.event:
        case DossierVoted() as event:
            vote = Vote(
                dossier_id=event.dossier_id,
                round_id=event.round_id,
                tier=event.tier,
                passed=event.outcome == "passed",
                held_on=event.held_on,
                rule_set=event.rule_set,
                title=event.title,
                field=event.field,
                unit_id=event.unit_id,
                authors=tuple([Author(author.person_id, author.share) for author in event.authors]),
                initiative_id=event.initiative_id,
            )
            return Voted(vote, incoming.aggregate_version, incoming.traceparent)
        case other:
            raise TypeError(f"recognition does not listen to {other.TYPE}")
