"""A running hub with its own nats-server, and members that speak the wire by themselves."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.api.hub.v1.hub_pb2_grpc import HubServiceStub, JoinServiceStub
from sangkien.contracts.crossing import Crossing, Echo
from sangkien.custody import (
    HubReceipt,
    NodeReceipt,
    Seal,
    SealKey,
    make_seal,
    read_forward,
    read_hub_receipt,
    read_unverified,
)
from sangkien.federation import Arrived
from sangkien.hub.bootstrap import SERVICE
from sangkien.runtime import new_id, utc_now
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.link import HubServer, Member
from sangkien.testkit.nats_server import free_port
from sangkien.testkit.service import RunningService, running_service


@dataclass
class Hub:
    """A hub that runs: its server, where nodes join, and its operator's stub."""

    server: HubServer
    service: RunningService
    join_port: int
    operator: HubServiceStub = field(init=False)

    def __post_init__(self) -> None:
        self.operator = self.stub("operator")

    def stub(self, role: str) -> HubServiceStub:
        return HubServiceStub(self.service.channel("local:01JOPERATOR", [role], ""))


@pytest.fixture
async def directory() -> AsyncIterator[DirectoryDouble]:
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
    own_nats_server: NatsServer, hub_server: HubServer, directory: DirectoryDouble, tmp_path: Path
) -> Callable[..., Any]:
    """`async with start_hub(…settings) as hub`: again on the same store, it finds what it had committed."""

    @asynccontextmanager
    async def started(**settings: Any) -> AsyncIterator[Hub]:
        port = free_port()
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
            SERVICE, nats_url=own_nats_server.url, data_dir=tmp_path / "store", directory=directory, **(told | settings)
        ) as running:
            yield Hub(hub_server, running, port)

    return started


@pytest.fixture
async def hub(start_hub: Callable[..., Any]) -> AsyncIterator[Hub]:
    async with start_hub() as running:
        yield running
    assert running.service.fatal == []


@dataclass
class Speaker:
    """A member that a test drives by hand: its folder and leaf, its chain, what came down to it."""

    member: Member
    hub: Hub
    key: SealKey
    epoch: int = 1
    n: int = 0
    prev: str = "0" * 64
    said: dict[int, tuple[Seal, bytes]] = field(default_factory=dict)
    arrived: list[Arrived] = field(default_factory=list)
    receipts: list[HubReceipt] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def node(self) -> str:
        return self.member.node

    def sealed(self, receiver: str, message: Crossing, *, body: bytes | None = None, **changed: Any) -> Seal:
        """The next seal of its chain; what is changed does not count as said."""
        facts: dict[str, Any] = {
            "id": new_id(),
            "sender": self.node,
            "receiver": receiver,
            "type": message.TYPE,
            "business_key": message.key(),
            "epoch": self.epoch,
            "n": self.n + 1,
            "prev": self.prev,
            "at": utc_now(),
            "body": message.to_bytes() if body is None else body,
        }
        seal = make_seal(self.key, **(facts | changed))
        if not changed.keys() & {"n", "prev", "epoch"}:
            self.n, self.prev = seal.n, seal.hash
        return seal

    async def offer(
        self, seal: Seal, body: bytes, *, receiver: str = "", message_type: str = "", gone: bool = False
    ) -> None:
        headers = {"Sk-Seal": seal.compact} | ({"Sk-Gone": "1"} if gone else {})
        await self.member.broker.offer(receiver or seal.receiver, message_type or seal.type, body, headers, new_id())

    async def say(self, receiver: str, message: Crossing, **changed: Any) -> Seal:
        seal = self.sealed(receiver, message, **changed)
        self.said[seal.n] = (seal, message.to_bytes())
        await self.offer(seal, message.to_bytes())
        return seal

    async def echo(self, text: str = "hello") -> Seal:
        return await self.say("hub", Echo(text=text))

    async def listen(self) -> None:
        """Take what came down; receipts and history apart."""
        for one in await self.member.broker.arrived(500, 0.05):
            await one.ack()
            if one.sender == "hub" and one.type == "receipt.v1":
                self.receipts.append(read_hub_receipt(one.body.decode(), self.member.folder.hub_key))
            elif one.sender == "hub" and one.type == "history.v1":
                self.history.append(json.loads(one.body))
            else:
                self.arrived.append(one)

    async def receipt(self, until: Callable[[HubReceipt], bool]) -> HubReceipt:
        """Wait for a receipt of which that is so."""

        async def found() -> HubReceipt | None:
            await self.listen()
            return next((one for one in reversed(self.receipts) if until(one)), None)

        kept: HubReceipt = await eventually(found, what=f"a receipt of {self.node}; last {self.receipts[-1:]}")
        return kept

    async def receipted_up_to(self, n: int) -> HubReceipt:
        """Wait for the receipt; what it should cover is offered again where receipts stand still, as a member does."""
        stood: HubReceipt | None = None

        async def reached() -> HubReceipt | None:
            nonlocal stood
            await self.listen()
            if any(one.n == n for one in self.receipts):
                return next(one for one in reversed(self.receipts) if one.n == n)
            last = self.receipts[-1] if self.receipts else None
            if last is None or stood is None or last.n != stood.n:
                stood = last
            elif last.at - stood.at > timedelta(seconds=1):
                stood = last
                for number in sorted(number for number in self.said if last.n < number <= n):
                    await self.offer(*self.said[number])
            return None

        told: HubReceipt = await eventually(
            reached, what=f"a receipt of {self.node} up to {n}; last {self.receipts[-1:]}"
        )
        return told

    def messages(self, sender: str) -> list[tuple[int, str]]:
        """Number on the way down and seal's id of everything that came from a node, repeats too."""
        return [
            (
                read_forward(one.headers["Sk-Custody"], self.member.folder.hub_key).n,
                read_unverified(one.headers["Sk-Seal"])["id"],
            )
            for one in self.arrived
            if one.sender == sender
        ]

    async def came(self, sender: str, count: int) -> list[tuple[int, str]]:
        """Wait until that many different messages of a node arrived."""

        async def enough() -> list[tuple[int, str]] | None:
            await self.listen()
            found = list(dict.fromkeys(self.messages(sender)))
            return found if len(found) >= count else None

        found: list[tuple[int, str]] = await eventually(enough, what=f"{count} messages of {sender} at {self.node}")
        return found

    async def confirm(self, n: int, *, gap: bool = False, epoch: int | None = None) -> None:
        receipt = NodeReceipt(self.node, utc_now(), epoch or self.epoch, n, gap)
        await self.member.broker.offer("hub", "receipt.v1", receipt.sign(self.key).encode(), {}, new_id())

    async def join(self, bundle: str, **changed: Any) -> pb.JoinResponse:
        """What `sangkien node join` does: keys made here, and the hub's answer put beside them."""
        told = json.loads(bundle)
        keys = self.member.folder.make_keys(self.node)
        request = {
            "node": self.node,
            "secret": told["secret"],
            "csr_pem": keys.csr_pem,
            "user_key": keys.user_public,
            "seal_key": keys.seal_public,
            "version": "1.2.3",
            "now": utc_now(),
        }
        credentials = grpc.ssl_channel_credentials(told["authority_pem"].encode())
        async with grpc.aio.secure_channel(told["join"], credentials) as channel:
            return await JoinServiceStub(channel).Join(pb.JoinRequest(**(request | changed)), timeout=20)

    async def settle(self, answer: pb.JoinResponse) -> None:
        """Install the answer, start the leaf and say the first word."""
        self.member.folder.install(
            certificate_pem=answer.certificate_pem,
            authority_pem=answer.authority_pem,
            user_jwt=answer.user_jwt,
            leaf_url=f"tls://127.0.0.1:{self.member.wire.port}",
            hub_key=answer.hub_key,
            node=self.node,
            epoch=answer.epoch,
            profile=answer.profile,
            name=answer.name,
        )
        self.key, self.epoch = self.member.folder.seal_key, answer.epoch
        await self.member.start()


@pytest.fixture
async def speakers(tmp_path: Path) -> AsyncIterator[list[Speaker]]:
    """Everybody who was made; ended with the test."""
    made: list[Speaker] = []
    yield made
    for speaker in made:
        await speaker.member.close()


@pytest.fixture
def invited(speakers: list[Speaker], tmp_path: Path) -> Callable[..., Any]:
    """`await invited(hub, "ba-dinh", "district")`: a speaker and its bundle."""

    async def made(hub: Hub, node: str, profile: str = "district", parent: str = "") -> tuple[Speaker, str]:
        answer = await hub.operator.InviteNode(
            pb.InviteNodeRequest(node=node, name=f"Đơn vị {node}", profile=profile, parent=parent)
        )
        speaker = Speaker(Member(tmp_path / f"member-{node}", node, hub.server), hub, SealKey.create())
        speakers.append(speaker)
        return speaker, answer.bundle

    return made


@pytest.fixture
def joined(invited: Callable[..., Any]) -> Callable[..., Any]:
    """`await joined(hub, "ba-dinh", "district")`: a speaker whose echo was receipted."""

    async def made(hub: Hub, node: str, profile: str = "district", parent: str = "") -> Speaker:
        made: tuple[Speaker, str] = await invited(hub, node, profile, parent)
        speaker, bundle = made
        await speaker.settle(await speaker.join(bundle))
        await speaker.echo()
        await speaker.receipted_up_to(1)
        return speaker

    return made
