"""Join: the one-time secret and a node's public keys, for its certificate, its credentials and the registry."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sangkien.custody import key_id
from sangkien.hub.application.desk import Desk
from sangkien.hub.application.ports import Links, Readers, Signer
from sangkien.hub.application.take_messages import renumbered
from sangkien.hub.domain.errors import JoinClockSkewed, JoinKeysMalformed, JoinSecretWrong
from sangkien.hub.domain.node import Credentials, Node

MOST_SKEW = timedelta(seconds=60)
LONGEST_SOFTWARE = 60


@dataclass(frozen=True, slots=True)
class Joining:
    """What a node that joins says: its public keys, its clock, the version of its software."""

    node: str
    secret: str
    csr_pem: str
    user_key: str
    seal_key: str
    software: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Joined:
    """What it is answered."""

    node: Node
    credentials: Credentials
    registry: Sequence[Node]


class JoinNode:
    """Lets nodes in, one at a time."""

    def __init__(self, desk: Desk, links: Links, signer: Signer, readers: Readers) -> None:
        self._desk = desk
        self._links = links
        self._signer = signer
        self._readers = readers
        self._one = asyncio.Lock()

    async def __call__(self, joining: Joining) -> Joined:
        """The same secret with the same keys answers the same again until it expires. Killed in between, so does it.

        Raises JoinSecretWrong, JoinInvitationExpired, JoinOtherKeys, JoinClockSkewed, JoinKeysMalformed, Away.
        """
        async with self._one:
            node, now = self._desk.nodes.get(joining.node), self._desk.world.now()
            if node is None:
                raise JoinSecretWrong(field="secret")
            secret = hashlib.sha256(joining.secret.encode()).hexdigest()
            keys = self._fingerprint(joining)
            invitation = node.check_secret(secret, keys, now)
            check_clock(joining.now, now)
            if not invitation.keys:
                node = await self._let_in(node, joining, keys)
            if node.credentials is None:
                raise JoinSecretWrong(field="secret")
            return Joined(node, node.credentials, self._registry())

    def _registry(self) -> Sequence[Node]:
        return sorted(self._desk.nodes.values(), key=lambda node: node.node)

    def _fingerprint(self, joining: Joining) -> str:
        """Of the keys alone, since a request is signed anew each time: the same secret answers nobody else's."""
        keys = (self._signer.requested_key(joining.csr_pem), joining.user_key, joining.seal_key)
        return hashlib.sha256("\n".join(keys).encode()).hexdigest()

    async def _let_in(self, node: Node, joining: Joining, keys: str) -> Node:
        check_seal_key(joining.seal_key)
        self._signer.check_user_key(joining.user_key)
        now = self._desk.world.now()
        certificate_pem, until = self._signer.sign(joining.csr_pem, node.node, now)
        async with self._readers.held_off(node.node):
            user_jwt = await self._links.add(node.node, user_public=joining.user_key)
            if node.keys and node.invitation:
                await self._links.reset_up(node.node)
                await self._links.reset_down(node.node, node.invitation.epoch)
            credentials = Credentials(certificate_pem, user_jwt, until)
            async with self._desk.turn() as turn:
                known = turn.node(node.node) or node
                software = joining.software[:LONGEST_SOFTWARE]
                node = known.joined(keys, joining.seal_key, credentials, software)
                held = await self._desk.shelf.all_held(node.node)
                renumbered(turn, self._desk, held, replace(turn.peer(node.node).began(node.epoch)))
                turn.put(node)
                await turn.commit()
        await self._readers.start(node.node)
        return self._desk.nodes[node.node]


def check_clock(theirs: datetime, ours: datetime) -> None:
    """Raise JoinClockSkewed when the clocks are more than a minute apart."""
    if abs(theirs - ours) > MOST_SKEW:
        raise JoinClockSkewed(
            field="now",
            node_clock=theirs.isoformat(timespec="seconds"),
            hub_clock=ours.isoformat(timespec="seconds"),
            limit=int(MOST_SKEW.total_seconds()),
        )


def check_seal_key(seal_key: str) -> None:
    """Raise JoinKeysMalformed for what is no Ed25519 key."""
    try:
        key_id(seal_key)
    except ValueError:
        raise JoinKeysMalformed(field="seal_key", why="key_malformed") from None
