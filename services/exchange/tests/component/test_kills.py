"""Exchanges that are killed with SIGKILL, and what their stores hold afterwards."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from typing import Any

import grpc

from sangkien.api.exchange.v1 import exchange_pb2 as pb
from sangkien.api.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from sangkien.contracts.crossing import DecisionSummarised
from sangkien.contracts.events import DecisionIssued
from sangkien.exchange.adapters.documents import INCOMING, SCHEMA
from sangkien.exchange.adapters.foreign_books import FOREIGN_SCHEMA, SUMMARIES
from sangkien.federation import LeafBroker
from sangkien.rpc import RemoteUnavailable, connect
from sangkien.runtime import Telemetry
from sangkien.store import open_store
from sangkien.testkit import eventually
from sangkien.testkit.nats_server import free_port
from sangkien.testkit.neighbour import Neighbour, neighbour
from sangkien.testkit.service_process import service_process


class Process:
    """One node's exchange as a process of its own."""

    def __init__(self, node: Any, child: Any, channel: grpc.aio.Channel) -> None:
        self.node = node
        self._child = child
        self._stub = ExchangeServiceStub(channel)

    async def delivered(self, peer: str) -> int:
        """How many of its messages reached a peer."""
        try:
            peers = (await self._stub.ListPeers(pb.ListPeersRequest())).peers
        except (RemoteUnavailable, grpc.aio.AioRpcError):
            return -1
        found = next((one for one in peers if one.node == peer), pb.Peer())
        return int(found.sent - found.waiting - found.undelivered - found.refused)

    async def from_peer(self, peer: str) -> int:
        """How many of a peer's messages it received."""
        peers = (await self._stub.ListPeers(pb.ListPeersRequest())).peers
        return next((int(one.received) for one in peers if one.node == peer), 0)

    async def link(self) -> pb.GetLinkResponse:
        """Raises AssertionError while it does not serve."""
        try:
            return await self._stub.GetLink(pb.GetLinkRequest())
        except (RemoteUnavailable, grpc.aio.AioRpcError):
            raise AssertionError("it does not serve yet") from None

    async def kill(self) -> None:
        self._child.kill()
        assert await asyncio.to_thread(self._child.wait) == -9


@asynccontextmanager
async def process(node: Any) -> AsyncIterator[Process]:
    port = free_port()
    telemetry = Telemetry.create("test", node=node.name, spans_dir=None, otlp_endpoint=None)
    told = {name: str(value) for name, value in node.told.items()}
    token = node.directory.token(f"{node.name}:01JOPERATOR", ["operator"], "")
    with service_process(
        "exchange",
        nats_url=node.nats.url,
        data_dir=node.data_dir,
        port=port,
        directory=node.directory,
        **told,
        node=node.name,
    ) as child:
        channel = connect(f"127.0.0.1:{port}", telemetry=telemetry, token=token, timeout=60)
        running = Process(node, child, channel)
        await eventually(running.link, what="a serving exchange")
        try:
            yield running
        finally:
            await channel.close()
            await telemetry.shutdown()


async def issues(recognition: Neighbour, first: int, last: int) -> None:
    """The node's own recognition issued decisions: its exchange reports each to the node above."""
    events = [
        DecisionIssued(
            decision_id=f"D{number:05}",
            number=number,
            symbol=f"{number}/QĐ-UBND",
            issued_on=date(2023, 12, 20),
            issuer_id="U",
            round_id="R1",
            tier="district",
            recognised=1,
            refused=0,
        )
        for number in range(first, last)
    ]
    await recognition.says_all(*[(event, event.decision_id, 1) for event in events])


async def stored(node: Any) -> tuple[list[str], list[str]]:
    """Decisions in the order they were received, and those whose effect is there, of a node that does not run."""
    store = await open_store(f"sqlite://{node.data_dir}", database="exchange")
    try:
        await store.ensure(SCHEMA + FOREIGN_SCHEMA)
        rows = await store.find(INCOMING, {"type": DecisionSummarised.TYPE, "state": "applied"}, limit=10_000)
        kept = await store.find(SUMMARIES, limit=10_000)
    finally:
        await store.close()
    ordered = sorted(rows, key=lambda row: (row["epoch"], row["n"]))
    return [row["key"].rpartition(":")[2] for row in ordered], sorted(doc["decision_id"] for doc in kept)


async def all_applied(node: Any, count: int) -> None:
    """What was delivered is durable; the kill may have come before all of it was applied."""
    async with node.runs():
        where = {"type": DecisionSummarised.TYPE, "state": "applied"}
        await eventually(lambda: node.store.count(INCOMING, where), value=count, what="applied messages")


def ids(count: int) -> list[str]:
    return [f"D{number:05}" for number in range(count)]


async def test_exchanges_killed_again_and_again_lose_nothing_and_do_nothing_twice(world: Any) -> None:
    city, ward = await world.join("hanoi", "city"), await world.join("phuctan", "ward", "hanoi")
    async with neighbour("recognition", nats_url=ward.nats.url, data_dir=ward.data_dir.parent) as recognition:
        for turn in range(4):
            async with process(city) as above, process(ward) as below:
                await issues(recognition, turn * 100, turn * 100 + 100)
                await eventually(partial(moved, below, turn * 100), what="something under way")
                await (above if turn % 2 else below).kill()
        async with process(city), process(ward) as below:
            await eventually(lambda: below.delivered("hanoi"), value=400)
    await all_applied(city, 400)

    received, effects = await stored(city)
    assert sorted(received) == effects == ids(400)


async def moved(process: Process, beyond: int) -> bool:
    return (await process.link()).sealed > beyond + 20


async def test_an_exchange_killed_before_it_could_offer_what_it_had_committed_offers_it_later(world: Any) -> None:
    city, ward = await world.join("hanoi", "city"), await world.join("phuctan", "ward", "hanoi")
    async with city.runs(), neighbour("recognition", nats_url=ward.nats.url, data_dir=ward.data_dir.parent) as own:
        async with process(ward) as below:
            await eventually(lambda: active(below))
            ward.member.server.stop()
            await issues(own, 0, 20)
            await eventually(lambda: sealed(below), value=21)
            await below.kill()
        ward.member.server.start()

        async with process(ward) as below:
            await eventually(lambda: below.delivered("hanoi"), value=20)
            await eventually(city.taken, value=ids(20))


async def active(process: Process) -> bool:
    return (await process.link()).state == "active"


async def sealed(process: Process) -> int:
    return int((await process.link()).sealed)


async def test_an_exchange_killed_between_taking_and_its_receipt_takes_nothing_twice(world: Any, summary: Any) -> None:
    city, ward = await world.join("hanoi", "city"), await world.join("phuctan", "ward", "hanoi")
    async with ward.runs():
        async with process(city) as above:
            await eventually(lambda: active(above))
        await ward.says("hanoi", *[summary(number) for number in range(20)])
        await eventually(lambda: ward.count("receipted"), value=20)
        await eventually(partial(arrived, city), what="messages at the city's leaf")
        city.member.wire.cut()
        async with process(city) as above:
            await eventually(partial(received, above, summaries=20))
            await above.kill()
        # Whatever it had said to its own link server is gone, and what had come down comes again.
        city.member.server.stop()
        shutil.rmtree(city.member.folder.path / "jetstream")
        city.member.server.start()
        city.member.wire.heal()

        async with process(city):
            await ward.delivered(20)
    await all_applied(city, 20)

    assert await stored(city) == (ids(20), ids(20))


async def arrived(node: Any) -> bool:
    """Whether twenty messages lie at the leaf of a node whose exchange is down."""
    broker = LeafBroker(node.member.folder.broker_url(node.member.port), node.name)
    await broker.connect()
    try:
        return (await broker.backlog()).arrived >= 20
    finally:
        await broker.close()


async def received(process: Process, summaries: int) -> bool:
    """Whether so many came from the ward, and none of it can have been receipted."""
    return await process.from_peer("phuctan") == summaries
