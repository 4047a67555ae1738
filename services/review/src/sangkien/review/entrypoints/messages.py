"""Intake's events: decode, decide, hand over the operations of the effect."""

from collections.abc import Callable, Sequence
from typing import Final

from sangkien.contracts import events
from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import Incoming, Later, Subscription
from sangkien.review.application.follow_intake import Fact, Filed, FollowIntake, Mended, Withdrawn
from sangkien.review.application.ports import Saved
from sangkien.review.domain.case import Author, Facts
from sangkien.store import Op

CONSUMER: Final = TOPOLOGY.consumer("review__intake")


def subscription(follow: FollowIntake, operations: Callable[[Sequence[Saved]], list[Op]]) -> Subscription:
    """The one subscription of review. Facts about a dossier not seen yet wait; the others go on without them.

    A dossier for the council of another node is none of review's business.
    """

    async def handle(batch: Sequence[Incoming]) -> list[Op]:
        messages = [message for message in batch if not getattr(message.event, "competent_node", "")]
        followed = await follow([_fact(message) for message in messages])
        if followed.waiting:
            raise Later(*(messages[place].id for place in followed.waiting))
        return operations(followed.cases)

    return Subscription(CONSUMER, handle)


def _fact(message: Incoming) -> Fact:
    match message.event:
        case events.DossierSubmitted() as filed:
            return _filed(Filed, filed, message)
        case events.DossierSupplemented() as mended:
            return _filed(Mended, mended, message)
        case events.DossierWithdrawn() as withdrawn:
            return Withdrawn(withdrawn.dossier_id, message.aggregate_version)
        case other:
            raise TypeError(f"{CONSUMER.name} does not listen to {other.TYPE}")


def _filed(kind: type[Filed], event: events.DossierFacts, message: Incoming) -> Filed:
    return kind(
        dossier_id=event.dossier_id,
        version=message.aggregate_version,
        round_id=event.round_id,
        tier=event.tier,
        facts=Facts(
            version=event.version,
            code=event.code,
            title=event.title,
            field=event.field,
            unit_id=event.unit_id,
            authors=tuple(Author(one.person_id, one.share) for one in event.authors),
            filed_on=event.filed_on,
            initiative_id=event.initiative_id,
            head_author=event.head_author,
            state_funded=event.state_funded,
        ),
        traceparent=message.traceparent,
    )
