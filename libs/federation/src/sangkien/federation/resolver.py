"""The hub's server through its system account: whose claims hold, which leaves are connected."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sangkien.federation.accounts import checked_account
from sangkien.federation.connection import API_SECONDS, Connection, link_errors
from sangkien.federation.errors import ClaimsRefused

CONNECTS: Final = "$SYS.ACCOUNT.*.CONNECT"
DISCONNECTS: Final = "$SYS.ACCOUNT.*.DISCONNECT"


@dataclass(frozen=True, slots=True)
class Peer:
    """A connection of someone to the server; `user` is the public key it logged in with, where the server says so."""

    account: str
    connection: int
    user: str = ""


class Resolver:
    """Pushes the claims of accounts and looks at connections. Every method raises LinkDown when nobody answers."""

    def __init__(self, connection: Connection, operator_public: str) -> None:
        self._connection, self._operator = connection, operator_public

    async def push(self, jwt: str, account: str) -> None:
        """Make these the account's claims, now and after a restart of the server.

        Raises ClaimsRefused: for claims that are not the operator's word on this account, before anything is sent; when
        the server refuses them (claims_refused); when reading back shows that it kept or honours others
        (claims_not_kept, claims_not_live), since it answers "jwt updated" to claims as well that it does not honour.
        """
        checked_account(jwt, self._operator, account)
        answer = json.loads(await self._ask("$SYS.REQ.CLAIMS.UPDATE", jwt.encode()))
        if "error" in answer:
            raise ClaimsRefused("claims_refused", str(answer["error"])[:300])
        if await self.claims(account) != jwt:
            raise ClaimsRefused("claims_not_kept", "the server kept other claims than it was given")
        if await self.live_claims(account) not in {"", jwt}:
            raise ClaimsRefused("claims_not_live", "the server goes by other claims than it was given")

    async def claims(self, account: str) -> str:
        """The JWT the server keeps for the account and would go by after a restart; empty when it has none."""
        return (await self._ask(f"$SYS.REQ.ACCOUNT.{account}.CLAIMS.LOOKUP", b"")).decode().strip()

    async def live_claims(self, account: str) -> str:
        """The JWT the server goes by now; empty when nobody of the account ever came, so that it has not read any."""
        answer = json.loads(await self._ask(f"$SYS.REQ.ACCOUNT.{account}.INFO", b""))
        return str((answer.get("data") or {}).get("jwt", ""))

    async def leaves(self) -> list[Peer]:
        """Every leaf connected now, in one answer."""
        answer = json.loads(await self._ask("$SYS.REQ.SERVER.PING.LEAFZ", b"{}"))
        return [Peer(leaf["account"], leaf["id"]) for leaf in answer["data"].get("leafs") or ()]

    async def _ask(self, subject: str, body: bytes) -> bytes:
        await self._connection.begun()
        _ = self._connection.js  # raises at once when the server is away
        with link_errors():
            return bytes((await self._connection.client.request(subject, body, timeout=API_SECONDS)).data)


def peer_of(event: bytes) -> Peer:
    """Who connected or went, from the server's event."""
    client: Mapping[str, Any] = json.loads(event)["client"]
    return Peer(client["acc"], client["id"], client.get("user", ""))
