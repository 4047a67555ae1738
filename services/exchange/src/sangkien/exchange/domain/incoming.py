"""One message for this node, once it is in its store."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class InState(StrEnum):
    """`received` is durable here and waits to be applied; `failed` stays until somebody replays it."""

    RECEIVED = "received"
    APPLIED = "applied"
    FAILED = "failed"


def incoming_id(sender: str, key: str) -> str:
    """One document a sender and business key: what makes a second message of the same meaning do nothing."""
    return f"{sender}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def unreadable_id(epoch: int, n: int, life: str) -> str:
    """The document of a message whose seal says nothing that can be believed."""
    return f"?:{epoch}:{n}:{life}"


@dataclass(frozen=True, slots=True)
class Received:
    """`epoch` and `n` are this node's and the hub's number of what came down; the sender's stand in the seal."""

    id: str
    message_id: str
    sender: str
    type: str
    key: str
    epoch: int
    n: int
    position: int
    seal: str
    size: int
    sealed_at: datetime | None
    received_at: datetime
    state: InState = InState.RECEIVED
    settled_at: datetime | None = None
    reason: str = ""
    kept: bool = True
    version: int = 0

    def applied(self, at: datetime) -> "Received":
        return replace(self, state=InState.APPLIED, settled_at=at, reason="")

    def failed(self, reason: str, at: datetime) -> "Received":
        return replace(self, state=InState.FAILED, settled_at=at, reason=reason)

    def replayed(self) -> "Received":
        """To be applied once more, in its old place before all that waits."""
        return replace(self, state=InState.RECEIVED, settled_at=None, reason="")
