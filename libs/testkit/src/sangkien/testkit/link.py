"""Links between real servers that tests may cut: a wire, a hub's server, and members' servers behind wires."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import nats
from nats.aio.client import Client

from sangkien.federation import Arrived, HubBroker, HubFolder, HubLink, LeafBroker, MemberFolder
from sangkien.federation.wire import Wire
from sangkien.runtime import utc_now
from sangkien.testkit.eventually import eventually
from sangkien.testkit.nats_server import NatsServer, free_port

__all__ = ["Federation", "HubServer", "LinkServer", "Member", "Wire", "federation", "hear", "say", "tell"]

_LONGEST_SECONDS = 60.0


class LinkServer(NatsServer):
    """A nats-server on a configuration that a folder wrote; it is read anew at each start."""

    def __init__(self, configuration: Path, *, name: str, port: int) -> None:
        super().__init__(configuration.parent / "server", port=port)
        self._file = configuration
        self._name = name

    @property
    def log(self) -> str:
        return (self.directory / "nats.log").read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """Raises RuntimeError when it does not run."""
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process.pid

    def reload(self) -> None:
        """SIGHUP."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def _configuration(self) -> str:
        return self._file.read_text(encoding="utf-8")


class HubServer:
    """A hub's folder and its server on ports of loopback."""

    def __init__(self, directory: Path) -> None:
        self.folder = HubFolder.create(directory, name="Test", hosts=["127.0.0.1", "localhost"])
        self.client_port, self.leaf_port = free_port(), free_port()
        self.server = LinkServer(
            self.folder.config(self.client_port, "127.0.0.1", self.leaf_port), name="hub", port=self.client_port
        )

    @property
    def url(self) -> str:
        """For `HubBroker`."""
        return f"nats://127.0.0.1:{self.client_port}"


class Member:
    """A member's folder, its server, the wire to the hub and the broker a service would use."""

    def __init__(self, directory: Path, node: str, hub: HubServer) -> None:
        self.node = node
        self.folder = MemberFolder(directory)
        self.wire = Wire(hub.leaf_port).start()
        self.port = free_port()
        self._server: LinkServer | None = None
        self._broker: LeafBroker | None = None

    @property
    def server(self) -> LinkServer:
        """Made from the folder's configuration when first asked for."""
        if self._server is None:
            self._server = LinkServer(self.folder.config(self.port), name=f"leaf-{self.node}", port=self.port)
        return self._server

    @property
    def broker(self) -> LeafBroker:
        if self._broker is None:
            self._broker = LeafBroker(self.folder.broker_url(self.port), self.node)
        return self._broker

    def install(self, hub: HubServer, user_jwt: str, csr_pem: str, *, epoch: int = 1) -> None:
        """What the hub answers to a join, without the service that does it."""
        authority = hub.folder.authority
        self.folder.install(
            certificate_pem=authority.sign_csr(csr_pem, self.node, utc_now()),
            authority_pem=authority.certificate_pem,
            user_jwt=user_jwt,
            leaf_url=f"tls://127.0.0.1:{self.wire.port}",
            hub_key=hub.folder.seal_key.public,
            node=self.node,
            epoch=epoch,
            profile="ward",
            name=f"Node {self.node}",
        )

    async def start(self) -> Self:
        """Start the server, connect the broker, make the streams."""
        self.server.start()
        await self.broker.connect()
        await self.broker.ensure()
        return self

    async def kill(self) -> None:
        """Kill -9 the server; returns once it is dead and the broker knows."""
        self.server.kill()
        await eventually(lambda: not self.broker.reachable)

    async def stop(self) -> None:
        """End the server the clean way; returns once the broker knows."""
        self.server.stop()
        await eventually(lambda: not self.broker.reachable)

    async def revive(self) -> None:
        """Start the server again; returns once the broker is back. The link may still be on its way up."""
        self.server.start()
        await eventually(lambda: self.broker.reachable)

    async def client(self) -> Client:
        """A client of the member's own server, as whoever runs the node may have one. Close it."""
        client: Client = await nats.connect(self.folder.broker_url(self.port), error_cb=_quiet)
        return client

    async def close(self) -> None:
        if self._broker is not None:
            await self._broker.close()
        if self._server is not None:
            self._server.kill()
        self.wire.close()


class Federation:
    """A hub with its broker, and the members that joined it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.hub = HubServer(directory / "hub")
        self.broker = HubBroker(self.hub.url, self.hub.folder)
        self.members: dict[str, Member] = {}

    async def join(self, node: str) -> Member:
        """A new member, running. Its link may still be on its way up: wait for `broker.connected()`."""
        member = Member(self._directory / node, node, self.hub)
        self.members[node] = member
        keys = member.folder.make_keys(node)
        user_jwt = await self.broker.add(node, user_public=keys.user_public)
        member.install(self.hub, user_jwt, keys.csr_pem)
        return await member.start()

    async def stands(self, *nodes: str) -> None:
        """Wait until the links of these nodes, or of all, are seen to stand from both ends."""
        wanted = frozenset(nodes or self.members)
        await eventually(lambda: self.broker.connected() >= wanted, timeout=_LONGEST_SECONDS)
        await eventually(
            lambda: all(self.members[node].broker.connected() for node in wanted), timeout=_LONGEST_SECONDS
        )

    async def kill_hub(self) -> None:
        """Kill -9 the hub's server; returns once it is dead and its broker knows."""
        self.hub.server.kill()
        await eventually(lambda: not self.broker.reachable)

    async def revive_hub(self) -> None:
        """Start the hub's server again; returns once its broker is back. Links may still be on their way up."""
        self.hub.server.start()
        await eventually(lambda: self.broker.reachable)

    async def new_broker(self) -> HubBroker:
        """As after a restart of the hub service: everything known is opened again."""
        await self.broker.close()
        self.broker = HubBroker(self.hub.url, self.hub.folder)
        await self.broker.connect()
        for node in self.members:
            await self.broker.open(node)
        return self.broker


@asynccontextmanager
async def federation(directory: Path) -> AsyncIterator[Federation]:
    """A running hub without members; everything started is ended."""
    made = Federation(directory)
    try:
        made.hub.server.start()
        await made.broker.connect()
        yield made
    finally:
        for member in made.members.values():
            await member.close()
        await made.broker.close()
        made.hub.server.kill()


async def say(broker: LeafBroker, *numbers: int) -> None:
    """Offer these numbers to the hub one after the other, so that they lie in this order."""
    for number in numbers:
        await broker.offer("hub", "node.echo.v1", b"%d" % number, {"Sk-Seal": f"seal {number}"}, f"up-{number}")


async def tell(link: HubLink, *numbers: int) -> None:
    """Send these numbers to a member one after the other."""
    for number in numbers:
        await link.send("hub", "node.echo.v1", b"%d" % number, {"Sk-Custody": f"{number}"}, f"down-{number}")


async def take(fetch: Callable[[int, float], Awaitable[list[Arrived]]], count: int) -> list[Arrived]:
    """So many messages, however few come at a time. None of them is acknowledged."""
    taken: list[Arrived] = []
    async with asyncio.timeout(_LONGEST_SECONDS):
        while len(taken) < count:
            taken += await fetch(count - len(taken), 1.0)
    return taken


async def hear(fetch: Callable[[int, float], Awaitable[list[Arrived]]], last: int) -> list[int]:
    """Every number in order of arrival up to the batch in which `last` comes, all acknowledged."""
    heard: list[int] = []
    async with asyncio.timeout(_LONGEST_SECONDS):
        while last not in heard:
            for each in await fetch(500, 1.0):
                heard.append(int(each.body))
                await each.ack()
    return heard


async def _quiet(_: Exception) -> None:
    """What the server refuses is looked at where it should not have arrived."""
