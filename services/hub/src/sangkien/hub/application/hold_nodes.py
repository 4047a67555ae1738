"""Suspend, reinstate and revoke nodes: what the operator does about one that misbehaves, or goes."""

from collections.abc import Callable

from sangkien.hub.application.desk import Desk
from sangkien.hub.application.give_receipts import GiveReceipts
from sangkien.hub.application.ports import Away, Links, Readers
from sangkien.hub.domain.errors import NodeUnknown
from sangkien.hub.domain.node import Node, State, check_reason
from sangkien.store.deciding import decided_again

Move = Callable[[Node], Node]


class HoldNodes:
    """Each move is decided first and carried out at the broker then: asked again, it is carried out again."""

    def __init__(self, desk: Desk, links: Links, readers: Readers, receipts: GiveReceipts) -> None:
        self._desk = desk
        self._links = links
        self._readers = readers
        self._receipts = receipts

    async def suspend(self, node: str, reason: str) -> None:
        """Stop a node's messages and keep them. Raises NodeUnknown, ReasonMissing, NodeStateRefused, Away."""
        check_reason(reason)
        if self._known(node).state is not State.SUSPENDED:
            await self._move(node, lambda one: one.suspended(reason))
            await self._last_word(node)
        await self._readers.stop(node)
        await self._links.suspend(node)

    async def reinstate(self, node: str) -> None:
        """Let it go on where it stopped. Raises NodeUnknown, NodeStateRefused, Away."""
        self._known(node).reinstated()
        await self._links.reinstate(node)
        await self._move(node, lambda one: one.reinstated())
        await self._readers.start(node)

    async def revoke(self, node: str, reason: str) -> None:
        """End its keys and account for good. Raises NodeUnknown, ReasonMissing, Away."""
        check_reason(reason)
        await self.end(node, reason)

    async def end(self, node: str, reason: str) -> None:
        """The node is gone, by its own will or another's."""
        if self._known(node).state is not State.LEFT:
            await self._move(node, lambda one: one.gone(reason))
        await self._readers.stop(node)
        await self._links.revoke(node)

    def _known(self, node: str) -> Node:
        known = self._desk.nodes.get(node)
        if known is None:
            raise NodeUnknown(field="node")
        return known

    async def _move(self, node: str, move: Move) -> None:
        async def once() -> None:
            async with self._desk.turn() as turn:
                known = turn.node(node)
                if known is None:
                    raise NodeUnknown(field="node")
                turn.put(move(known))
                await turn.commit()

        await decided_again(once)

    async def _last_word(self, node: str) -> None:
        """Say it while the link still stands."""
        try:
            await self._receipts(node)
        except Away:
            return
