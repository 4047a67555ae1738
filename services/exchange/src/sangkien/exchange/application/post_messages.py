"""What this node wants to say is written down in the unit that made it true; its number in the chain comes later.

A number is given by one writer (`seal_messages`), so that units of work never collide over the end of the chain.
"""

from collections.abc import Sequence
from typing import Final

from sangkien.exchange.application.link_ports import Ledger, Outgoings
from sangkien.exchange.application.ports import Outbound, World
from sangkien.exchange.domain.errors import MessageTooLarge
from sangkien.exchange.domain.outgoing import Outgoing, outgoing_id
from sangkien.store import Op

MOST_BODY_BYTES: Final = 512 * 1024
"""Of one message (`sangkien.contracts.crossing`)."""
HUB: Final = "hub"


class PostMessages:
    """Rows of messages to be sealed and sent."""

    def __init__(self, outgoings: Outgoings, ledger: Ledger, world: World) -> None:
        self._outgoings = outgoings
        self._ledger = ledger
        self._world = world

    async def __call__(self, outbound: Sequence[Outbound]) -> list[Op]:
        """The operations that post what was not posted before; put them into the unit of what led to it.

        The same business key to the same receiver is posted once, to the hub once in a life of this node. When the unit
        meets Duplicate, somebody else posted the same meanwhile: ask again. Raises MessageTooLarge.
        """
        if not outbound:
            return []
        life = (await self._ledger.chain()).head.epoch
        wanted = {
            outgoing_id(one.receiver, one.message.key(), life=life if one.receiver == HUB else 0): one
            for one in outbound
        }
        known = await self._outgoings.get_many(list(wanted))
        ops: list[Op] = []
        for id, one in wanted.items():
            if id not in known:
                ops += self._rows(id, one)
        return ops

    def _rows(self, id: str, one: Outbound) -> list[Op]:
        body = one.message.to_bytes()
        if len(body) > MOST_BODY_BYTES:
            raise MessageTooLarge(bytes=len(body), limit=MOST_BODY_BYTES)
        message = Outgoing(
            id=id,
            message_id=self._world.new_id(),
            receiver=one.receiver,
            type=one.message.TYPE,
            key=one.message.key(),
            size=len(body),
            trace=one.trace,
            posted_at=self._world.now(),
        )
        return [self._outgoings.stored(message), self._outgoings.with_body(id, body)]
