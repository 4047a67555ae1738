"""Consumers `exchange__<service>`: what happened at this node, and what there is to say of it to others."""

from collections.abc import Sequence

from sangkien.exchange.application.ports import Heard, NotYet, Outward, Waits
from sangkien.exchange.application.post_messages import PostMessages
from sangkien.messaging import Incoming, Later, UnderWay
from sangkien.store import Op


class OutwardHandler:
    """What the business side says of a batch is posted in the unit that marks the batch as handled."""

    def __init__(self, outward: Outward, post: PostMessages) -> None:
        self._outward = outward
        self._post = post

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Op]:
        try:
            said = await self._outward([_heard(incoming) for incoming in batch])
        except NotYet as later:
            raise Later from later
        except Waits as waits:
            raise UnderWay(*waits.ids) from waits
        return [*said.ops, *await self._post(said.outbound)]


def _heard(incoming: Incoming) -> Heard:
    return Heard(
        id=incoming.id,
        type=incoming.type,
        event=incoming.event,
        aggregate_id=incoming.aggregate_id,
        aggregate_version=incoming.aggregate_version,
        at=incoming.at,
        trace=incoming.traceparent,
    )
