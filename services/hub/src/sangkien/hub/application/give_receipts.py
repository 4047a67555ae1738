"""Tell nodes how far the hub is with their chains. A receipt is a state: the newest one says all (ADR 0008)."""

from datetime import datetime, timedelta

from sangkien.custody import MOST_WAITING, HubReceipt, HubState, Refused, Stamped
from sangkien.hub.application.desk import Desk
from sangkien.hub.application.ports import RECEIPT, Links, Signer
from sangkien.hub.domain.node import HUB, Node, State
from sangkien.hub.domain.peer import Peer


class GiveReceipts:
    """Writes, signs and sends receipts."""

    def __init__(self, desk: Desk, links: Links, signer: Signer, stamp_limit: timedelta) -> None:
        self._desk = desk
        self._links = links
        self._signer = signer
        self._stamp_limit = stamp_limit
        self._last: dict[str, int] = {}
        self.given_at: dict[str, datetime] = {}
        """When a node was last given one, since the hub runs."""

    async def __call__(self, id: str) -> bool:
        """Send the node its receipt as of now, if it has joined. Raises Away, StoreUnavailable."""
        node, peer = self._desk.nodes.get(id), self._desk.peers.get(id)
        if node is None or peer is None or node.state in (State.INVITED, State.LEFT):
            return False
        receipt = await self._written(node, peer)
        wire = self._links.link(id)
        before = self._last.pop(id, 0)
        self._last[id] = await wire.send(
            HUB, RECEIPT, receipt.sign(self._signer.hub_key).encode(), {}, self._desk.world.new_id()
        )
        self.given_at[id] = receipt.at
        if before and peer.sent == peer.receipted:
            await wire.drop_sent(before)
        return True

    async def outstanding(self, id: str) -> bool:
        """Whether the node waits for anything, or the hub for it."""
        peer, log = self._desk.peers[id], self._desk.log
        return (
            peer.unsure_from is not None
            or peer.sent > peer.receipted
            or peer.position > log.stamped
            or bool(await self._desk.shelf.held_of(id, 1))
        )

    async def _written(self, node: Node, peer: Peer) -> HubReceipt:
        log, now = self._desk.log, self._desk.world.now()
        held = await self._desk.shelf.held_of(node.node, MOST_WAITING)
        return HubReceipt(
            to=node.node,
            at=now,
            epoch=peer.epoch,
            n=peer.n,
            head=peer.hash,
            position=peer.position,
            refused=tuple([Refused(one.n, one.id, one.code) for one in peer.refused]),
            waiting=tuple([one.sender_n for one in held if one.sender_epoch == peer.epoch]),
            stamped=Stamped(log.batch, log.stamped, log.stamped_at) if log.stamped_at else None,
            state=self._state(node, now),
            down=peer.sent,
        )

    def _state(self, node: Node, now: datetime) -> HubState:
        if node.state is State.SUSPENDED:
            return "suspended"
        return "paused" if self._desk.log.overdue(now, self._stamp_limit) else "open"
