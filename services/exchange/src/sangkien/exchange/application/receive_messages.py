"""Puts what came down the link into the store, in order of the hub's numbers, once each sender and business key.

Nothing but the hub's own words is applied here: what is stored is delivered, and the hub is told so; applying it may
have to wait for other services.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sangkien.custody import Forward, Seal, SealBroken, check_body, read_forward, read_seal
from sangkien.exchange.application.link_ports import (
    CUSTODY_HEADER,
    SEAL_HEADER,
    Crossings,
    Incomings,
    Inflow,
    Ledger,
    NodeBook,
    Notes,
    Parcel,
    Steady,
    Unreadable,
)
from sangkien.exchange.application.ports import Commit, KnownNode, World
from sangkien.exchange.application.post_messages import HUB
from sangkien.exchange.domain.incoming import Received, incoming_id, unreadable_id
from sangkien.store import Op
from sangkien.store.deciding import decided_again


class Unbelieved(Exception):
    """Something of a message that the hub forwarded does not hold. `reason` is a stable word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class _Batch:
    """What one batch of parcels comes to."""

    inflow: Inflow
    gap: bool = False
    rows: dict[str, tuple[Received, bytes]] = field(default_factory=dict)
    nodes: dict[str, KnownNode] = field(default_factory=dict)
    node_ops: dict[str, Op] = field(default_factory=dict)


class ReceiveMessages:
    """Stores numbered messages. `gap_patience_s`: how long the hub may take to fill a gap before it is passed over."""

    def __init__(  # noqa: PLR0913
        self,
        incomings: Incomings,
        ledger: Ledger,
        book: NodeBook,
        crossings: Crossings,
        world: World,
        commit: Commit,
        steady: Steady,
        notes: Notes,
        *,
        hub_key: str,
        gap_patience_s: float,
    ) -> None:
        self._notes = notes
        self._incomings = incomings
        self._ledger = ledger
        self._book = book
        self._crossings = crossings
        self._world = world
        self._commit = commit
        self._steady = steady
        self._hub_key = hub_key
        self._gap_patience_s = gap_patience_s
        self._gap_since: float | None = None

    @property
    def gap(self) -> bool:
        """Whether something is missing below what came."""
        return self._gap_since is not None

    async def __call__(self, parcels: Sequence[Parcel]) -> int:
        """Store what is new of the parcels, which may be acknowledged afterwards; how many messages.

        What lies above a gap is dropped: the hub sends it again. What the hub did not sign is nobody's, and dropped.
        """
        batch = await decided_again(lambda: self._store(parcels))
        self._book.learn(list(batch.nodes.values()))
        if not batch.gap:
            self._gap_since = None
        elif self._gap_since is None:
            self._gap_since = self._steady()
            self._notes.warning("gap_in_what_came", after=batch.inflow.n)
        return len(batch.rows)

    async def _store(self, parcels: Sequence[Parcel]) -> _Batch:
        inflow = await self._ledger.inflow()
        batch = _Batch(inflow)
        for parcel in parcels:
            forward = self._forward(parcel, inflow.epoch)
            if forward is not None:
                self._place(batch, parcel, forward)
        await self._drop_known(batch)
        ops: list[Op] = list(batch.node_ops.values())
        for row, body in batch.rows.values():
            ops.append(self._incomings.stored(row))
            if row.kept:
                ops.append(self._incomings.with_body(row.id, body))
        if ops or batch.inflow != inflow:
            await self._commit([*ops, self._ledger.stored(batch.inflow)])
        return batch

    def _forward(self, parcel: Parcel, epoch: int) -> Forward | None:
        try:
            forward = read_forward(parcel.headers.get(CUSTODY_HEADER, ""), self._hub_key)
        except SealBroken as broken:
            self._notes.warning("custody_broken", code=broken.code, type=parcel.type)
            return None
        if forward.to != self._book.me.node or forward.epoch != epoch:
            self._notes.info("custody_of_another", epoch=forward.epoch, number=forward.n)
            return None
        return forward

    def _place(self, batch: _Batch, parcel: Parcel, forward: Forward) -> None:
        """Take the parcel in its place: at or below the end a repeat maybe, above a gap not yet."""
        if forward.n > batch.inflow.n + 1:
            waited = self._steady() - self._gap_since if self._gap_since is not None else 0.0
            if waited < self._gap_patience_s:
                batch.gap = True
                return
            self._notes.error("gap_passed_over", after=batch.inflow.n, number=forward.n)
        row = self._row(batch, parcel, forward)
        batch.rows.setdefault(row.id, (row, parcel.body))
        batch.inflow = replace(batch.inflow, n=max(batch.inflow.n, forward.n))

    def _row(self, batch: _Batch, parcel: Parcel, forward: Forward) -> Received:
        compact = parcel.headers.get(SEAL_HEADER, "")
        now = self._world.now()
        row = Received(
            id=unreadable_id(forward.epoch, forward.n, forward.seal_sha256[:12]),
            message_id="",
            sender=parcel.sender,
            type=parcel.type,
            key="",
            epoch=forward.epoch,
            n=forward.n,
            position=forward.position,
            seal=compact,
            size=len(parcel.body),
            sealed_at=None,
            received_at=now,
            kept=_is_text(parcel.body),
        )
        if parcel.sender == HUB:
            return self._word_of_hub(batch, parcel, forward, row)
        try:
            seal = self._believed(batch.nodes, parcel, forward, compact)
        except Unbelieved as unbelieved:
            self._notes.error("message_not_believed", sender=parcel.sender, reason=unbelieved.reason, number=forward.n)
            return row.failed(unbelieved.reason, now)
        row = replace(row, id=incoming_id(seal.sender, seal.key), message_id=seal.id, key=seal.key, sealed_at=seal.at)
        if not row.kept:
            return row.failed("undecodable", now)
        return row

    def _believed(self, nodes: Mapping[str, KnownNode], parcel: Parcel, forward: Forward, compact: str) -> Seal:
        """The seal, once it holds: signed by the sender, about this body, for this node. Raises Unbelieved."""
        node = nodes.get(parcel.sender) or self._book.node(parcel.sender)
        if node is None:
            raise Unbelieved("sender_unknown")
        seal = self._sealed(parcel, forward, compact, node.seal_keys)
        if not self._crossings.allowed(seal.type, node.profile, self._book.me.profile):
            raise Unbelieved("not_allowed")
        return seal

    def _sealed(self, parcel: Parcel, forward: Forward, compact: str, keys: Sequence[str]) -> Seal:
        if hashlib.sha256(compact.encode()).hexdigest() != forward.seal_sha256:
            raise Unbelieved("seal_of_another")
        try:
            seal = read_seal(compact, keys)
            check_body(seal, parcel.body)
        except SealBroken as broken:
            raise Unbelieved(f"seal_{broken.code}") from None
        if (seal.sender, seal.receiver, seal.type) != (parcel.sender, self._book.me.node, parcel.type):
            raise Unbelieved("seal_of_another")
        return seal

    def _word_of_hub(self, batch: _Batch, parcel: Parcel, forward: Forward, row: Received) -> Received:
        """The hub seals its own words itself, outside of any chain: the number on the way down is their order.

        A word on a node counts at once: the next seal may be by a new key.
        """
        now = row.received_at
        try:
            seal = self._sealed(parcel, forward, row.seal, [self._hub_key])
        except Unbelieved as unbelieved:
            self._notes.error("word_of_hub_not_believed", reason=unbelieved.reason, number=forward.n)
            return row.failed(unbelieved.reason, now)
        try:
            message = self._crossings.read(parcel.type, parcel.body)
        except Unreadable as unreadable:
            return row.failed(unreadable.reason, now)
        row = replace(row, id=incoming_id(HUB, message.key()), message_id=seal.id, key=message.key(), sealed_at=seal.at)
        node = self._crossings.word_on_node(message)
        if node is None:
            return row.failed("type_unknown", now)
        known = batch.nodes.get(node.node)
        op = self._book.changed(node)
        if op is not None and (known is None or known.version < node.version):
            batch.nodes[node.node], batch.node_ops[node.node] = node, op
        return row.applied(now)

    async def _drop_known(self, batch: _Batch) -> None:
        """What was received before, under this number or another one, is a repeat."""
        for id in await self._incomings.get_many(list(batch.rows)):
            del batch.rows[id]


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
