"""Take messages into custody: entries, heads, what is on its way and the numbers it bears, in one unit."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sangkien.custody import Head, make_entry, place
from sangkien.hub.application.desk import Desk, Turn
from sangkien.hub.application.examine import Sealed
from sangkien.hub.application.ports import Held, Line
from sangkien.hub.domain.node import HUB, LINKED
from sangkien.hub.domain.peer import Peer, Refused
from sangkien.hub.domain.verdict import Facts, Fate, MaySend, Verdict, judge

Number = tuple[str, int, int]
"""Sender, epoch, number."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one message; None where it waits because its sender may not send now."""

    message: Sealed
    verdict: Verdict | None


class TakeMessages:
    """The only writer of the log."""

    def __init__(self, desk: Desk, may_send: MaySend, limit: int) -> None:
        self._desk = desk
        self._may_send = may_send
        self._limit = limit

    async def __call__(self, messages: Sequence[Sealed]) -> Sequence[Taken]:
        """Take them in this order; durable when it answers. Raises StoreUnavailable and Conflict: take them again."""
        async with self._desk.turn() as turn:
            known = await self._taken_before(messages, turn)
            now = self._desk.world.now()
            taken = [Taken(one, self._take(one, turn, known, now)) for one in messages]
            if any(one.verdict and one.verdict.fate in (Fate.FORWARD, Fate.REFUSE) for one in taken):
                await turn.commit()
        self._desk.to_receipt.ring(*{one.message.seal.sender for one in taken if one.verdict})
        return taken

    def _take(self, message: Sealed, turn: Turn, known: dict[Number, str], now: datetime) -> Verdict | None:
        seal = message.seal
        sender = turn.node(seal.sender)
        if sender is None or sender.state not in LINKED:
            return None
        peer = turn.peer(seal.sender)
        receiver = None if seal.receiver == HUB else turn.node(seal.receiver)
        found = place(Head(peer.epoch, peer.n, peer.hash), seal, known.get((seal.sender, seal.epoch, seal.n)))
        facts = Facts(found.value, seal.type, seal.receiver, len(message.parcel.body), message.fault)
        verdict = judge(facts, sender, receiver, self._may_send, self._limit)
        if verdict.fate in (Fate.FORWARD, Fate.REFUSE):
            self._enter(message, verdict, turn, peer, now)
            known[seal.sender, seal.epoch, seal.n] = seal.hash
            if verdict.sender is not sender:
                turn.put(verdict.sender)
        return verdict

    def _enter(self, message: Sealed, verdict: Verdict, turn: Turn, peer: Peer, now: datetime) -> None:
        seal, shelf = message.seal, self._desk.shelf
        entry = make_entry(position=turn.log.position + 1, seal=seal, verdict=verdict.words, at=now, prev=turn.log.hash)
        turn.put_log(turn.log.grown(entry.position, entry.hash, now))
        delivered = now if seal.receiver == HUB and verdict.fate is Fate.FORWARD else None
        line = Line(entry.position, seal.id, seal.sender, seal.epoch, seal.n, entry.raw, seal.compact, delivered)
        turn.write(shelf.add_line(line))
        peer = peer.followed(seal.n, seal.hash, entry.position).clocked(seal.at, now)
        turn.put_peer(peer.refusing(Refused(seal.n, seal.id, verdict.code)) if verdict.code else peer)
        if verdict.fate is Fate.FORWARD and seal.receiver != HUB:
            turn.send(_on_its_way(message, entry.position, now), message.parcel.body)

    async def _taken_before(self, messages: Sequence[Sealed], turn: Turn) -> dict[Number, str]:
        """Hashes of the seals that were taken under the numbers that come again."""
        again: Mapping[tuple[str, int], list[int]] = defaultdict(list)
        for seal in (message.seal for message in messages):
            if turn.node(seal.sender) is not None:
                peer = turn.peer(seal.sender)
                if seal.epoch == peer.epoch and seal.n <= peer.n:
                    again[seal.sender, seal.epoch].append(seal.n)
        known: dict[Number, str] = {}
        for (sender, epoch), numbers in again.items():
            for line in await self._desk.shelf.numbered(sender, epoch, sorted(set(numbers))):
                known[sender, epoch, line.n] = hashlib.sha256(line.seal.encode()).hexdigest()
        return known


def _on_its_way(message: Sealed, position: int, now: datetime) -> Held:
    seal = message.seal
    return Held(
        receiver=seal.receiver,
        epoch=0,
        n=0,
        sender=seal.sender,
        sender_epoch=seal.epoch,
        sender_n=seal.n,
        type=seal.type,
        seal=seal.compact,
        seal_sha256=seal.hash,
        position=position,
        at=now,
    )


def renumbered(turn: Turn, desk: Desk, held: Sequence[Held], peer: Peer) -> None:
    """Give what is on its way to a peer numbers anew, above `peer.sent` and in its epoch, in the order it has."""
    turn.write(*[desk.shelf.drop_held(one) for one in held])
    turn.put_peer(peer)
    for one in held:
        turn.send(replace(one, epoch=peer.epoch))
