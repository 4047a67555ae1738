"""One message of this node on its way: what is sealed of it, and its fate as the hub's receipts tell it."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class OutState(StrEnum):
    """`posted` has no number yet; the other states have one. `delivered` and `refused` are the ends."""

    POSTED = "posted"
    WAITING = "waiting"
    OFFERED = "offered"
    RECEIPTED = "receipted"
    DELIVERED = "delivered"
    REFUSED = "refused"


UNSETTLED = (OutState.POSTED, OutState.WAITING, OutState.OFFERED)
"""States in which the hub is not known to have the message."""
VERDICT_UNKNOWN = "verdict_unknown"
"""Reason of a message that the hub took when its list of refusals was too full to say whether it was refused."""


def outgoing_id(receiver: str, key: str, *, life: int = 0) -> str:
    """One document a receiver and business key. `life` is this node's epoch for what is said once a life, else 0."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"{receiver}:{life}:{digest}" if life else f"{receiver}:{digest}"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`id` is the document, `message_id` a ULID that travels and orders what has no number yet.

    `seq` is the place of the last offer in the leaf's stream, `offers` how many there were, `position` the place in the
    hub's log where it is known, `kept` whether the body is still here. `version` is the store's.
    """

    id: str
    message_id: str
    receiver: str
    type: str
    key: str
    size: int
    trace: str
    posted_at: datetime
    state: OutState = OutState.POSTED
    epoch: int = 0
    n: int = 0
    seal: str = ""
    seal_sha256: str = ""
    body_sha256: str = ""
    sealed_at: datetime | None = None
    offered_at: datetime | None = None
    receipted_at: datetime | None = None
    settled_at: datetime | None = None
    offers: int = 0
    seq: int = 0
    position: int = 0
    reason: str = ""
    kept: bool = True
    version: int = 0

    def sealed(
        self, *, message_id: str, epoch: int, n: int, seal: str, seal_sha256: str, body_sha256: str, at: datetime
    ) -> "Outgoing":
        """It has its place in the chain now, and waits to be offered."""
        return replace(
            self,
            message_id=message_id,
            state=OutState.WAITING,
            epoch=epoch,
            n=n,
            seal=seal,
            seal_sha256=seal_sha256,
            body_sha256=body_sha256,
            sealed_at=at,
            receipted_at=None,
            settled_at=None,
            seq=0,
            position=0,
            reason="",
        )

    def unsealed(self) -> "Outgoing":
        """Its number means nothing any more: it gets another one."""
        return replace(
            self,
            state=OutState.POSTED,
            epoch=0,
            n=0,
            seal="",
            seal_sha256="",
            body_sha256="",
            sealed_at=None,
            receipted_at=None,
            settled_at=None,
            seq=0,
            position=0,
            reason="",
        )

    def offered(self, seq: int, at: datetime) -> "Outgoing":
        return replace(self, state=OutState.OFFERED, seq=seq, offered_at=at, offers=self.offers + 1)

    def again(self) -> "Outgoing":
        """To be offered once more, under the same number."""
        return replace(self, state=OutState.WAITING, receipted_at=None, settled_at=None, reason="")

    def receipted(self, at: datetime, *, position: int = 0, reason: str = "") -> "Outgoing":
        return replace(self, state=OutState.RECEIPTED, receipted_at=at, position=position, reason=reason)

    def delivered(self, at: datetime) -> "Outgoing":
        return replace(self, state=OutState.DELIVERED, receipted_at=self.receipted_at or at, settled_at=at)

    def refused(self, code: str, at: datetime) -> "Outgoing":
        return replace(self, state=OutState.REFUSED, receipted_at=at, settled_at=at, reason=code)
