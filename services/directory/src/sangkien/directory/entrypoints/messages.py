"""Consumer `directory__exchange`: what other nodes assert of their organisations."""

from collections.abc import Sequence
from datetime import date

from sangkien.contracts.events import ForeignOrganisationAsserted, Succession
from sangkien.directory.application.follow_nodes import FollowNodes
from sangkien.directory.domain.succession import AssertedOrganisation, Step
from sangkien.kernel import DateRange
from sangkien.messaging import Incoming
from sangkien.store import Op


class ExchangeHandler:
    """Keeps them, apart from the node's own."""

    def __init__(self, follow: FollowNodes) -> None:
        self._follow = follow

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Op]:
        return await self._follow([_asserted(incoming) for incoming in batch])


def _asserted(incoming: Incoming) -> AssertedOrganisation:
    match incoming.event:
        case ForeignOrganisationAsserted() as event:
            return AssertedOrganisation(
                event.organisation_id,
                event.node,
                incoming.aggregate_version,
                event.kind,
                event.name,
                event.parent_id,
                DateRange(event.valid_from or date.min, event.valid_to or date.max),
                tuple([_step(step) for step in event.successors]),
                tuple([_step(step) for step in event.predecessors]),
            )
        case other:
            raise TypeError(f"directory does not listen to {other.TYPE}")


def _step(step: Succession) -> Step:
    return Step(step.organisation_id, step.share, step.on, step.document)
