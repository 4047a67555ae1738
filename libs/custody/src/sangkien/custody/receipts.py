"""Receipts: how far a chain has come, said by the one who takes it. States: a lost one costs nothing (ADR 0008)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from sangkien.custody.claims import (
    CODE,
    ID,
    NODE,
    VERSION,
    WrongClaim,
    closed,
    count,
    digest,
    instant,
    text,
    time,
)
from sangkien.custody.errors import SealBroken
from sangkien.custody.keys import Keys, SealKey, verify_jws

MOST_REFUSED: Final = 100
MOST_WAITING: Final = 1000
MOST_RECEIPT_BYTES: Final = 64 * 1024
HubState = Literal["open", "paused", "suspended"]
_HUB_NAMES: Final = frozenset("v to at epoch n head position refused waiting stamped state down".split())
_NODE_NAMES: Final = frozenset("v from at epoch n gap".split())


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that was refused in its place."""

    n: int
    id: str
    code: str


@dataclass(frozen=True, slots=True)
class Stamped:
    """The last stamp: its batch and the last position under it."""

    batch: int
    last: int
    at: datetime


@dataclass(frozen=True, slots=True)
class HubReceipt:
    """Hub to member: taken up to `n` in `epoch`, `head` the hash of that seal, `position` the log's at that message.

    `refused` are the last 100 refused in their place, `waiting` at most 1000 numbers not yet delivered to their
    receivers, `down` the highest number sent to this member. Before the first message `n` and `position` are 0.
    """

    to: str
    at: datetime
    epoch: int
    n: int
    head: str
    position: int
    refused: tuple[Refused, ...]
    waiting: tuple[int, ...]
    stamped: Stamped | None
    state: HubState
    down: int

    def sign(self, hub_key: SealKey) -> str:
        """The body of `hub.receipt.v1` to a member. Raises ValueError for what could not be read back."""
        stamped = self.stamped
        claims = {
            "v": VERSION,
            "to": self.to,
            "at": instant(self.at),
            "epoch": self.epoch,
            "n": self.n,
            "head": self.head,
            "position": self.position,
            "refused": [{"n": one.n, "id": one.id, "code": one.code} for one in self.refused],
            "waiting": list(self.waiting),
            "stamped": stamped and {"batch": stamped.batch, "last": stamped.last, "at": instant(stamped.at)},
            "state": self.state,
            "down": self.down,
        }
        _hub_receipt(claims)
        return hub_key.sign(claims, most=MOST_RECEIPT_BYTES)


@dataclass(frozen=True, slots=True)
class NodeReceipt:
    """Member to hub: `n` is the highest contiguous number of what came down in `epoch`; `gap`: more came above it."""

    sender: str
    at: datetime
    epoch: int
    n: int
    gap: bool

    def sign(self, key: SealKey) -> str:
        """The body of `hub.receipt.v1` to the hub. Raises ValueError for what could not be read back."""
        claims = {
            "v": VERSION,
            "from": self.sender,
            "at": instant(self.at),
            "epoch": self.epoch,
            "n": self.n,
            "gap": self.gap,
        }
        _node_receipt(claims)
        return key.sign(claims)


def read_hub_receipt(jws: str, hub_public: Keys) -> HubReceipt:
    """What the hub signed. Raises SealBroken."""
    try:
        return _hub_receipt(verify_jws(jws, hub_public, most=MOST_RECEIPT_BYTES))
    except WrongClaim as wrong:
        raise SealBroken(wrong.code, wrong.claim) from None


def read_node_receipt(jws: str, keys: Keys) -> NodeReceipt:
    """What a member signed. Raises SealBroken."""
    try:
        return _node_receipt(verify_jws(jws, keys))
    except WrongClaim as wrong:
        raise SealBroken(wrong.code, wrong.claim) from None


def _hub_receipt(claims: Mapping[str, Any]) -> HubReceipt:
    closed(claims, _HUB_NAMES)
    state = claims["state"]
    if state not in get_args(HubState):
        raise WrongClaim("claims", "state")
    waiting = _items(claims, "waiting", MOST_WAITING)
    return HubReceipt(
        to=text(claims, "to", NODE),
        at=time(claims),
        epoch=count(claims, "epoch"),
        n=count(claims, "n", least=0),
        head=digest(claims, "head"),
        position=count(claims, "position", least=0),
        refused=tuple(_refused(one) for one in _items(claims, "refused", MOST_REFUSED)),
        waiting=tuple(count({"waiting": n}, "waiting") for n in waiting),
        stamped=_stamped(claims["stamped"]),
        state=state,
        down=count(claims, "down", least=0),
    )


def _node_receipt(claims: Mapping[str, Any]) -> NodeReceipt:
    closed(claims, _NODE_NAMES)
    gap = claims["gap"]
    if not isinstance(gap, bool):
        raise WrongClaim("claims", "gap")
    return NodeReceipt(
        sender=text(claims, "from", NODE),
        at=time(claims),
        epoch=count(claims, "epoch"),
        n=count(claims, "n", least=0),
        gap=gap,
    )


def _items(claims: Mapping[str, Any], name: str, most: int) -> list[Any]:
    found = claims[name]
    if not isinstance(found, list) or len(found) > most:
        raise WrongClaim("claims", name)
    return found


def _refused(one: object) -> Refused:
    if not isinstance(one, dict) or one.keys() != {"n", "id", "code"}:
        raise WrongClaim("claims", "refused")
    return Refused(count(one, "n"), text(one, "id", ID), text(one, "code", CODE))


def _stamped(one: object) -> Stamped | None:
    if one is None:
        return None
    if not isinstance(one, dict) or one.keys() != {"batch", "last", "at"}:
        raise WrongClaim("claims", "stamped")
    return Stamped(count(one, "batch"), count(one, "last"), time(one))
