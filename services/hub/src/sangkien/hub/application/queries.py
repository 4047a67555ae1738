"""What operators and auditors ask."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sangkien.custody import leaf_hash, make_proof, read_entry
from sangkien.hub.application.desk import Desk
from sangkien.hub.application.forward_messages import ForwardMessages
from sangkien.hub.application.hear_receipts import HearReceipts
from sangkien.hub.application.ports import Line, Links, Stock, StoredStamp
from sangkien.hub.domain.errors import MessageNotStamped, MessageUnknown
from sangkien.hub.domain.node import Node
from sangkien.hub.domain.peer import Peer

RATE_OVER = timedelta(minutes=5)


class Tally:
    """What was counted of each node since the hub runs."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        self.discarded: Counter[str] = Counter()
        self._taken: dict[str, deque[tuple[datetime, int]]] = {}

    def took(self, node: str, count: int, now: datetime) -> None:
        taken = self._taken.setdefault(node, deque())
        taken.append((now, count))
        self._drop_old(taken, now)

    def per_minute(self, node: str, now: datetime) -> float:
        """Messages a minute, over the last five."""
        taken = self._taken.get(node, deque())
        self._drop_old(taken, now)
        return sum(count for _, count in taken) / (RATE_OVER.total_seconds() / 60)

    def _drop_old(self, taken: deque[tuple[datetime, int]], now: datetime) -> None:
        while taken and now - taken[0][0] > RATE_OVER:
            taken.popleft()


@dataclass(frozen=True, slots=True)
class PeerView:
    """What stands between the hub and one node. `stock` is None while the broker does not answer."""

    node: Node
    peer: Peer
    connected: bool
    stock: Stock | None
    waiting: int
    oldest: datetime | None
    per_minute: float
    last_receipt: datetime | None
    retries: int
    refused: int
    discarded: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All of them, and whether the hub takes anything."""

    peers: Sequence[PeerView]
    state: str
    stamped_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fate:
    """One message: its line in the log, what became of it, and the batch that stamps it, 0 while it waits."""

    line: Line
    fate: str
    taken_at: datetime
    batch: int


class Queries:
    """Reads."""

    def __init__(
        self,
        desk: Desk,
        links: Links,
        forward: ForwardMessages,
        hear: HearReceipts,
        tally: Tally,
        stamp_limit: timedelta,
        stamp_every: timedelta,
    ) -> None:
        self._desk = desk
        self._links = links
        self._forward = forward
        self._hear = hear
        self._tally = tally
        self._stamp_limit = stamp_limit
        self._stamp_every = stamp_every

    def nodes(self, state: str) -> Sequence[Node]:
        """By id; only those in the state, when it is not empty."""
        found = [node for node in self._desk.nodes.values() if not state or node.state.value == state]
        return sorted(found, key=lambda node: node.node)

    async def overview(self) -> Overview:
        now, log = self._desk.world.now(), self._desk.log
        waiting = await self._desk.shelf.count_held()
        views = [await self._view(node, now, waiting.get(node.node, 0)) for node in self.nodes("")]
        state = "paused" if log.overdue(now, self._stamp_limit) else "open"
        return Overview(views, state, log.stamped_at)

    async def _view(self, node: Node, now: datetime, waiting: int) -> PeerView:
        id, peer = node.node, self._desk.peers[node.node]
        oldest = await self._desk.shelf.held(id, peer.epoch, 0, 1) if waiting else ()
        return PeerView(
            node=node,
            peer=peer,
            connected=id in self._links.connected(),
            stock=await self._links.stock(id),
            waiting=waiting,
            oldest=oldest[0].at if oldest else None,
            per_minute=self._tally.per_minute(id, now),
            last_receipt=self._hear.heard_at.get(id) or peer.receipted_at,
            retries=self._forward.offered_again[id],
            refused=self._tally.refused[id],
            discarded=self._tally.discarded[id],
        )

    async def message(self, id: str) -> Fate:
        """By the message's id, or by `node/id` where two nodes used the same. Raises MessageUnknown."""
        line = await self._line(id)
        entry = read_entry(line.raw)
        delivered = line.delivered_at is not None
        stamp = await self._stamp_over(line.position)
        return Fate(line, "delivered" if delivered else entry.verdict, entry.at, stamp.batch if stamp else 0)

    async def entries(self, position: int, most: int, node: str) -> tuple[Sequence[Line], int]:
        """In order, and where the next page begins, 0 at the end."""
        lines = await self._desk.shelf.lines_from(max(1, position), most + 1, node)
        return lines[:most], lines[most].position if len(lines) > most else 0

    async def stamps(self, batch: int, most: int) -> tuple[Sequence[StoredStamp], int]:
        """In order, and where the next page begins, 0 at the end."""
        stamps = await self._desk.shelf.stamps_from(max(1, batch), most + 1)
        return stamps[:most], stamps[most].batch if len(stamps) > most else 0

    async def proof(self, id: str) -> str:
        """Raises MessageUnknown, MessageNotStamped."""
        line = await self._line(id)
        stamp = await self._stamp_over(line.position)
        if stamp is None:
            raise MessageNotStamped(seconds=int(self._stamp_every.total_seconds()))
        batch = await self._desk.shelf.lines_from(stamp.first, stamp.last - stamp.first + 1)
        leaves = [leaf_hash(one.raw) for one in batch]
        token = stamp.token or None
        return make_proof(seal=line.seal, entry=line.raw, leaves=leaves, stamp=stamp.stamp, token=token).to_json()

    async def _line(self, id: str) -> Line:
        sender, _, own = id.rpartition("/")
        lines = await self._desk.shelf.lines_of_id(own) if own else ()
        for line in lines:
            if sender in ("", line.sender):
                return line
        raise MessageUnknown(field="id")

    async def _stamp_over(self, position: int) -> StoredStamp | None:
        return await self._desk.shelf.stamp_over(position) if position <= self._desk.log.stamped else None
