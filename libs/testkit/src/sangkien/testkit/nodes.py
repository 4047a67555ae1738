"""A federation of real processes: the hub service and each node's exchange beside their servers, every one killable."""

import json
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import grpc

from sangkien.api.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.api.hub.v1.hub_pb2_grpc import HubServiceStub, JoinServiceStub
from sangkien.contracts.events import DecisionIssued
from sangkien.rpc import connect
from sangkien.runtime import Telemetry, utc_now
from sangkien.testkit.child import Child
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.eventually import eventually
from sangkien.testkit.link import HubServer, Member
from sangkien.testkit.nats_server import NatsServer, free_port
from sangkien.testkit.neighbour import Neighbour, neighbour
from sangkien.testkit.voice import Voice

REGISTRY_FILE = "registry.json"
"""Where exchange looks for the nodes that the hub named when its own one joined."""


@dataclass
class Node:
    """One organisation: its broker, its exchange, its link server behind a wire, and a recognition that speaks."""

    name: str
    member: Member
    nats: NatsServer
    exchange: Child
    operator: ExchangeServiceStub
    recognition: Neighbour
    profile: str
    parent: str

    async def decides(self, numbers: Sequence[int]) -> None:
        """Its council's decisions, as its own recognition says them: exchange sums up each for the node above."""
        for start in range(0, len(numbers), 200):
            some = numbers[start : start + 200]
            await self.recognition.says_all(*[(decision(number), f"D{number:06}", 1) for number in some])

    def summaries(self, state: str = "") -> list[dict[str, Any]]:
        """What it sent up, in order of the chain; only those in the state, when it is not empty."""
        found = [row for row in self.exchange.rows("outgoing") if row["type"] == "decision.summarised.v1"]
        return sorted(
            (row for row in found if state in ("", row["state"])), key=lambda row: (row["epoch"] or 0, row["n"] or 0)
        )

    def sent(self, state: str) -> int:
        """How many of those are in the state."""
        where = "json_extract(body,'$.type')='decision.summarised.v1' AND json_extract(body,'$.state')='" + state + "'"
        return self.exchange.count("outgoing", where)

    def taken(self, sender: str) -> list[str]:
        """Business keys that it took of a node, in order of the numbers they came under."""
        found = [row for row in self.exchange.rows("incoming") if (row["sender"], row["state"]) == (sender, "applied")]
        return [row["key"].rpartition(":")[2] for row in sorted(found, key=lambda row: (row["epoch"], row["n"]))]

    @property
    def files(self) -> tuple[Path, ...]:
        """What a backup of the node copies."""
        return (self.exchange.folder, self.nats.store, self.member.folder.path)

    def stop(self) -> None:
        """Kill everything of it but the neighbour, whose store is not part of exchange's."""
        self.exchange.kill()
        self.member.server.kill()
        self.nats.kill()

    async def go_on(self) -> None:
        """Start it again on what is in its folders."""
        self.nats.start()
        self.member.server.start()
        await self.exchange.start()


def decision(number: int) -> DecisionIssued:
    """One of many decisions; `D000001` is the first one's id."""
    return DecisionIssued(
        decision_id=f"D{number:06}",
        number=number,
        symbol=f"{number}/QĐ-UBND",
        issued_on=date(2023, 12, 20),
        issuer_id="local:UNIT",
        round_id="R1",
        tier="district",
        recognised=number,
        refused=0,
    )


def ids(numbers: Sequence[int]) -> list[str]:
    """Ids of those decisions."""
    return [f"D{number:06}" for number in numbers]


@dataclass
class Network:
    """The hub, and everybody at it."""

    folder: Path
    server: HubServer
    nats: NatsServer
    directory: DirectoryDouble
    hub: Child
    join_port: int
    operator: HubServiceStub
    telemetry: Telemetry
    stack: AsyncExitStack
    nodes: dict[str, Node] = field(default_factory=dict)

    async def invite(self, node: str, profile: str, parent: str = "", *, again: bool = False) -> dict[str, Any]:
        """The bundle."""
        request = pb.InviteNodeRequest(node=node, name=f"Đơn vị {node}", profile=profile, parent=parent, again=again)
        bundle: dict[str, Any] = json.loads((await self.operator.InviteNode(request)).bundle)
        return bundle

    async def answer(self, bundle: dict[str, Any], member: Member) -> pb.JoinResponse:
        """Join with a bundle: keys made in the member's folder, the hub's answer installed there."""
        keys = member.folder.make_keys(member.node)
        joined = await self.join(bundle, csr_pem=keys.csr_pem, user_key=keys.user_public, seal_key=keys.seal_public)
        member.folder.install(
            certificate_pem=joined.certificate_pem,
            authority_pem=joined.authority_pem,
            user_jwt=joined.user_jwt,
            leaf_url=f"tls://127.0.0.1:{member.wire.port}",
            hub_key=joined.hub_key,
            node=member.node,
            epoch=joined.epoch,
            profile=joined.profile,
            name=joined.name,
        )
        known = [_known(node) for node in joined.registry]
        (member.folder.path / REGISTRY_FILE).write_text(json.dumps(known), encoding="utf-8")
        return joined

    async def join(self, bundle: dict[str, Any], *, csr_pem: str, user_key: str, seal_key: str) -> pb.JoinResponse:
        """Ask JoinService, as whoever holds the bundle does: again while the hub is on its way up."""
        trust = grpc.ssl_channel_credentials(bundle["authority_pem"].encode())

        async def once() -> pb.JoinResponse | None:
            request = pb.JoinRequest(node=bundle["node"], secret=bundle["secret"], version="test")
            request.csr_pem, request.user_key, request.seal_key = csr_pem, user_key, seal_key
            request.now.FromDatetime(utc_now())
            async with grpc.aio.secure_channel(f"127.0.0.1:{self.join_port}", trust) as channel:
                try:
                    return await JoinServiceStub(channel).Join(request, timeout=30)
                except grpc.aio.AioRpcError as error:
                    if error.code() is grpc.StatusCode.UNAVAILABLE:
                        return None
                    raise

        answer: pb.JoinResponse = await eventually(once, what=f"an answer to {bundle['node']}")
        return answer

    async def voice(self, node: str, profile: str, parent: str = "") -> Voice:
        """A member that has no exchange and whose link stands: the test speaks for it, and has said an echo."""
        member = Member(self.folder / node / "link", node, self.server)
        self.stack.push_async_callback(member.close)
        await self.answer(await self.invite(node, profile, parent), member)
        await member.start()
        voice = Voice(member, member.folder.seal_key)
        await voice.echo()
        await voice.receipted()
        return voice

    async def node(self, node: str, profile: str, parent: str = "", **told: str) -> Node:
        """A whole node, its exchange running."""
        base = self.folder / node
        member = Member(base / "link", node, self.server)
        self.stack.callback(member.wire.close)
        await self.answer(await self.invite(node, profile, parent), member)
        return await self.begin(member, profile, parent, **told)

    async def begin(self, member: Member, profile: str, parent: str = "", **told: str) -> Node:
        """Start a node on a member's folder that was installed."""
        base = member.folder.path.parent
        nats = self.stack.enter_context(NatsServer(base / "nats"))
        self.stack.callback(member.server.kill)
        member.server.start()
        directory = await self.stack.enter_async_context(directory_double(member.node))
        exchange = Child(
            "exchange",
            base / "store",
            directory,
            nats_url=nats.url,
            folder=str(member.folder.path),
            leaf_url=member.folder.broker_url(member.port),
            **told,
        )
        self.stack.callback(exchange.kill)
        await exchange.start()
        says = await self.stack.enter_async_context(neighbour("recognition", nats_url=nats.url, data_dir=base))
        stub = ExchangeServiceStub(self._channel(exchange, directory))
        made = Node(member.node, member, nats, exchange, stub, says, profile, parent)
        self.nodes[member.node] = made
        return made

    async def reanswer(self, bundle: dict[str, Any], node: Node) -> None:
        """Join anew for a node that stands still and lost its folder; its link server keeps its port and wire."""
        member = Member(node.member.folder.path, node.name, self.server)
        self.stack.callback(member.wire.close)
        member.port = node.member.port
        await self.answer(bundle, member)
        node.member = member
        self.stack.callback(member.server.kill)
        node.exchange.tell(leaf_url=member.folder.broker_url(member.port))

    async def peer(self, node: str) -> pb.Peer:
        """What the hub's operator sees of a node."""
        peers = (await self.operator.ListPeers(pb.ListPeersRequest())).peers
        return next(peer for peer in peers if peer.node == node)

    async def active(self, *nodes: str) -> None:
        """Wait until these nodes were heard, and their leaves stand."""
        for node in nodes:

            async def here(node: str = node) -> bool:
                peer = await self.peer(node)
                return peer.state == "active" and peer.connected

            await eventually(here, timeout=60, what=f"{node} to be active")

    def entries(self, sender: str) -> list[tuple[int, int, str, str]]:
        """Epoch, number, type and verdict of everything of a node in the log, in the log's order; from the file."""
        found = [json.loads(row["raw"]) for row in self.hub.rows("entries")]
        return [
            (each["epoch"], each["n"], each["type"], each["verdict"])
            for each in sorted(found, key=lambda each: int(each["position"]))
            if each["from"] == sender
        ]

    def _channel(self, child: Child, directory: DirectoryDouble) -> grpc.aio.Channel:
        return _channel(child, directory, self.telemetry, self.stack)


@asynccontextmanager
async def network(folder: Path, **told: str) -> AsyncIterator[Network]:
    """A hub that runs, without members. `told` are settings of the hub service. Everything is killed at the end."""
    async with AsyncExitStack() as stack:
        server = HubServer(folder / "hub")
        server.server.start()
        stack.callback(server.server.kill)
        nats = stack.enter_context(NatsServer(folder / "hub-nats"))
        directory = await stack.enter_async_context(directory_double("hub-node"))
        telemetry = Telemetry.create("test", node="hub-node", spans_dir=None, otlp_endpoint=None)
        stack.push_async_callback(telemetry.shutdown)
        join = free_port()
        settings = {
            "nats_url": nats.url,
            "folder": str(server.folder.path),
            "broker_url": server.url,
            "join_listen": f"127.0.0.1:{join}",
            "join_public": f"127.0.0.1:{join}",
            "leaf_public": f"tls://127.0.0.1:{server.leaf_port}",
            "stamp_every_s": "1",
        }
        hub = Child("hub", folder / "hub-store", directory, **(settings | told))
        stack.callback(hub.kill)
        await hub.start()
        operator = HubServiceStub(_channel(hub, directory, telemetry, stack))
        yield Network(folder, server, nats, directory, hub, join, operator, telemetry, stack)


def copied(paths: Sequence[Path], to: Path) -> Callable[[], None]:
    """Copy folders whose owners stand still; calling the answer sets the copies back in their place."""
    for number, path in enumerate(paths):
        shutil.copytree(path, to / str(number))

    def set_back() -> None:
        for number, path in enumerate(paths):
            shutil.rmtree(path)
            shutil.copytree(to / str(number), path)

    return set_back


def _channel(child: Child, directory: DirectoryDouble, telemetry: Telemetry, stack: AsyncExitStack) -> grpc.aio.Channel:
    token = directory.token(f"{directory.node}:01JOPERATOR", ["operator"])
    channel = connect(f"127.0.0.1:{child.port}", telemetry=telemetry, token=token, timeout=20)
    stack.push_async_callback(channel.close)
    return channel


def _known(node: pb.Node) -> dict[str, Any]:
    return {
        "node": node.node,
        "name": node.name,
        "profile": node.profile,
        "parent": node.parent,
        "state": node.state,
        "epoch": node.epoch,
        "seal_keys": list(node.seal_keys),
    }
