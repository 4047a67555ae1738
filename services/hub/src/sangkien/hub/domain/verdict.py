"""What becomes of a message that arrived: the decision alone (ADR 0008, "the hub takes only what follows")."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from sangkien.hub.domain.node import HUB, RECEIVING, Node, State

ECHO = "node.echo.v1"
GOODBYE = "node.leaving.v1"
FORWARDED = "forwarded"

Place = Literal["follows", "repeat", "gap", "fork", "other_epoch"]
MaySend = Callable[[str, str, str], bool]
"""Type, profile of the sender, profile of the receiver; `hub` is the hub's own."""


class Fate(Enum):
    """What is done with a message."""

    FORWARD = "forward"
    """Entered, and sent on to its receiver."""
    REFUSE = "refuse"
    """Entered, in its place, and not sent on."""
    KNOWN = "known"
    """Taken before: nothing but the receipt again."""
    OFFER_AGAIN = "offer_again"
    """Something before it is missing: the receipt says from where on to offer again."""
    RECONCILE = "reconcile"
    """The sender's chain split: the receipt's head tells it."""
    LEAVE_OUT = "leave_out"
    """Of another life of the sender: nothing to be done."""


_ELSEWHERE: dict[Place, Fate] = {
    "repeat": Fate.KNOWN,
    "gap": Fate.OFFER_AGAIN,
    "fork": Fate.RECONCILE,
    "other_epoch": Fate.LEAVE_OUT,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a message whose seal was verified. `fault` says why its body cannot be read, "" if it can.

    It is `malformed`, or `gone` where only the seal came.
    """

    place: Place
    type: str
    receiver: str
    size: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision. `code` is why it was refused, "" otherwise; `sender` is the sender afterwards."""

    fate: Fate
    sender: Node
    code: str = ""

    @property
    def words(self) -> str:
        """As the log's entry says it."""
        return f"refused:{self.code}" if self.code else FORWARDED


def judge(facts: Facts, sender: Node, receiver: Node | None, may_send: MaySend, limit: int) -> Verdict:
    """Decide. `receiver` is None for the hub itself and for one not registered; `limit` is bytes of a body."""
    if facts.place != "follows":
        return Verdict(_ELSEWHERE[facts.place], sender)
    code = _refusal(facts, sender, receiver, may_send, limit)
    if code:
        return Verdict(Fate.REFUSE, sender, code)
    if facts.type == ECHO:
        sender = sender.proved()
    elif facts.type == GOODBYE:
        sender = sender.said_goodbye()
    return Verdict(Fate.FORWARD, sender)


def _refusal(facts: Facts, sender: Node, receiver: Node | None, may_send: MaySend, limit: int) -> str:
    if sender.state is State.LEAVING:
        return "sender_leaving"
    if facts.size > limit:
        return "body_too_large"
    if receiver is None and facts.receiver != HUB:
        return "receiver_unknown"
    if receiver is not None and receiver.node == sender.node:
        return "receiver_is_sender"
    if not may_send(facts.type, sender.profile, HUB if receiver is None else receiver.profile):
        return "not_allowed"
    if receiver is not None and receiver.state not in RECEIVING:
        return "receiver_left"
    return f"body_{facts.fault}" if facts.fault else ""
