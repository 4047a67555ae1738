"""Invite a node: register it, and write the one bundle that lets it join."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sangkien.hub.application.desk import Desk
from sangkien.hub.application.ports import Signer
from sangkien.hub.domain.errors import InvitationTooLong, NodeParentUnknown, NodeProfileUnknown, NodeUnknown
from sangkien.hub.domain.node import Invitation, Node, State, check_id
from sangkien.hub.domain.peer import Peer
from sangkien.store.deciding import decided_again

DEFAULT_HOURS = 72
MOST_HOURS = 30 * 24


@dataclass(frozen=True, slots=True)
class Inviting:
    """`hours` 0 means 72. `again` begins a new life of a node that joined before; name and place may then be empty."""

    node: str
    name: str = ""
    profile: str = ""
    parent: str = ""
    hours: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """`text` is JSON, and holds the secret: it is shown once."""

    text: str
    expires_at: datetime


class InviteNode:
    """Registers nodes."""

    def __init__(self, desk: Desk, signer: Signer, profiles: Sequence[str], join_at: str) -> None:
        self._desk = desk
        self._signer = signer
        self._profiles = profiles
        self._join_at = join_at

    async def __call__(self, inviting: Inviting) -> Bundle:
        """Raises NodeIdMalformed, NodeIdReserved, NodeProfileUnknown, NodeParentUnknown, NodeNameMalformed,
        InvitationTooLong, NodeUnknown (again), NodeRegistered, NodeNotRegistered (again).
        """
        check_id(inviting.node)
        if inviting.hours > MOST_HOURS:
            raise InvitationTooLong(field="hours", limit=MOST_HOURS)
        secret = secrets.token_urlsafe(32)
        node = await decided_again(lambda: self._register(inviting, secret))
        return self._bundle(node, secret)

    async def _register(self, inviting: Inviting, secret: str) -> Node:
        async with self._desk.turn() as turn:
            known = turn.node(inviting.node)
            if inviting.again and known is None:
                raise NodeUnknown(field="node")
            now = self._desk.world.now()
            invitation = Invitation(
                secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
                expires_at=now + timedelta(hours=inviting.hours or DEFAULT_HOURS),
                epoch=known.epoch + 1 if known and inviting.again else 1,
            )
            if inviting.again and known is not None:
                node = known.invited_again(invitation)
            else:
                node = self._invited(inviting, known, invitation, now)
            turn.put(node)
            if known is None:
                turn.put_peer(Peer(node.node, node.epoch))
            await turn.commit()
        return node

    def _invited(self, inviting: Inviting, known: Node | None, invitation: Invitation, now: datetime) -> Node:
        if known is not None and known.state is not State.INVITED:
            return known.invited_anew(inviting.name, inviting.profile, inviting.parent, invitation)
        if inviting.profile not in self._profiles:
            raise NodeProfileUnknown(field="profile", profiles=", ".join(self._profiles))
        self._check_parent(inviting)
        if known is not None:
            return known.invited_anew(inviting.name, inviting.profile, inviting.parent, invitation)
        return Node.invited(inviting.node, inviting.name, inviting.profile, inviting.parent, invitation, now)

    def _check_parent(self, inviting: Inviting) -> None:
        """Up from the parent there is neither a gap nor the node itself."""
        above = inviting.parent
        while above:
            node = self._desk.nodes.get(above)
            if node is None or node.state is State.LEFT or above == inviting.node:
                raise NodeParentUnknown(field="parent")
            above = node.parent

    def _bundle(self, node: Node, secret: str) -> Bundle:
        expires_at = node.invitation.expires_at if node.invitation else node.registered_at
        text = json.dumps(
            {
                "v": 1,
                "node": node.node,
                "name": node.name,
                "profile": node.profile,
                "parent": node.parent,
                "join": self._join_at,
                "authority_pem": self._signer.authority_pem,
                "secret": secret,
                "expires_at": expires_at.isoformat(timespec="seconds"),
            },
            ensure_ascii=False,
        )
        return Bundle(text, expires_at)
