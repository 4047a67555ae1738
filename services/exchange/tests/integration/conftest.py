"""Two nodes without a link: each its own broker, directory, intake and the business side of its exchange."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.chassis import Context, Definition, DirectoryLookup, Parts
from sangkien.contracts.crossing import RIGHTS, Crossing
from sangkien.contracts.topology import TOPOLOGY
from sangkien.custody import Seal, SealKey, make_seal
from sangkien.exchange.adapters.book import SEED_FILE, StoredBook
from sangkien.exchange.adapters.documents import SCHEMA
from sangkien.exchange.adapters.foreign_books import FOREIGN_SCHEMA, StoredBooks
from sangkien.exchange.adapters.intake_desk import IntakeDesk
from sangkien.exchange.adapters.intake_letters import IntakeLetters
from sangkien.exchange.adapters.leaf import LinkLeaf
from sangkien.exchange.adapters.stored import StoredIncomings, StoredLedger, StoredOutgoings, StoredSteps
from sangkien.exchange.application.ports import Outward, Taken
from sangkien.exchange.application.post_messages import PostMessages
from sangkien.exchange.application.queries import Queries
from sangkien.exchange.entrypoints.announcing import AnnounceToNewcomers
from sangkien.exchange.entrypoints.inward import Business
from sangkien.exchange.entrypoints.messages import OutwardHandler
from sangkien.exchange.entrypoints.outward import FromIntake, FromRecognition, FromReview
from sangkien.exchange.entrypoints.returning import ReturnToAuthors
from sangkien.federation import LeafBroker, Link
from sangkien.intake.bootstrap import SERVICE as INTAKE
from sangkien.messaging import Subscription
from sangkien.rpc import Policy
from sangkien.runtime import ServiceSettings
from sangkien.testkit import NatsServer
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.neighbour import Neighbour, neighbour
from sangkien.testkit.service import RunningService, running_service

KEY = SealKey.create()
SENT_AT = datetime(2023, 5, 12, 3, 0, tzinfo=UTC)
NODES = {"hanoi": ("city", ""), "badinh": ("district", "hanoi"), "xa": ("ward", "badinh")}


class Settings(ServiceSettings):
    """Of an exchange without its link."""

    intake: str
    folder: Path


@dataclass
class Node:
    """One node's intake, and what its exchange says and does."""

    name: str
    directory: DirectoryDouble
    intake: RunningService
    exchange: RunningService
    business: Business
    post: PostMessages
    newcomers: AnnounceToNewcomers
    returning: ReturnToAuthors
    queries: Queries
    registry: StoredBook
    review: Neighbour
    recognition: Neighbour
    context: Context
    numbers: dict[str, int] = field(default_factory=dict)
    carried: set[str] = field(default_factory=set)

    def stub(self, subject: str, *roles: str, organisation: str = "") -> IntakeServiceStub:
        return IntakeServiceStub(self.intake.channel(subject, roles, organisation))

    async def says(self) -> list[tuple[str, Crossing]]:
        """What it said and the test has not carried yet, in order."""
        outgoings = StoredOutgoings(self.context.store)
        posted = [one for one in await outgoings.posted(200) if one.id not in self.carried]
        bodies = await outgoings.bodies([one.id for one in posted])
        self.carried.update(one.id for one in posted)
        return [(one.receiver, RIGHTS[one.type].model.from_bytes(bodies[one.id])) for one in posted]

    def seal(self, sender: str, message: Crossing) -> Seal:
        n = self.numbers[sender] = self.numbers.get(sender, 0) + 1
        return make_seal(
            KEY, id=f"{sender}-{n}", sender=sender, receiver=self.name, type=message.TYPE, business_key=message.key(),
            epoch=1, n=n, prev="0" * 64, at=SENT_AT, body=message.to_bytes(),
        )  # fmt: skip

    async def takes(self, sender: str, message: Crossing, *, dies: bool = False) -> Taken:
        """Take one message; one that `dies` is killed before its effect is committed."""
        taken = await self.business.take(sender, message, self.seal(sender, message))
        if not dies:
            await self.context.commit([*taken.ops, *await self.post(taken.outbound)])
        return taken


def definition(parts: dict[str, Any]) -> Definition:
    """An exchange that has everything but the link."""

    def build(context: Context) -> Parts:
        settings: Any = context.settings
        store = context.store
        link = Link(context.node, context.node, NODES[context.node][0], 1, "", "")
        registry = StoredBook(store, context.commit, link, KEY.public, settings.folder)
        books, steps = StoredBooks(store), StoredSteps(store, context.new_id)
        post = PostMessages(StoredOutgoings(store), StoredLedger(store), context)
        letters = IntakeLetters(
            lambda: context.channel(settings.intake), DirectoryLookup(context.channel(settings.directory))
        )
        desk = IntakeDesk(lambda: context.channel(settings.intake))
        parts["context"], parts["post"], parts["registry"] = context, post, registry
        parts["business"] = Business(books, desk, steps, registry, context, context.commit)
        parts["returning"] = ReturnToAuthors(books, steps, registry, context, context.commit)
        leaf = LinkLeaf(LeafBroker("nats://127.0.0.1:1", context.node))  # never opened
        parts["queries"] = Queries(
            StoredOutgoings(store),
            StoredIncomings(store),
            StoredLedger(store),
            registry,
            steps,
            books,
            leaf,
            context,
        )
        parts["newcomers"] = AnnounceToNewcomers(books, registry, context, post, context.commit)
        handlers: dict[str, Outward] = {
            "exchange__intake": FromIntake(books, letters, steps, registry),
            "exchange__review": FromReview(books, steps, registry),
            "exchange__recognition": FromRecognition(books, steps, registry),
        }
        return Parts(
            servicers=[],
            policy=Policy({}),
            subscriptions=[
                Subscription(TOPOLOGY.consumer(name), OutwardHandler(handler, post))
                for name, handler in handlers.items()
            ],
            open=[registry.load],
        )

    return Definition("exchange", Settings, SCHEMA + FOREIGN_SCHEMA, build)


def seed(folder: Path) -> None:
    folder.mkdir(parents=True)
    nodes: list[dict[str, Any]] = [
        {"node": node, "name": node, "profile": profile, "parent": parent, "state": "active", "epoch": 1,
         "seal_keys": [KEY.public]}
        for node, (profile, parent) in NODES.items()
    ]  # fmt: skip
    nodes.append({**nodes[1], "node": "thanhxuan", "state": "joining"})
    (folder / SEED_FILE).write_text(json.dumps(nodes))


@asynccontextmanager
async def running_node(name: str, where: Path) -> AsyncIterator[Node]:
    async with AsyncExitStack() as stack:
        nats = stack.enter_context(NatsServer(where / "nats"))
        directory = await stack.enter_async_context(directory_double(name))
        seed(where / "member")
        running: dict[str, Any] = {"nats_url": nats.url, "directory": directory}
        intake = await stack.enter_async_context(running_service(INTAKE, data_dir=where / "intake", **running))
        parts: dict[str, Any] = {}
        exchange = await stack.enter_async_context(
            running_service(
                definition(parts),
                data_dir=where / "exchange",
                intake=intake.host.target,
                folder=where / "member",
                **running,
            )
        )
        neighbours = [
            await stack.enter_async_context(neighbour(service, nats_url=nats.url, data_dir=where))
            for service in ("review", "recognition")
        ]
        yield Node(name, directory, intake, exchange, review=neighbours[0], recognition=neighbours[1], **parts)


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[Node]:
    async with running_node("hanoi", tmp_path / "hanoi") as node:
        yield node


@pytest.fixture
async def district(tmp_path: Path) -> AsyncIterator[Node]:
    async with running_node("badinh", tmp_path / "badinh") as node:
        yield node
