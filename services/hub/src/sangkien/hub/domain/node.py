"""A node as the hub registered it: who it is, which life it is in, whose keys it has (ADR 0008; states as X-Road's)."""

import hmac
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from sangkien.hub.domain.errors import (
    JoinInvitationExpired,
    JoinOtherKeys,
    JoinSecretWrong,
    NodeIdMalformed,
    NodeIdReserved,
    NodeNameMalformed,
    NodeNotRegistered,
    NodeRegistered,
    NodeStateRefused,
    ReasonMissing,
)

HUB = "hub"
LONGEST_ID = 63
LONGEST_NAME = 300
LONGEST_REASON = 500
RETIRED_KEY_GRACE = timedelta(seconds=60)
"""How far a node's clock may be from the hub's: by so much a seal of a retired key may seem later than it was."""

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class State(StrEnum):
    """Where a node stands."""

    INVITED = "invited"
    JOINING = "joining"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    LEAVING = "leaving"
    LEFT = "left"


LINKED = frozenset({State.JOINING, State.ACTIVE, State.LEAVING})
"""States in which what a node sends is taken."""
RECEIVING = frozenset({State.INVITED, State.JOINING, State.ACTIVE, State.SUSPENDED})
"""States in which messages for a node are taken, to be delivered as soon as it can be reached."""
HEARING = frozenset({State.JOINING, State.ACTIVE, State.SUSPENDED})
"""States in which a node is told of changes in the registry."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public seal key, base64url; `until` is when a newer one took its place, None for the one in use."""

    public: str
    epoch: int
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a bundle promises. `keys` is the fingerprint of the keys it was used with, "" until then."""

    secret_sha256: str
    expires_at: datetime
    epoch: int
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the hub issued to a node for its newest keys; none of it is secret."""

    certificate_pem: str
    user_jwt: str
    certificate_until: datetime


@dataclass(frozen=True, slots=True)
class Node:
    """One node. Moves answer the node as it is afterwards.

    `revision` grows with every change that other nodes are told of; `announced` is the last one they were told.
    `stored` is the version of the document, 0 when it was never stored.
    """

    node: str
    name: str
    profile: str
    parent: str
    registered_at: datetime
    state: State = State.INVITED
    epoch: int = 1
    keys: tuple[Key, ...] = ()
    invitation: Invitation | None = None
    credentials: Credentials | None = None
    before_suspension: State | None = None
    reason: str = ""
    software: str = ""
    revision: int = 1
    announced: int = 1
    stored: int = 0

    @classmethod
    def invited(cls, node: str, name: str, profile: str, parent: str, invitation: Invitation, at: datetime) -> Self:
        """A node that was never here. Raises NodeNameMalformed and what `check_id` refuses."""
        check_id(node)
        check_name(name)
        return cls(node, name, profile, parent, at, invitation=invitation)

    def invited_anew(self, name: str, profile: str, parent: str, invitation: Invitation) -> "Node":
        """Another bundle for a node that never joined: the former one is good no more. Raises NodeRegistered."""
        check_name(name)
        if self.state is not State.INVITED:
            raise NodeRegistered(field="node", state=self.state.value)
        return replace(self, name=name, profile=profile, parent=parent, invitation=invitation)

    def invited_again(self, invitation: Invitation) -> "Node":
        """A bundle that begins the next life once it is used; until then the present one goes on, unless it ended.

        Raises NodeNotRegistered for one that never joined.
        """
        if self.state is State.INVITED and not self.keys:
            raise NodeNotRegistered(field="again")
        state = State.INVITED if self.state is State.LEFT else self.state
        return replace(self, state=state, invitation=invitation)

    def check_secret(self, secret_sha256: str, keys: str, now: datetime) -> Invitation:
        """The invitation that the secret belongs to. Raises JoinSecretWrong, JoinInvitationExpired, JoinOtherKeys."""
        invitation = self.invitation
        if invitation is None or not hmac.compare_digest(invitation.secret_sha256, secret_sha256):
            raise JoinSecretWrong(field="secret")
        if now >= invitation.expires_at:
            raise JoinInvitationExpired(field="secret", expired_at=_second(invitation.expires_at))
        if invitation.keys and invitation.keys != keys:
            raise JoinOtherKeys(field="seal_key")
        return invitation

    def joined(self, keys: str, seal_key: str, credentials: Credentials, software: str) -> "Node":
        """The life its invitation promised begins; the keys of former ones end with them."""
        invitation = self.invitation
        if invitation is None:
            raise JoinSecretWrong(field="secret")
        return replace(
            self,
            state=State.JOINING,
            epoch=invitation.epoch,
            invitation=replace(invitation, keys=keys),
            keys=(Key(seal_key, invitation.epoch), *self.keys),
            credentials=credentials,
            before_suspension=None,
            reason="",
            software=software,
            revision=self.revision + 1,
        )

    def rotated(self, seal_key: str, credentials: Credentials, now: datetime) -> "Node":
        """A newer key beside the old one, which stays good for what was sealed until now. Raises NodeStateRefused."""
        if self.state not in (State.JOINING, State.ACTIVE):
            raise NodeStateRefused(field="node", state=self.state.value)
        kept = tuple([replace(key, until=now) if key.until is None else key for key in self.keys])
        return replace(
            self, keys=(Key(seal_key, self.epoch), *kept), credentials=credentials, revision=self.revision + 1
        )

    def proved(self) -> "Node":
        """Its first echo arrived: it is active. Any other state stays."""
        if self.state is not State.JOINING:
            return self
        return replace(self, state=State.ACTIVE, revision=self.revision + 1)

    def said_goodbye(self) -> "Node":
        """Nothing of this life follows."""
        return replace(self, state=State.LEAVING, revision=self.revision + 1)

    def suspended(self, reason: str) -> "Node":
        """Raises ReasonMissing, NodeStateRefused."""
        check_reason(reason)
        if self.state not in (State.JOINING, State.ACTIVE):
            raise NodeStateRefused(field="node", state=self.state.value)
        return replace(
            self,
            state=State.SUSPENDED,
            before_suspension=self.state,
            reason=reason,
            revision=self.revision + 1,
        )

    def reinstated(self) -> "Node":
        """Raises NodeStateRefused."""
        if self.state is not State.SUSPENDED:
            raise NodeStateRefused(field="node", state=self.state.value)
        before = self.before_suspension or State.ACTIVE
        return replace(self, state=before, before_suspension=None, reason="", revision=self.revision + 1)

    def gone(self, reason: str = "") -> "Node":
        """It left, or was made to. Raises NodeStateRefused when it had left before."""
        if self.state is State.LEFT:
            raise NodeStateRefused(field="node", state=self.state.value)
        return replace(
            self,
            state=State.LEFT,
            invitation=None,
            before_suspension=None,
            reason=reason,
            revision=self.revision + 1,
        )

    @property
    def in_force(self) -> tuple[str, ...]:
        """Keys that seals of the present life may bear, newest first; a retired one only for older seals."""
        return tuple([key.public for key in self.keys if key.epoch == self.epoch])

    @property
    def every_key(self) -> tuple[str, ...]:
        """Keys of all its lives, newest first: what an audit of the whole log needs."""
        return tuple([key.public for key in self.keys])

    def sealed_in_time(self, public: str, at: datetime) -> bool:
        """Whether a seal of this key may say that it was made at that time."""
        return any(
            key.public == public and (key.until is None or at <= key.until + RETIRED_KEY_GRACE) for key in self.keys
        )


def check_id(node: str) -> str:
    """The id itself. Raises NodeIdMalformed, NodeIdReserved."""
    if _ID.fullmatch(node) is None:
        raise NodeIdMalformed(field="node", limit=LONGEST_ID)
    if node == HUB:
        raise NodeIdReserved(field="node")
    return node


def check_name(name: str) -> None:
    """Raise NodeNameMalformed for one that is empty or too long."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise NodeNameMalformed(field="name", limit=LONGEST_NAME)


def check_reason(reason: str) -> None:
    """Raise ReasonMissing for one that is empty or too long."""
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise ReasonMissing(field="reason", limit=LONGEST_REASON)


def _second(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
