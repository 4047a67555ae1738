"""What a channel adds to each call, and what its calls can end with."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from sangkien.api.errors.v1.errors_pb2 import ItemError
from sangkien.rpc import RemoteError, RemoteRefusal, RemoteUnavailable, connect, retrying
from sangkien.runtime import Telemetry


async def hang(text: str) -> str:
    await asyncio.Event().wait()
    return text


async def test_every_call_ends_within_the_channels_own_time(node: Any, kind: str) -> None:
    served = await node.serve(hang)
    with pytest.raises(RemoteUnavailable) as failed:
        await served.call(kind, "a", over=served.channel("filer", timeout=0.2))
    assert failed.value.status == "DEADLINE_EXCEEDED"


async def test_timeout_of_a_call_wins_over_the_channels(node: Any, kind: str) -> None:
    served = await node.serve()
    assert await served.call(kind, "a", over=served.channel("filer", timeout=0.0), timeout=60) == ["a"]


async def test_call_cut_off_by_a_dying_server_is_unavailable(node: Any, kind: str) -> None:
    begun = asyncio.Event()

    async def begin_and_hang(text: str) -> str:
        begun.set()
        return await hang(text)

    served = await node.serve(begin_and_hang)
    call = asyncio.create_task(served.call(kind, "a"))
    await begun.wait()
    await served.server.drain(0)
    with pytest.raises(RemoteUnavailable):
        await call


async def test_call_to_nobody_is_unavailable(node: Any, kind: str, tmp_path: Path) -> None:
    served = await node.serve()
    nobody = connect(f"unix:{tmp_path}/nobody.sock", telemetry=node.telemetry)
    with pytest.raises(RemoteUnavailable) as failed:
        await served.call(kind, "a", over=nobody)
    assert failed.value.status == "UNAVAILABLE"
    await nobody.close()


async def test_channel_finds_a_service_again_that_came_back(node: Any, tmp_path: Path) -> None:
    listen = f"unix:{tmp_path}/kinds.sock"
    first = await node.serve(listen=listen)
    channel = first.channel("filer")
    assert await first.call("Once", "a", over=channel) == ["a"]
    await first.server.drain(0)
    with pytest.raises(RemoteUnavailable):
        await first.call("Once", "b", over=channel)
    again = await node.serve(listen=listen)
    assert await retrying(lambda: again.call("Once", "c", over=channel), deadline=30) == ["c"]


async def test_own_request_iterators_error_comes_back_as_itself(node: Any) -> None:
    served = await node.serve()
    channel = served.channel("filer")

    async def rows() -> AsyncIterator[ItemError]:
        yield ItemError(code="a")
        raise KeyError("column")

    codec = (ItemError.SerializeToString, ItemError.FromString)
    with pytest.raises(KeyError, match="column"):
        await channel.stream_unary(f"/{node.service}/Gather", *codec)(rows())
    with pytest.raises(KeyError, match="column"):
        _ = [answer async for answer in channel.stream_stream(f"/{node.service}/Chat", *codec)(rows())]


@pytest.mark.parametrize("kind", ["Gather", "Chat"])
async def test_call_that_grpc_cancels_by_itself_is_unavailable(node: Any, kind: str) -> None:
    """As it does whenever its own sending fails before it is told why: when a server dies, that is sending the end."""

    async def rows() -> AsyncIterator[ItemError]:
        yield ItemError(code="a")
        raise asyncio.CancelledError

    served = await node.serve()
    with pytest.raises(RemoteUnavailable) as failed:
        await served.call(kind, rows())
    assert failed.value.status == "CANCELLED"


async def test_stream_refused_while_it_is_written_is_no_fault_of_the_server(node: Any) -> None:
    """gRPC's client then at times fails in its own write, and keeps that in place of the server's answer."""
    served = await node.serve()
    stranger = served.channel("nobody")
    told = set()
    for _ in range(400):
        with pytest.raises(RemoteError) as caught:
            await served.call("Chat", "a b c", over=stranger)
        told.add(type(caught.value).__name__)

    assert told - {"RemoteUnavailable"} == {"RemoteRefusal"}
    assert served.seen == []


async def test_requests_may_be_written_one_by_one(node: Any) -> None:
    served = await node.serve()
    codec = (ItemError.SerializeToString, ItemError.FromString)
    gather = served.channel("filer").stream_unary(f"/{node.service}/Gather", *codec)()
    for word in "ab":
        await gather.write(ItemError(code=word))
    await gather.done_writing()
    assert (await gather).code == "a b"
    chat = served.channel("filer").stream_stream(f"/{node.service}/Chat", *codec)()
    answers = []
    for word in "ab":
        await chat.write(ItemError(code=word))
        answers.append((await chat.read()).code)
    await chat.done_writing()
    assert answers == ["a", "b"]


async def test_cancelling_the_caller_cancels_the_call(node: Any, kind: str) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def notice(text: str) -> str:
        begun.set()
        try:
            return await hang(text)
        finally:
            cancelled.set()

    served = await node.serve(notice)
    call = asyncio.create_task(served.call(kind, "a"))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await cancelled.wait()


async def test_callers_own_metadata_is_sent_and_left_alone(node: Any) -> None:
    served = await node.serve()
    channel = served.channel("filer")
    mine = grpc.aio.Metadata(("idempotency-key", "k1"))
    for _ in range(2):
        assert await served.call("Once", "a", over=channel, metadata=mine) == ["a"]
    assert list(mine) == [("idempotency-key", "k1")]


async def test_trace_runs_from_client_to_server_to_nested_client_and_on(node: Any, kind: str) -> None:
    inner = await node.serve()
    nested = inner.channel("filer")

    async def pass_on(text: str) -> str:
        return str((await inner.call("Once", text, over=nested))[0])

    outer = await node.serve(pass_on)
    with node.telemetry.span("click", parent=""):
        trace_id = node.telemetry.traceparent().split("-")[1]
        assert await outer.call(kind, "a") == ["a"]
    spans = {span.span_id: span for span in await node.spans(trace_id)}
    innermost = next(
        span
        for span in spans.values()
        if span.name == "KindsService/Once"
        and span.kind == "server"
        and spans[span.parent_id].parent_id in spans
        and spans[spans[span.parent_id].parent_id].kind == "server"
    )
    path, at = [], innermost
    while at.parent_id:
        path.append((at.kind, at.name))
        at = spans[at.parent_id]
    assert [*path, at.name] == [
        ("server", "KindsService/Once"),
        ("client", "KindsService/Once"),
        ("server", f"KindsService/{kind}"),
        ("client", f"KindsService/{kind}"),
        "click",
    ]


async def test_retrying_repeats_what_had_no_answer_and_nothing_else() -> None:
    calls: list[str] = []

    def failing(times: int, error: Exception) -> Any:
        async def call() -> int:
            calls.append("")
            if len(calls) <= times:
                raise error
            return len(calls)

        calls.clear()
        return call

    lost = RemoteUnavailable("/a.B/C", "UNAVAILABLE")
    assert await retrying(failing(3, lost), first_delay=0.001) == 4
    with pytest.raises(RemoteUnavailable):
        await retrying(failing(9, lost), attempts=3, first_delay=0.001)
    assert len(calls) == 3
    with pytest.raises(RemoteUnavailable):
        await retrying(failing(9, lost), deadline=0.0)
    assert len(calls) == 1
    refusal = RemoteRefusal("/a.B/C", "conflict", ItemError(code="taken"))
    with pytest.raises(RemoteRefusal):
        await retrying(failing(1, refusal), first_delay=0.001)
    assert len(calls) == 1


async def test_channel_without_a_trace_sends_none(node: Any) -> None:
    quiet = Telemetry.create("quiet", node="n", spans_dir=None, otlp_endpoint=None, ratio=0.0)
    served = await node.serve()
    channel = connect(served.server.target, telemetry=quiet, token=node.token("filer"))
    assert await served.call("Once", "a", over=channel) == ["a"]
    await channel.close()
    await node.telemetry.flush()
    assert node.telemetry.store.count() == 0
