"""How far the hub is with one node: its chain, what it was sent and what it receipted."""

from dataclasses import dataclass, replace
from datetime import datetime

MOST_REFUSED = 100
"""Refusals a receipt names: the newest ones."""
BEGINNING = "0" * 64


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that has its place in the chain and was not forwarded."""

    n: int
    id: str
    code: str


@dataclass(frozen=True, slots=True)
class Peer:
    """Counters of one life of a node. `stored` is the version of the document, 0 when it was never stored.

    `n` and `hash` are the head of its chain, `position` that head's place in the log. `sent` is the highest number
    given to what goes down to it, `receipted` the highest it confirmed.
    `unsure_from`: the hub began to run with this `sent` and has not heard since whether the node knows of more, which
    it does when the hub was restored from a backup. None once it has heard.
    """

    node: str
    epoch: int
    n: int = 0
    hash: str = BEGINNING
    position: int = 0
    sent: int = 0
    receipted: int = 0
    receipted_at: datetime | None = None
    refused: tuple[Refused, ...] = ()
    sealed_at: datetime | None = None
    skew_s: float = 0.0
    unsure_from: int | None = None
    stored: int = 0

    def followed(self, n: int, seal_hash: str, position: int) -> "Peer":
        """The chain one link longer."""
        return replace(self, n=n, hash=seal_hash, position=position)

    def refusing(self, refused: Refused) -> "Peer":
        """One more refusal to tell of."""
        return replace(self, refused=(*self.refused, refused)[-MOST_REFUSED:])

    def sending(self) -> "Peer":
        """One number more given out: `sent` of the answer."""
        return replace(self, sent=self.sent + 1)

    def clocked(self, sealed_at: datetime, now: datetime) -> "Peer":
        """What its newest seal says of its clock, transport included."""
        return replace(self, sealed_at=sealed_at, skew_s=round((sealed_at - now).total_seconds(), 3))

    def began(self, epoch: int) -> "Peer":
        """The next life: a chain and numbers from the beginning."""
        return Peer(self.node, epoch, stored=self.stored)
