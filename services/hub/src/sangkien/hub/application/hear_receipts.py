"""Hear how far a node is with what came down to it."""

from dataclasses import replace
from datetime import datetime

from sangkien.custody import NodeReceipt
from sangkien.hub.application.desk import Desk
from sangkien.hub.application.take_messages import renumbered
from sangkien.hub.domain.node import HUB

_CHUNK = 500


class HearReceipts:
    """Marks as delivered what a node confirms, and lets go of it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.heard_at: dict[str, datetime] = {}
        """When a node last confirmed anything, since the hub runs."""

    async def __call__(self, receipt: NodeReceipt) -> None:
        """The receipt's signature was verified. Hearing it again changes nothing. Raises StoreUnavailable, Conflict."""
        peer = self._desk.peers.get(receipt.sender)
        if peer is None or peer.epoch != receipt.epoch or (peer.receipted_at and receipt.at < peer.receipted_at):
            return
        self.heard_at[receipt.sender] = self._desk.world.now()
        known = peer.sent if peer.unsure_from is None else peer.unsure_from
        if not peer.receipted <= receipt.n <= known:
            await self._restored(receipt)
            return
        while self._desk.peers[receipt.sender].receipted < receipt.n:
            await self._confirm(receipt)
        if self._desk.peers[receipt.sender].unsure_from is not None:
            await self._sure(receipt)

    async def _confirm(self, receipt: NodeReceipt) -> None:
        """The next stretch of what the receipt covers."""
        desk = self._desk
        async with desk.turn() as turn:
            peer = turn.peer(receipt.sender)
            if peer.epoch != receipt.epoch:
                return
            held = await desk.shelf.held(peer.node, peer.epoch, peer.receipted, _CHUNK)
            held = [one for one in held if one.n <= receipt.n]
            lines = await desk.shelf.lines([one.position for one in held if one.sender != HUB])
            now = desk.world.now()
            for one in held:
                turn.write(desk.shelf.drop_held(one))
                if one.sender != HUB:
                    turn.write(desk.shelf.drop_body(one.position))
                    turn.write(desk.shelf.change_line(replace(lines[one.position], delivered_at=now)))
            reached = held[-1].n if len(held) == _CHUNK else receipt.n
            turn.put_peer(replace(peer, receipted=reached, receipted_at=receipt.at))
            turn.forward(peer.node)
            await turn.commit()
        desk.to_receipt.ring(*{one.sender for one in held if one.sender != HUB})

    async def _restored(self, receipt: NodeReceipt) -> None:
        """One of the two sides was set back: the node knows of more than the hub sent, or of less than it confirmed.

        Numbers go on above what the node knows. What it may have taken before reaches it again under another number,
        and is taken once by its business key.
        """
        desk = self._desk
        async with desk.turn() as turn:
            peer = turn.peer(receipt.sender)
            if peer.epoch != receipt.epoch:
                return
            held = await desk.shelf.all_held(peer.node)
            set_back = replace(peer, sent=receipt.n, receipted=receipt.n, receipted_at=receipt.at, unsure_from=None)
            renumbered(turn, desk, held, set_back)
            turn.forward(peer.node)
            await turn.commit()

    async def _sure(self, receipt: NodeReceipt) -> None:
        """What the node knows of is what the hub remembers: what waits may go."""
        await sure(self._desk, receipt.sender)


async def sure(desk: Desk, node: str) -> None:
    """Let go what waited for a node's first word since the hub runs."""
    async with desk.turn() as turn:
        peer = turn.peer(node)
        if peer.unsure_from is not None:
            turn.put_peer(replace(peer, unsure_from=None))
            turn.forward(node)
            await turn.commit()
