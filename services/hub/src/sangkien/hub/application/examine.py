"""What came off a node's stream, and whether it is that node's at all. Only keys and bytes are looked at here."""

import json
from dataclasses import dataclass

from sangkien.custody import NodeReceipt, Seal, SealBroken, check_body, read_node_receipt, read_seal
from sangkien.hub.application.ports import GONE_HEADER, HISTORY, RECEIPT, SEAL_HEADER, Judge, Parcel
from sangkien.hub.domain.node import HUB, Node

_MOST = 2**53


@dataclass(frozen=True, slots=True)
class Sealed:
    """A message of the node's chain. `fault` says why its body cannot be read, "" when it can."""

    parcel: Parcel
    seal: Seal
    fault: str


@dataclass(frozen=True, slots=True)
class Receipted:
    """The node says how far it is with what came down."""

    receipt: NodeReceipt


@dataclass(frozen=True, slots=True)
class Asked:
    """The node asks for the seals of its own chain behind the number `after` of `epoch`.

    No seal is asked for: a node that has to ask may have lost its keys' history, and is told nothing but its own words.
    """

    epoch: int
    after: int


@dataclass(frozen=True, slots=True)
class Discarded:
    """Nobody's word: it is forged, foreign or unreadable. It does not touch the node's chain. `code` says why."""

    code: str


Examined = Sealed | Receipted | Asked | Discarded


class Examine:
    """Examines what arrived from a node."""

    def __init__(self, judge: Judge, limit: int) -> None:
        self._judge = judge
        self._limit = limit

    def __call__(self, parcel: Parcel, node: Node) -> Examined:
        """Never raises for what a node may send."""
        try:
            if parcel.sender != node.node:
                return Discarded("foreign_sender")
            if parcel.receiver == HUB and parcel.type == RECEIPT:
                return self._receipt(parcel, node)
            if parcel.receiver == HUB and parcel.type == HISTORY:
                return self._asked(parcel)
            return self._sealed(parcel, node)
        except SealBroken as broken:
            return Discarded(f"seal_{broken.code}")
        except UnicodeDecodeError:
            return Discarded("seal_malformed")

    def _sealed(self, parcel: Parcel, node: Node) -> Examined:
        compact = parcel.headers.get(SEAL_HEADER)
        if compact is None:
            return Discarded("seal_missing")
        seal = self._read(compact, node)
        if seal is None:
            return Discarded("seal_key_retired")
        if (seal.sender, seal.receiver, seal.type) != (parcel.sender, parcel.receiver, parcel.type):
            return Discarded("seal_of_another_subject")
        if GONE_HEADER in parcel.headers and not parcel.body:
            # Delivered before this hub was set back, and dropped at the sender since: its place in the chain is left.
            return Sealed(parcel, seal, "gone")
        check_body(seal, parcel.body)
        readable = len(parcel.body) > self._limit or not (fault := self._judge(parcel.type, parcel.body))
        return Sealed(parcel, seal, "" if readable else fault)

    def _read(self, compact: str, node: Node) -> Seal | None:
        """The seal under one of the node's keys; None when that key was retired before it was made."""
        for key in node.in_force:
            try:
                seal = read_seal(compact, key)
            except SealBroken as broken:
                if broken.code != "unknown_key":
                    raise
                continue
            return seal if node.sealed_in_time(key, seal.at) else None
        raise SealBroken("unknown_key", "kid")

    def _receipt(self, parcel: Parcel, node: Node) -> Examined:
        receipt = read_node_receipt(parcel.body.decode(), node.in_force)
        return Receipted(receipt) if receipt.sender == node.node else Discarded("receipt_of_another")

    def _asked(self, parcel: Parcel) -> Examined:
        try:
            asked = json.loads(parcel.body)
            epoch, after = asked["epoch"], asked["after"]
        except (ValueError, LookupError, TypeError):
            return Discarded("history_malformed")
        if type(epoch) is not int or type(after) is not int or not (1 <= epoch < _MOST and 0 <= after < _MOST):
            return Discarded("history_malformed")
        return Asked(epoch, after)
