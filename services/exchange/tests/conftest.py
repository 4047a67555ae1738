"""A running hub, and nodes that joined it: each its own broker, link server, wire to the hub and exchange."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from sangkien.api.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from sangkien.api.hub.v1 import hub_pb2 as hub_pb
from sangkien.api.hub.v1.hub_pb2_grpc import HubServiceStub, JoinServiceStub
from sangkien.contracts.crossing import Crossing, DecisionSummarised
from sangkien.exchange.adapters.book import SEED_FILE
from sangkien.exchange.adapters.foreign_books import StoredBooks
from sangkien.exchange.adapters.stored import StoredLedger, StoredOutgoings
from sangkien.exchange.application.ports import Outbound
from sangkien.exchange.application.post_messages import PostMessages
from sangkien.exchange.bootstrap import SERVICE
from sangkien.exchange.domain.foreign import OwnRound
from sangkien.hub.bootstrap import SERVICE as HUB
from sangkien.runtime import new_id, utc_now
from sangkien.store import Document, Store
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.link import HubServer, Member
from sangkien.testkit.nats_server import free_port
from sangkien.testkit.service import RunningService, running_service


class Clock:
    """What use cases ask of the world."""

    now = staticmethod(utc_now)
    new_id = staticmethod(new_id)

    def today(self) -> date:
        return utc_now().date()


def summary_of(number: int) -> DecisionSummarised:
    """A message that a node below says to the one above; nothing else has to be there to take it."""
    return DecisionSummarised(
        decision_id=f"D{number:05}",
        symbol=f"{number}/QĐ-UBND",
        round_id="R1",
        tier="district",
        recognised=number,
        refused=0,
        issued_on=date(2023, 12, 20),
    )


@dataclass
class Node:
    """One organisation. `running` is its exchange while it runs in the test's own event loop."""

    name: str
    member: Member
    nats: NatsServer
    directory: DirectoryDouble
    data_dir: Path
    running: RunningService | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def told(self) -> dict[str, Any]:
        """Settings of its exchange beside the common ones."""
        return {
            "folder": self.member.folder.path,
            "leaf_url": self.member.folder.broker_url(self.member.port),
            **self.settings,
        }

    @property
    def store(self) -> Store:
        assert self.running is not None
        return self.running.host._store

    @property
    def operator(self) -> ExchangeServiceStub:
        assert self.running is not None
        return ExchangeServiceStub(self.running.channel(f"{self.name}:01JOPERATOR", ["operator"]))

    @asynccontextmanager
    async def runs(self) -> AsyncIterator["Node"]:
        """Its exchange, on what it stored before."""
        async with running_service(
            SERVICE, nats_url=self.nats.url, data_dir=self.data_dir, directory=self.directory, **self.told
        ) as running:
            self.running = running
            try:
                yield self
            finally:
                self.running = None
        assert running.fatal == []

    async def says(self, receiver: str, *messages: Crossing, trace: str = "") -> None:
        """Post messages as the business side does, a hundred in a unit."""
        post = PostMessages(StoredOutgoings(self.store), StoredLedger(self.store), Clock())
        for start in range(0, len(messages), 100):
            some = [Outbound(receiver, message, trace) for message in messages[start : start + 100]]
            await self.store.apply(await post(some))

    async def opens_round(self, round_id: str) -> None:
        """Its council's round, as it keeps those of which it tells others."""
        opened = OwnRound(round_id, 1, "Đợt 1", "city", "U", date(2023, 1, 1), date(2023, 12, 31), told=True)
        await self.store.apply([StoredBooks(self.store).keep(opened)])

    async def rows(self, coll: str, **where: Any) -> list[Document]:
        return await self.store.find(coll, where, limit=100_000)

    async def taken(self) -> list[str]:
        """What it took, in the order in which it took it: ids of the decisions."""
        applied = await self.rows("incoming", state="applied", type=DecisionSummarised.TYPE)
        return [doc["key"].rpartition(":")[2] for doc in sorted(applied, key=lambda doc: (doc["settled_at"], doc["n"]))]

    async def count(self, state: str) -> int:
        """Of summaries: an echo at the beginning of each life does not count."""
        return await self.store.count("outgoing", {"state": state, "type": DecisionSummarised.TYPE})

    async def delivered(self, count: int) -> None:
        """Wait until so many summaries of this node are delivered."""

        await eventually(lambda: self.count("delivered"), value=count, what="delivered messages")


@dataclass
class World:
    """The hub and everybody at it."""

    server: HubServer
    hub: RunningService
    join_port: int
    directory: Path
    nodes: dict[str, Node] = field(default_factory=dict)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def operator(self) -> HubServiceStub:
        return HubServiceStub(self.hub.channel("local:01JOPERATOR", ["operator"]))

    async def invite(self, node: str, profile: str, parent: str = "", *, again: bool = False) -> dict[str, Any]:
        request = hub_pb.InviteNodeRequest(node=node, name=f"Node {node}", profile=profile, parent=parent, again=again)
        bundle: dict[str, Any] = json.loads((await self.operator.InviteNode(request)).bundle)
        return bundle

    async def join(self, node: str, profile: str, parent: str = "") -> Node:
        """A member with its servers running; its exchange is started by `runs`."""
        bundle = await self.invite(node, profile, parent)
        base = self.directory / node
        member = Member(base / "link", node, self.server)
        self.stack.callback(member.wire.close)
        await self.answer(bundle, member)
        nats = self.stack.enter_context(NatsServer(base / "nats"))
        member.server.start()
        self.stack.callback(member.server.kill)
        directory = await self.stack.enter_async_context(directory_double(node))
        self.nodes[node] = Node(node, member, nats, directory, base / "store")
        return self.nodes[node]

    async def answer(self, bundle: dict[str, Any], member: Member) -> None:
        """Join with a bundle and install what the hub answers."""
        keys = member.folder.make_keys(member.node)
        now = Timestamp()
        now.FromDatetime(utc_now())
        credentials = grpc.ssl_channel_credentials(bundle["authority_pem"].encode())
        async with grpc.aio.secure_channel(f"127.0.0.1:{self.join_port}", credentials) as channel:
            joined = await JoinServiceStub(channel).Join(
                hub_pb.JoinRequest(
                    node=member.node,
                    secret=bundle["secret"],
                    csr_pem=keys.csr_pem,
                    user_key=keys.user_public,
                    seal_key=keys.seal_public,
                    version="test",
                    now=now,
                ),
                timeout=60,
            )
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
        registry = [
            {
                "node": one.node,
                "name": one.name,
                "profile": one.profile,
                "parent": one.parent,
                "state": one.state,
                "epoch": one.epoch,
                "seal_keys": list(one.seal_keys),
            }
            for one in joined.registry
        ]
        (member.folder.path / SEED_FILE).write_text(json.dumps(registry), encoding="utf-8")


@pytest.fixture
def summary() -> Callable[[int], DecisionSummarised]:
    return summary_of


@pytest.fixture
async def hub_directory() -> AsyncIterator[DirectoryDouble]:
    async with directory_double() as double:
        yield double


@pytest.fixture
def hub_server(tmp_path: Path) -> Any:
    server = HubServer(tmp_path / "hub")
    server.server.start()
    yield server
    server.server.kill()


@pytest.fixture
def start_hub(
    own_nats_server: NatsServer, hub_server: HubServer, hub_directory: DirectoryDouble, tmp_path: Path
) -> Callable[..., Any]:
    """`async with start_hub(…settings) as world`: a hub on what it stored before."""
    port = free_port()

    @asynccontextmanager
    async def started(**settings: Any) -> AsyncIterator[World]:
        told: dict[str, Any] = {
            "folder": hub_server.folder.path,
            "broker_url": hub_server.url,
            "join_listen": f"127.0.0.1:{port}",
            "join_public": f"127.0.0.1:{port}",
            "leaf_public": f"tls://127.0.0.1:{hub_server.leaf_port}",
            "stamp_every_s": 0.3,
            "first_word_s": 0.5,
            "receipt_again_s": 0.5,
            "look_every_s": 0.1,
        }
        async with running_service(
            HUB,
            nats_url=own_nats_server.url,
            data_dir=tmp_path / "hub-store",
            directory=hub_directory,
            **(told | settings),
        ) as running:
            yield World(hub_server, running, port, tmp_path)

    return started


@pytest.fixture
async def world(start_hub: Callable[..., Any]) -> AsyncIterator[World]:
    async with start_hub() as started, started.stack:
        yield started
    assert started.hub.fatal == []


@pytest.fixture
async def city(world: World) -> AsyncIterator[Node]:
    node = await world.join("hanoi", "city")
    async with node.runs():
        yield node


@pytest.fixture
async def ward(world: World, city: Node) -> AsyncIterator[Node]:
    node = await world.join("phuctan", "ward", "hanoi")
    async with node.runs():
        yield node
