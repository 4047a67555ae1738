"""The desk: the hub's state in memory, and the one way to change it. One log means one writer (ADR 0008)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from sangkien.custody import SealKey, make_seal
from sangkien.hub.application.ports import Commit, Held, Log, RegistryWord, Shelf, World
from sangkien.hub.domain.node import HEARING, HUB, Node
from sangkien.hub.domain.peer import BEGINNING, Peer
from sangkien.store import Op


class Bells:
    """Who has to be told something: rung when a unit was committed, heard by the loops that tell."""

    def __init__(self) -> None:
        self._rung: set[str] = set()
        self._some = asyncio.Event()

    def ring(self, *nodes: str) -> None:
        self._rung.update(nodes)
        if self._rung:
            self._some.set()

    async def wait(self) -> None:
        """Return once somebody has to be told."""
        await self._some.wait()

    def take(self) -> frozenset[str]:
        """Everybody who has to be told, once."""
        taken = frozenset(self._rung)
        self._rung.clear()
        self._some.clear()
        return taken


class Desk:
    """Nodes, peers and the log as they are stored. Read them freely; change them in a `turn`."""

    def __init__(
        self, shelf: Shelf, commit: Commit, world: World, registry_word: RegistryWord, hub_key: SealKey
    ) -> None:
        self.shelf = shelf
        self.world = world
        self.registry_word = registry_word
        self.hub_key = hub_key
        self.nodes: Mapping[str, Node] = {}
        self.peers: Mapping[str, Peer] = {}
        self.log = Log()
        self.to_forward = Bells()
        """Receivers for whom something was put on its way."""
        self.to_receipt = Bells()
        """Nodes whose receipt changed."""
        self._commit = commit
        self._lock = asyncio.Lock()
        self._stale = True

    async def load(self) -> None:
        """Read what is stored, unless it is known."""
        async with self._lock:
            await self._refresh()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["Turn"]:
        """One unit of work at the desk. Nobody else changes anything meanwhile; without `Turn.commit` nothing is."""
        async with self._lock:
            await self._refresh()
            yield Turn(self)

    async def _refresh(self) -> None:
        if not self._stale:
            return
        nodes, peers, log = await self.shelf.nodes(), await self.shelf.peers(), await self.shelf.log()
        self.nodes = {node.node: node for node in nodes}
        self.peers = {peer.node: self._remembered(peer) for peer in peers}
        self.log = log
        self._stale = False

    def _remembered(self, stored: Peer) -> Peer:
        """A peer as it was read, and whether it is sure: that is lost with the process, not with a reading."""
        before = self.peers.get(stored.node)
        if before is not None:
            return replace(stored, unsure_from=before.unsure_from)
        return stored if stored.unsure_from is not None else replace(stored, unsure_from=stored.sent)

    async def _write(self, ops: list[Op]) -> None:
        try:
            await self._commit(ops)
        except BaseException:  # perhaps it was written, perhaps somebody else wrote: only the store knows
            self._stale = True
            raise


class Turn:
    """Changes that are written together."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._nodes: dict[str, Node] = {}
        self._peers: dict[str, Peer] = {}
        self._more: list[Op] = []
        self._to_forward: set[str] = set()
        self._log = desk.log

    @property
    def log(self) -> Log:
        return self._log

    def node(self, node: str) -> Node | None:
        return self._nodes.get(node) or self._desk.nodes.get(node)

    def peer(self, node: str) -> Peer:
        """Raises KeyError for a node that is not registered."""
        return self._peers.get(node) or self._desk.peers[node]

    def put(self, node: Node) -> None:
        """Change a node, or add one. What others are to know of it is on its way to them in the same unit."""
        if node.revision > node.announced:
            node = replace(node, announced=node.revision)
            self._nodes[node.node] = node
            self._announce(node)
        else:
            self._nodes[node.node] = node

    def put_peer(self, peer: Peer) -> None:
        self._peers[peer.node] = peer

    def put_log(self, log: Log) -> None:
        self._log = log

    def write(self, *ops: Op) -> None:
        """Write more with it."""
        self._more += ops

    def send(self, held: Held, body: bytes | None = None) -> None:
        """Put a message on its way under the receiver's next number, whatever number `held` bears."""
        peer = self.peer(held.receiver).sending()
        self._peers[peer.node] = peer
        self._more.append(self._desk.shelf.add_held(replace(held, epoch=peer.epoch, n=peer.sent)))
        if body is not None:
            self._more.append(self._desk.shelf.add_body(held.position, body))
        self._to_forward.add(held.receiver)

    def forward(self, *nodes: str) -> None:
        """Look after what is on its way to these nodes, once this is written."""
        self._to_forward.update(nodes)

    async def commit(self) -> None:
        """Write everything. Raises Conflict, Duplicate and StoreUnavailable with nothing changed here."""
        desk = self._desk
        ops = [desk.shelf.save_node(node) for node in self._nodes.values()]
        ops += [desk.shelf.save_peer(peer) for peer in self._peers.values()]
        if self._log is not desk.log:
            ops.append(desk.shelf.save_log(self._log))
        await desk._write([*ops, *self._more])  # noqa: SLF001 (two halves of one thing)
        desk.nodes = {**desk.nodes, **{id: replace(one, stored=one.stored + 1) for id, one in self._nodes.items()}}
        desk.peers = {**desk.peers, **{id: replace(one, stored=one.stored + 1) for id, one in self._peers.items()}}
        if self._log is not desk.log:
            desk.log = replace(self._log, stored=self._log.stored + 1)
        desk.to_forward.ring(*self._to_forward)

    def _announce(self, node: Node) -> None:
        kind, key, body = self._desk.registry_word(node)
        known = {**self._desk.nodes, **self._nodes}
        for hearer in known.values():
            if hearer.state in HEARING:
                self._say(hearer.node, kind, key, body)

    def _say(self, receiver: str, kind: str, key: str, body: bytes) -> None:
        """The hub's own word, under its own seal: outside of the log, so with the number on the way down as its own."""
        desk, peer, at = self._desk, self.peer(receiver), self._desk.world.now()
        seal = make_seal(
            desk.hub_key,
            id=desk.world.new_id(),
            sender=HUB,
            receiver=receiver,
            type=kind,
            business_key=key,
            epoch=peer.epoch,
            n=peer.sent + 1,
            prev=BEGINNING,
            at=at,
            body=body,
        )
        self.send(
            Held(
                receiver=receiver,
                epoch=seal.epoch,
                n=seal.n,
                sender=HUB,
                sender_epoch=0,
                sender_n=0,
                type=kind,
                seal=seal.compact,
                seal_sha256=seal.hash,
                position=max(1, self._log.position),
                at=at,
                body=body,
            )
        )
