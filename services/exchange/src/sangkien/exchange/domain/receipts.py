"""What a receipt of the hub means for this node's chain."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sangkien.exchange.domain.outgoing import VERDICT_UNKNOWN, Outgoing, OutState

FULL_REFUSALS = 100
FULL_WAITING = 1000
"""As many as a receipt names at most (ADR 0008)."""
STAMPS_OVERDUE = timedelta(minutes=10)
"""Stamps come once a minute: later than this, something is wrong with them, though the hub still takes messages."""


class Standing(Enum):
    """How a receipt stands to our chain."""

    AGREES = "agrees"
    WENT_BACK = "went_back"
    """The hub has less than it had: it was restored. It is offered the rest again."""
    AHEAD = "ahead"
    """The hub has more than we sealed, or something else under the same number: we were restored."""


def standing(*, receipt_n: int, receipt_head: str, sealed: int, our_hash: str | None, confirmed: int) -> Standing:
    """Compare a receipt with our chain.

    `sealed` is our last number, `our_hash` the hash of our seal at `receipt_n` (64 zeros at 0, None when we have none),
    `confirmed` the number up to which hub and we agreed before.
    """
    if receipt_n > sealed or our_hash != receipt_head:
        return Standing.AHEAD
    return Standing.WENT_BACK if receipt_n < confirmed else Standing.AGREES


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a receipt says of single messages. `refused` maps numbers to codes, `waiting` are numbers not delivered."""

    n: int
    position: int
    refused: dict[int, str]
    waiting: frozenset[int]

    @property
    def delivered_up_to(self) -> int:
        """Up to this number, what is not waiting was delivered: a full list says nothing of those above it."""
        return max(self.waiting) if len(self.waiting) >= FULL_WAITING else self.n

    def delivered_spans(self, most: int = 20) -> list[tuple[int, int]]:
        """Where delivered messages can be: numbers above the first and up to the second of each pair.

        What waits lies between them, as long as that makes few spans; otherwise the last one holds some that wait.
        """
        spans: list[tuple[int, int]] = []
        above = 0
        for n in sorted(self.waiting):
            if len(spans) == most:
                break
            if n > above + 1:
                spans.append((above, n - 1))
            above = n
        if above < self.delivered_up_to:
            spans.append((above, self.delivered_up_to))
        return spans

    def of(self, message: Outgoing, at: datetime) -> Outgoing:
        """The message after the receipt; the same object when nothing changed. Its number is not above `n`."""
        if message.state in (OutState.DELIVERED, OutState.REFUSED):
            return message
        if not message.kept and message.state is not OutState.RECEIPTED:
            # A hub that was set back got the seal alone, and refused it: its body was dropped once it was delivered.
            return message.delivered(at)
        if message.n in self.refused:
            return message.refused(self.refused[message.n], at)
        unknown = len(self.refused) >= FULL_REFUSALS and message.n < min(self.refused)
        reason = VERDICT_UNKNOWN if unknown else ""
        if message.state is not OutState.RECEIPTED:
            message = message.receipted(at, position=self.position if message.n == self.n else 0, reason=reason)
        elif message.reason and not unknown:
            message = message.receipted(message.receipted_at or at, position=message.position)
        if message.n in self.waiting or message.n > self.delivered_up_to or message.reason == VERDICT_UNKNOWN:
            return message
        return message.delivered(at)


def sending_word(
    *, reconciling: bool, state: str, at: datetime, position: int, stamped_last: int, stamped_at: datetime | None
) -> str:
    """What stands in the way of sending, in a word for operators: `open` when nothing does."""
    if reconciling:
        return "reconciling"
    if state != "open":
        return state
    if stamped_at is not None and position > stamped_last and at - stamped_at > STAMPS_OVERDUE:
        return "stamps_overdue"
    return "open"
