"""The hub's end of every link: accounts, streams, one connection a node."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from sangkien.federation.accounts import checked_public, credentials, leaf_user_jwt, node_account_jwt
from sangkien.federation.connection import Connection, end, link_errors
from sangkien.federation.errors import FederationError, RequestRefused, UnknownNode
from sangkien.federation.hub_folder import HubFolder, NodeKeys
from sangkien.federation.hub_link import HubLink
from sangkien.federation.names import Names, checked_node
from sangkien.federation.resolver import CONNECTS, DISCONNECTS, Peer, Resolver, peer_of
from sangkien.runtime import utc_now

SAFETY_SECONDS: Final = 30.0
"""How often every link is looked at although no event named it."""
_AT_ONCE: Final = 8
"""Sources taken up anew at a time, when all leaves come back together."""

_log = structlog.get_logger("sangkien.federation")


class HubBroker:
    """The hub's server as the hub service sees it: one connection per account, and one to the system account.

    `url` is that of the server's client listener on loopback. One process at a time.
    """

    def __init__(self, url: str, folder: HubFolder | Path) -> None:
        self._url = url
        self._folder = folder if isinstance(folder, HubFolder) else HubFolder(folder)
        self._links: dict[str, HubLink] = {}
        self._accounts: dict[str, str] = {}
        self._up: dict[str, int] = {}
        self._events = 0
        self._changed: dict[str, int] = {}
        self._look = asyncio.Event()
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._system = Connection(
            url, "hub-system", login=lambda: credentials(*self._folder.system_login()), on_reconnect=self._look.set
        )
        self._resolver = Resolver(self._system, self._folder.operator.public)

    async def connect(self) -> None:
        """Connect to the system account, however long that takes, and watch links from then on."""
        await self._system.connect()
        await self._listen()
        self._spawn(self._watch())

    async def close(self) -> None:
        """Close every connection. What is not acknowledged comes again to the next one that opens."""
        await end(*self._tasks)
        await asyncio.gather(*(link.close() for link in self._links.values()))
        await self._system.close()
        self._links, self._accounts, self._up = {}, {}, {}

    async def add(self, node: str, *, user_public: str) -> str:
        """Make the node's account, streams and connection; returns the JWT of its leaf's user.

        Idempotent for the same key. For a node that was revoked, or comes with another key, it is a new life: former
        user keys are revoked. A suspended node stays so. Raises RequestRefused for something that is no user key or was
        revoked, ClaimsRefused, LinkDown.
        """
        checked_public(user_public, "user")
        async with self._lock(node):
            keys = self._folder.with_user(node, user_public)
            self._folder.keep_keys(node, keys)
            await self._open(node, keys)
            return leaf_user_jwt(keys.account, user_public, Names(node), utc_now())

    async def open(self, node: str) -> None:
        """Take up a node known from before: put right claims and streams, connect.

        Raises UnknownNode (a revoked one too), ClaimsRefused, LinkDown.
        """
        async with self._lock(node):
            keys = self._folder.keys_of(node)
            if keys.state == "revoked":
                raise UnknownNode("node_unknown", f"{node} was revoked")
            await self._open(node, keys)

    async def suspend(self, node: str) -> None:
        """Cut the leaf and keep it out; everything of it is kept. Raises UnknownNode, ClaimsRefused, LinkDown."""
        await self._change(node, "suspended")

    async def reinstate(self, node: str) -> None:
        """Undo `suspend`: the leaf comes back by itself within a minute and goes on where it stopped."""
        await self._change(node, "active")

    async def revoke(self, node: str) -> None:
        """End the node's user keys for good, cut its leaf, drop what waits for it and close its connection.

        Raises UnknownNode, ClaimsRefused, LinkDown: ask again then, it goes on where it stopped.
        """
        async with self._lock(node):
            keys = self._folder.keys_of(node)
            gone = replace(keys, users=(), revoked=(*keys.revoked, *keys.users), state="revoked")
            await self._push(node, self._folder.keep_keys(node, gone))
            link = self._links.get(node) or self._new_link(node)
            await link.connect()
            await link.drop_streams()
            await link.close()
            self._links.pop(node, None)
            self._up.pop(node, None)

    async def rotate(self, node: str, new_user_public: str) -> str:
        """Mint a JWT for a new key of the leaf's user. The old keys end once the leaf was seen with the new one.

        Raises UnknownNode, RequestRefused.
        """
        checked_public(new_user_public, "user")
        async with self._lock(node):
            keys = self._folder.keys_of(node)
            if keys.state == "revoked":
                raise UnknownNode("node_unknown", f"{node} was revoked")
            if new_user_public in keys.revoked:
                raise RequestRefused("key_revoked", "this key was revoked: make another")
            users = (*(user for user in keys.users if user != new_user_public), new_user_public)
            keys = self._folder.keep_keys(node, replace(keys, users=users))
            return leaf_user_jwt(keys.account, new_user_public, Names(node), utc_now())

    async def retire(self, node: str) -> None:
        """Revoke every user key of the node but the newest. Raises UnknownNode, ClaimsRefused, LinkDown."""
        async with self._lock(node):
            keys = self._folder.keys_of(node)
            if len(keys.users) > 1:
                newest = keys.users[-1]
                keys = replace(keys, users=(newest,), revoked=(*keys.revoked, *keys.users[:-1]))
                await self._push(node, self._folder.keep_keys(node, keys))

    def connected(self) -> frozenset[str]:
        """Nodes whose leaf is connected, as last heard from the server."""
        return frozenset(self._up) & self.nodes()

    @property
    def reachable(self) -> bool:
        """Whether the hub's server answers on every connection."""
        return self._system.connected and all(link.reachable for link in self._links.values())

    def nodes(self) -> frozenset[str]:
        """Nodes that are open."""
        return frozenset(self._links)

    async def reset_down(self, node: str, epoch: int) -> None:
        """Begin DOWN_<node> anew for another life (epoch) of the node. Raises UnknownNode, LinkDown."""
        await self.link(node).reset_down()
        _log.info("down_reset", node=node, epoch=epoch)

    async def reset_up(self, node: str) -> None:
        """Begin FED_<node> anew: what was not fetched is dropped, and the leaf's stream is read from its start."""
        await self.link(node).reset_up()

    def link(self, node: str) -> HubLink:
        """Raises UnknownNode for a node that is not open."""
        try:
            return self._links[node]
        except KeyError:
            raise UnknownNode("node_unknown", f"{node} is not open") from None

    async def _open(self, node: str, keys: NodeKeys) -> None:
        await self._push(node, keys)
        link = self._links.get(node)
        if link is None:
            link = self._new_link(node)
            try:
                await link.connect()
            except FederationError:
                await link.close()
                raise
            self._links[node] = link
            if node in self._up:  # its leaf was seen before there was a link to revive
                link.source.revive()
            self._look.set()

    def _new_link(self, node: str) -> HubLink:
        return HubLink(self._url, self._folder, node, up=lambda: node in self._up, gate=self._gate)

    async def _change(self, node: str, state: str) -> None:
        async with self._lock(node):
            keys = self._folder.keys_of(node)
            if keys.state == "revoked":
                raise UnknownNode("node_unknown", f"{node} was revoked")
            await self._push(node, self._folder.keep_keys(node, replace(keys, state=state)))

    async def _push(self, node: str, keys: NodeKeys) -> None:
        """Connections that the new claims allow as the old ones did are not disturbed by this."""
        account = keys.account
        active = keys.state == "active"
        revoked = keys.revoked if active else (*keys.revoked, *keys.users)
        jwt = node_account_jwt(
            self._folder.operator, account.public, Names(node), utc_now(), leaves=int(active), revoked=revoked
        )
        self._accounts[account.public] = node
        await self._resolver.push(jwt, account.public)

    async def _listen(self) -> None:
        with link_errors():
            await self._system.client.subscribe(CONNECTS, cb=self._came)
            await self._system.client.subscribe(DISCONNECTS, cb=self._went)
        self._look.set()

    async def _came(self, message: Msg) -> None:
        peer = peer_of(message.data)
        node = self._accounts.get(peer.account)
        if node is None:
            return
        users = self._folder.keys_of(node).users
        if peer.user not in users:
            return  # the hub's own connection to that account
        self._note(node)
        self._arrived(node, peer)
        if len(users) > 1 and peer.user == users[-1]:
            self._spawn(self._retire(node))

    async def _went(self, message: Msg) -> None:
        peer = peer_of(message.data)
        node = self._accounts.get(peer.account, "")
        self._note(node)
        if self._up.get(node) == peer.connection:
            del self._up[node]

    def _note(self, node: str) -> None:
        self._events += 1
        self._changed[node] = self._events

    def _arrived(self, node: str, peer: Peer) -> None:
        self._up[node] = peer.connection
        if node in self._links:
            self._links[node].source.revive()

    async def _retire(self, node: str) -> None:
        with suppress(FederationError):
            await self.retire(node)

    async def _watch(self) -> None:
        """Events name what changes; this finds what no event named: after a reconnect, and now and then."""
        while True:
            full = False
            try:
                async with asyncio.timeout(SAFETY_SECONDS):
                    await self._look.wait()
            except TimeoutError:
                full = True
            self._look.clear()
            try:
                if self._system.lost:
                    await self._system.connect()
                    await self._listen()
                await self._look_at_leaves()
                if full:
                    await self._look_at_links()
            except (FederationError, NatsError, TimeoutError, OSError) as error:
                _log.warning("links_not_seen", error_type=type(error).__name__)
                await asyncio.sleep(1.0)
                self._look.set()

    async def _look_at_leaves(self) -> None:
        """An event that came while the server answered is newer than its answer."""
        asked = self._events
        leaves = await self._resolver.leaves()
        seen = {node: leaf for leaf in leaves if (node := self._accounts.get(leaf.account)) is not None}
        for node in {*self._up, *seen}:
            if self._changed.get(node, 0) > asked:
                continue
            if node not in seen:
                del self._up[node]
            elif self._up.get(node) != seen[node].connection:
                self._arrived(node, seen[node])

    async def _look_at_links(self) -> None:
        for node, link in list(self._links.items()):
            try:
                if link.lost:
                    await link.connect()
                await link.source.check()
            except (FederationError, NatsError, TimeoutError, OSError) as error:
                _log.warning("link_not_seen", node=node, error_type=type(error).__name__)

    def _lock(self, node: str) -> asyncio.Lock:
        return self._locks.setdefault(checked_node(node), asyncio.Lock())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
