"""A node with one service whose four methods, one of each kind, do what a test tells them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from joserfc.jwk import KeySet

from sangkien.api.errors.v1.errors_pb2 import ItemError
from sangkien.rpc import (
    PUBLIC,
    Policy,
    RemoteError,
    RpcServer,
    TokenMinter,
    TokenVerifier,
    Unavailable,
    connect,
    create_server,
    new_signing_key,
    public_keys,
)
from sangkien.runtime import Health, SpanRecord, Telemetry

SERVICE = "test.kinds.v1.KindsService"
KINDS = ("Once", "Many", "Gather", "Chat")
"""unary-unary, unary-stream, stream-unary, stream-stream."""
POLICY = Policy({**{f"/{SERVICE}/{kind}": {"filer", "clerk"} for kind in KINDS}, f"/{SERVICE}/Open": PUBLIC})
PERSON = "ba-dinh:01ARZ3NDEKTSV4RRFFQ69G5FAV"

__all__ = ["Node", "RemoteError", "Unavailable", "running_node"]  # what a test's own process takes from here

Behave = Callable[[str], Awaitable[str]]


async def echo(text: str) -> str:
    return text


@dataclass
class Kinds:
    """The servicer. Messages are ItemErrors of which only `code` is used; each is answered with `behave(code)`."""

    behave: Behave = echo
    seen: list[str] = field(default_factory=list)
    """Every request that reached the servicer."""

    async def once(self, request: ItemError, context: Any) -> ItemError:
        return await self._answer(request)

    async def many(self, request: ItemError, context: Any) -> AsyncIterator[ItemError]:
        for part in request.code.split():
            yield await self._answer(ItemError(code=part))

    async def gather(self, requests: AsyncIterator[ItemError], context: Any) -> ItemError:
        return ItemError(code=" ".join([(await self._answer(request)).code async for request in requests]))

    async def chat(self, requests: AsyncIterator[ItemError], context: Any) -> None:
        async for request in requests:
            await context.write(await self._answer(request))

    async def _answer(self, request: ItemError) -> ItemError:
        self.seen.append(request.code)
        return ItemError(code=await self.behave(request.code))


def add_kinds(servicer: Any, server: Any) -> None:
    """What generated code does for a servicer."""
    codec = (ItemError.FromString, ItemError.SerializeToString)
    server.add_registered_method_handlers(
        SERVICE,
        {
            "Once": grpc.unary_unary_rpc_method_handler(servicer.once, *codec),
            "Many": grpc.unary_stream_rpc_method_handler(servicer.many, *codec),
            "Gather": grpc.stream_unary_rpc_method_handler(servicer.gather, *codec),
            "Chat": grpc.stream_stream_rpc_method_handler(servicer.chat, *codec),
            "Open": grpc.unary_unary_rpc_method_handler(servicer.once, *codec),
        },
    )


@dataclass
class Served:
    """A server of `Kinds` and ways to call it."""

    node: "Node"
    server: RpcServer
    kinds: Kinds

    @property
    def seen(self) -> list[str]:
        return self.kinds.seen

    def channel(self, *roles: str, **options: Any) -> grpc.aio.Channel:
        """A channel of ours, with a token of these roles; without roles, without a token."""
        token = self.node.token(*roles) if roles else None
        channel = connect(self.server.target, telemetry=self.node.telemetry, token=token, **options)
        self.node.closing.append(channel.close)
        return channel

    def bare(self) -> grpc.aio.Channel:
        """A channel of plain gRPC, as any other client has."""
        channel = grpc.aio.insecure_channel(self.server.target)
        self.node.closing.append(channel.close)
        return channel

    async def call(self, kind: str, text: Any, *, over: grpc.aio.Channel | None = None, **options: Any) -> list[str]:
        """The answers to `text`: sent as one request, or word by word (or as it streams) where requests are streamed.

        Over a channel of ours with the role `filer` unless told otherwise. `raw` replaces what goes over the wire.
        """
        channel = over or self.channel("filer")
        raw = options.pop("raw", None)
        serialize = (lambda _: raw) if raw is not None else ItemError.SerializeToString
        kinds: dict[str, Any] = {
            "Once": channel.unary_unary,
            "Open": channel.unary_unary,
            "Many": channel.unary_stream,
            "Gather": channel.stream_unary,
            "Chat": channel.stream_stream,
        }
        multicallable = kinds[kind](f"/{SERVICE}/{kind}", serialize, ItemError.FromString)
        words = (ItemError(code=word) for word in text.split()) if isinstance(text, str) else text
        answers: Any = multicallable(words if kind in ("Gather", "Chat") else ItemError(code=text), **options)
        if kind in ("Many", "Chat"):
            return [answer.code async for answer in answers]
        return str((await answers).code).split()


@dataclass
class Node:
    """Keys, tokens, traces and servers of the node `ba-dinh`."""

    telemetry: Telemetry
    minter: TokenMinter
    verifier: TokenVerifier
    closing: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    service = SERVICE
    policy = POLICY
    person = PERSON
    add_kinds = staticmethod(add_kinds)

    async def serve(self, behave: Behave = echo, *, listen: str = "127.0.0.1:0", **options: Any) -> Served:
        kinds = Kinds(behave)
        server = create_server(
            listen,
            servicers=[(add_kinds, kinds)],
            policy=POLICY,
            verifier=options.pop("verifier", self.verifier),
            telemetry=self.telemetry,
            health=options.pop("health", Health()),
            **options,
        )
        await server.start()
        self.closing.append(lambda: server.drain(0))
        return Served(self, server, kinds)

    def token(self, *roles: str) -> Callable[[], Awaitable[str]]:
        token = self.minter.mint(PERSON, roles, "ba-dinh:UNIT", 300)

        async def source() -> str:
            return token

        return source

    async def spans(self, trace_id: str) -> list[SpanRecord]:
        await self.telemetry.flush()
        assert self.telemetry.store is not None
        return self.telemetry.store.spans_of(trace_id)


@asynccontextmanager
async def running_node(spans: Path | None = None) -> AsyncIterator[Node]:
    key = new_signing_key()

    async def keys() -> KeySet:
        return KeySet.import_key_set(public_keys([key]))

    telemetry = Telemetry.create("kinds", node="ba-dinh", spans_dir=spans, otlp_endpoint=None)
    node = Node(telemetry, TokenMinter("ba-dinh", key), TokenVerifier("ba-dinh", keys))
    yield node
    for close in reversed(node.closing):
        await close()
    await telemetry.shutdown()


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with running_node(tmp_path) as node:
        yield node


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)
