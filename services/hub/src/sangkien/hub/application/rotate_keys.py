"""Rotate a node's keys, asked for under its own seal."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime

from sangkien.custody import SealBroken, verify_jws
from sangkien.hub.application.desk import Desk
from sangkien.hub.application.join_node import check_clock, check_seal_key
from sangkien.hub.application.ports import Links, Signer
from sangkien.hub.domain.errors import RotationProofBroken
from sangkien.hub.domain.node import Credentials, Node, State


@dataclass(frozen=True, slots=True)
class Rotating:
    """The new public keys, and the proof that the node itself asks."""

    node: str
    csr_pem: str
    user_key: str
    seal_key: str
    proof: str


class RotateKeys:
    """Puts new keys beside the old, which stay good for what was sealed before."""

    def __init__(self, desk: Desk, links: Links, signer: Signer) -> None:
        self._desk = desk
        self._links = links
        self._signer = signer
        self._one = asyncio.Lock()

    async def __call__(self, rotating: Rotating) -> Credentials:
        """The same request answers the same again. Raises RotationProofBroken, JoinClockSkewed, JoinKeysMalformed,
        NodeStateRefused, Away.
        """
        async with self._one:
            node, now = self._desk.nodes.get(rotating.node), self._desk.world.now()
            if node is None or node.state in (State.INVITED, State.LEFT):
                raise RotationProofBroken(field="proof")
            done = node.keys[0].public == rotating.seal_key
            check_clock(self._proved(rotating, node, done=done), now)
            if done and node.credentials:
                return node.credentials
            check_seal_key(rotating.seal_key)
            self._signer.check_user_key(rotating.user_key)
            certificate_pem, until = self._signer.sign(rotating.csr_pem, node.node, now)
            node.rotated(rotating.seal_key, Credentials(certificate_pem, "", until), now)
            user_jwt = await self._links.rotate(node.node, rotating.user_key)
            credentials = Credentials(certificate_pem, user_jwt, until)
            async with self._desk.turn() as turn:
                known = turn.node(node.node) or node
                turn.put(known.rotated(rotating.seal_key, credentials, now))
                await turn.commit()
            return credentials

    def _proved(self, rotating: Rotating, node: Node, *, done: bool) -> datetime:
        """When the proof was made; of a request that was carried out, the key before is good as well."""
        keys = node.in_force if done else node.in_force[:1]
        try:
            claims = verify_jws(rotating.proof, keys)
            said = (claims["node"], claims["csr"], claims["user_key"], claims["seal_key"])
            at = datetime.fromisoformat(claims["at"])
        except (SealBroken, KeyError, TypeError, ValueError):
            raise RotationProofBroken(field="proof") from None
        csr = hashlib.sha256(rotating.csr_pem.encode()).hexdigest()
        if said != (rotating.node, csr, rotating.user_key, rotating.seal_key) or at.tzinfo is None:
            raise RotationProofBroken(field="proof")
        return at
