"""Forward what is on its way: each receiver's messages in order of their number, as fast as its stream stores them."""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from sangkien.custody import make_forward
from sangkien.hub.application.desk import Desk
from sangkien.hub.application.ports import CUSTODY_HEADER, SEAL_HEADER, Held, Links, Signer, Wire
from sangkien.hub.domain.node import LINKED

_CHUNK = 50
"""Messages in flight to one receiver: of 512 KiB each at most."""


@dataclass(slots=True)
class _Way:
    """How far one receiver's messages are in its stream. `turn` counts how often they began anew after a gap."""

    epoch: int
    n: int
    turn: int = 0
    stored: deque[tuple[int, int]] = field(default_factory=deque)
    """Number and sequence in the stream, of what was not receipted yet."""


class ForwardMessages:
    """Sends what was committed. Nothing here decides a number: what is sent again, after a kill too, bears the same."""

    def __init__(self, desk: Desk, links: Links, signer: Signer) -> None:
        self._desk = desk
        self._links = links
        self._signer = signer
        self._ways: dict[str, _Way] = {}
        self.offered_again: Counter[str] = Counter()
        """Messages sent once more since the hub runs, by receiver."""

    async def __call__(self, receiver: str) -> None:
        """Send everything that is on its way to the receiver now. Raises Away: call again, it goes on where it stopped.

        One call a receiver at a time.
        """
        while True:
            node, peer = self._desk.nodes.get(receiver), self._desk.peers.get(receiver)
            if node is None or peer is None or node.state not in LINKED or peer.unsure_from is not None:
                return
            way = self._ways.get(receiver)
            if way is None or way.epoch != peer.epoch or way.n > peer.sent:
                way = self._ways[receiver] = _Way(peer.epoch, peer.receipted, way.turn + 1 if way else 0)
            held = await self._desk.shelf.held(receiver, peer.epoch, way.n, _CHUNK)
            if not held:
                return
            await self._send(held, self._links.link(receiver), way)

    def gap(self, receiver: str, known: int) -> None:
        """The receiver misses something behind this number: begin there again, under other ids in the stream."""
        way = self._ways.get(receiver)
        if way is not None and way.n > known:
            self.offered_again[receiver] += way.n - known
            self._ways[receiver] = _Way(way.epoch, known, way.turn + 1)

    async def let_go(self, receiver: str) -> None:
        """Forget in the stream what the receiver confirmed. Raises Away."""
        way, peer = self._ways.get(receiver), self._desk.peers.get(receiver)
        if way is None or peer is None:
            return
        up_to = 0
        while way.stored and way.stored[0][0] <= peer.receipted:
            up_to = max(up_to, way.stored.popleft()[1])
        if up_to:
            await self._links.link(receiver).drop_sent(up_to)

    async def _send(self, held: Sequence[Held], wire: Wire, way: _Way) -> None:
        bodies = await self._desk.shelf.bodies([one.position for one in held if one.body is None])
        sending = [asyncio.create_task(self._one(one, bodies.get(one.position, b""), wire, way.turn)) for one in held]
        try:
            for one, task in zip(held, sending, strict=True):
                way.stored.append((one.n, await task))
                way.n = one.n
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)

    async def _one(self, held: Held, body: bytes, wire: Wire, turn: int) -> int:
        custody = make_forward(
            self._signer.hub_key,
            to=held.receiver,
            epoch=held.epoch,
            n=held.n,
            position=held.position,
            seal_sha256=held.seal_sha256,
            at=held.at,
        )
        headers = {SEAL_HEADER: held.seal, CUSTODY_HEADER: custody}
        msg_id = f"{held.id}:{turn}" if turn else held.id
        return await wire.send(held.sender, held.type, held.body or body, headers, msg_id)
