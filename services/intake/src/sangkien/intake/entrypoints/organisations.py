"""Organisations that end or go over into others: the node's own, and those that other nodes assert."""

from collections.abc import Sequence

from sangkien.contracts.events import ForeignOrganisationAsserted, OrganisationReorganised
from sangkien.intake.application.learn_organisations import LearnOrganisations, Owner
from sangkien.messaging import Handler, Incoming
from sangkien.store import Op


class WithOrganisations:
    """Learns of organisations, and leaves every other event to `inner`; of `intake__directory` there is none."""

    def __init__(self, learn: LearnOrganisations, inner: Handler | None = None) -> None:
        self._learn = learn
        self._inner = inner

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Op]:
        heard = [owner for incoming in batch if (owner := _owner(incoming)) is not None]
        rest = [incoming for incoming in batch if _owner(incoming) is None]
        others = await self._inner(rest) if self._inner is not None and rest else ()
        return [*await self._learn(heard), *others]


def _owner(incoming: Incoming) -> Owner | None:
    event = incoming.event
    if not isinstance(event, OrganisationReorganised | ForeignOrganisationAsserted):
        return None
    successors = tuple([step.organisation_id for step in event.successors])
    return Owner(event.organisation_id, incoming.aggregate_version, event.valid_to, successors)
