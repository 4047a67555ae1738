"""Forward what is on its way: each receiver's messages in order of their number, as fast as its stream stores them."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sangkien.custody import make_forward
from sangkien.hub.application.desk import Desk
from sangkien.hub.application.intake import Queues
from sangkien.hub.application.ports import CUSTODY_HEADER, SEAL_HEADER, Held, Links, Signer, Wire
from sangkien.hub.domain.node import LINKED

_CHUNK = 50
"""Messages in flight to one receiver: of 512 KiB each at most."""
_RECEIVERS_AT_ONCE = 6
"""Whose messages are in memory at the same time; they go no further than the hub's own server, which is quick."""
MOST_UNCONFIRMED = 5_000
MOST_UNCONFIRMED_BYTES = 24 * 1024 * 1024
"""What lies in a receiver's stream at most: a full one would drop its oldest, and the receiver may be away for long."""
_BREATH_S = 0.25
"""Between two full handfuls for one receiver while the intake is crowded: what came back is in the log sooner, and
everybody's messages go on meanwhile."""
Breathe = Callable[[], Awaitable[None]]
_GAP_PAUSE = timedelta(seconds=1)
"""A gap is filled once in this time: what is on its way already may fill it."""


async def breath() -> None:
    """Leave the room to others for a moment."""
    await asyncio.sleep(_BREATH_S)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A message in the receiver's stream."""

    n: int
    sequence: int
    size: int


@dataclass(slots=True)
class _Way:
    """How far one receiver's messages are in its stream. `turn` counts how often they began anew after a gap."""

    epoch: int
    n: int
    turn: int = 0
    stored: deque[_Stored] = field(default_factory=deque)
    """What was not confirmed yet."""
    confirmed: int = 0
    """Sequence in the stream up to which everything was."""
    size: int = 0
    began_at: datetime | None = None

    def put(self, stored: _Stored) -> None:
        self.stored.append(stored)
        self.size += stored.size
        self.n = stored.n

    def confirm(self, n: int) -> None:
        """Everything up to this number arrived."""
        while self.stored and self.stored[0].n <= n:
            gone = self.stored.popleft()
            self.size -= gone.size
            self.confirmed = max(self.confirmed, gone.sequence)

    @property
    def full(self) -> bool:
        return len(self.stored) >= MOST_UNCONFIRMED or self.size >= MOST_UNCONFIRMED_BYTES


class ForwardMessages:
    """Sends what was committed. Nothing here decides a number: what is sent again, after a kill too, bears the same."""

    def __init__(self, desk: Desk, links: Links, signer: Signer, queues: Queues, breathe: Breathe = breath) -> None:
        self._desk = desk
        self._queues = queues
        self._breathe = breathe
        self._links = links
        self._signer = signer
        self._ways: dict[str, _Way] = {}
        self._gate = asyncio.Semaphore(_RECEIVERS_AT_ONCE)
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
            way.confirm(peer.receipted)
            held = () if way.full else await self._desk.shelf.held(receiver, peer.epoch, way.n, _CHUNK)
            if not held:
                return
            async with self._gate:
                await self._send(held, self._links.link(receiver), way)
            if len(held) == _CHUNK and self._queues.crowded:
                await self._breathe()

    def gap(self, receiver: str, known: int) -> None:
        """The receiver misses something behind this number: begin there again, under other ids in the stream."""
        way, now = self._ways.get(receiver), self._desk.world.now()
        if way is None or way.n <= known or (way.began_at and now - way.began_at < _GAP_PAUSE):
            return
        self.offered_again[receiver] += way.n - known
        self._ways[receiver] = _Way(way.epoch, known, way.turn + 1, confirmed=way.confirmed, began_at=now)

    async def let_go(self, receiver: str) -> None:
        """Forget in the stream what the receiver confirmed. Raises Away."""
        way, peer = self._ways.get(receiver), self._desk.peers.get(receiver)
        if way is None or peer is None:
            return
        way.confirm(peer.receipted)
        if way.confirmed:
            await self._links.link(receiver).drop_sent(way.confirmed)
            way.confirmed = 0

    async def _send(self, held: Sequence[Held], wire: Wire, way: _Way) -> None:
        bodies = await self._desk.shelf.bodies([one.position for one in held if one.body is None])
        whole = [(one, one.body or bodies.get(one.position, b"")) for one in held]
        sending = [asyncio.create_task(self._one(one, body, wire, way.turn)) for one, body in whole]
        try:
            for (one, body), task in zip(whole, sending, strict=True):
                way.put(_Stored(one.n, await task, len(body)))
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
        return await wire.send(held.sender, held.type, body, headers, msg_id)
