"""Starting, being watched, and stopping."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from sangkien.rpc import READY, ListenFailed, RemoteRefusal, RemoteUnavailable
from sangkien.runtime import Health, MetricsPage
from sangkien.testkit import eventually

SERVING, NOT_SERVING = 1, 2


async def status(served: Any, name: str) -> int:
    stub = health_pb2_grpc.HealthStub(served.bare())
    return int((await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=60)).status)


async def test_health_is_told_to_anyone_and_tells_serving_from_ready(node: Any) -> None:
    health, well = Health(), asyncio.Event()

    async def ping() -> None:
        if not well.is_set():
            raise ConnectionError

    health.register("store", ping)
    served = await node.serve(health=health)
    assert [await status(served, name) for name in ("", node.service, READY)] == [SERVING, SERVING, NOT_SERVING]
    well.set()
    assert await status(served, READY) == SERVING
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await status(served, "no.such.Service")
    assert failed.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("reflection", [True, False])
async def test_server_describes_itself_only_where_told_to(node: Any, reflection: bool) -> None:
    served = await node.serve(reflection=reflection)
    stub = reflection_pb2_grpc.ServerReflectionStub(served.bare())
    request = reflection_pb2.ServerReflectionRequest(list_services="")

    async def listed() -> set[str]:
        answers = stub.ServerReflectionInfo(iter([request]))
        return {one.name async for answer in answers for one in answer.list_services_response.service}

    if reflection:
        assert await listed() == {
            node.service,
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
        }
    else:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await listed()
        assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_drain_finishes_calls_under_way_and_takes_no_new_ones(node: Any, kind: str) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def work(text: str) -> str:
        begun.set()
        await finish.wait()
        return text

    served = await node.serve(work)
    watch = health_pb2_grpc.HealthStub(served.bare()).Watch(health_pb2.HealthCheckRequest(), timeout=60)
    assert (await watch.read()).status == SERVING
    under_way = asyncio.create_task(served.call(kind, "a"))
    await begun.wait()
    draining = asyncio.create_task(served.server.drain(60))
    assert (await watch.read()).status == NOT_SERVING
    watch.cancel()
    with pytest.raises(RemoteUnavailable):
        await served.call(kind, "late")
    finish.set()
    assert await under_way == ["a"]
    await draining
    assert "late" not in served.seen


async def test_drain_keeps_nobody_waiting_who_came_in_a_crowd(node: Any) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def work(text: str) -> str:
        begun.set()
        await finish.wait()
        return text

    served = await node.serve(work)
    channel = served.channel("filer", timeout=60)
    crowd = [asyncio.create_task(served.call("Once", str(number), over=channel)) for number in range(100)]
    await begun.wait()
    draining = asyncio.create_task(served.server.drain(600))
    finish.set()
    answers = await asyncio.gather(*crowd, return_exceptions=True)
    await draining
    told = [answer.status for answer in answers if isinstance(answer, RemoteUnavailable)]
    assert told.count("DEADLINE_EXCEEDED") == 0  # else somebody was taken in and left to wait
    assert sorted(answer[0] for answer in answers if isinstance(answer, list)) == sorted(served.seen)


async def turned_away(node: Any) -> set[str]:
    """What callers hear who come again and again, until their server drains."""
    served = await node.serve()
    channel = served.channel("filer", timeout=30)

    async def come_again() -> str:
        try:
            while True:
                await served.call("Once", "a", over=channel)
        except RemoteUnavailable as heard:
            return heard.status

    crowd = [asyncio.create_task(come_again()) for _ in range(100)]
    await eventually(lambda: len(served.seen) >= 300)
    await served.server.drain(600)
    return set(await asyncio.gather(*crowd))


async def test_drain_keeps_nobody_waiting_who_comes_meanwhile(node: Any) -> None:
    heard = [await turned_away(node) for _ in range(4)]  # one time in two nobody comes at the very moment
    assert set().union(*heard) <= {"UNAVAILABLE", "CANCELLED"}  # else somebody waited until his time was over


async def test_drain_of_a_server_that_never_started_is_nothing(node: Any) -> None:
    served = await node.serve()
    await served.server.drain(0)
    await served.server.drain(0)
    with pytest.raises(RemoteUnavailable):
        await served.call("Once", "a")


async def test_second_server_on_an_address_is_told_that_it_is_taken(node: Any) -> None:
    first = await node.serve()
    with pytest.raises(ListenFailed, match=f"cannot listen on {first.server.target}"):
        await node.serve(listen=first.server.target)


async def test_calls_above_the_bound_are_told_to_come_again(node: Any) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def work(text: str) -> str:
        begun.set()
        await finish.wait()
        return text

    served = await node.serve(work, max_concurrent=1)
    first: asyncio.Task[list[str]] = asyncio.create_task(served.call("Once", "a"))
    await begun.wait()
    with pytest.raises(RemoteUnavailable) as failed:
        await served.call("Once", "b")
    finish.set()
    assert (await first, failed.value.status) == (["a"], "RESOURCE_EXHAUSTED")


LOGGING = """
import asyncio, runpy, sys
from sangkien.runtime import configure_logging
configure_logging()
parts = runpy.run_path(sys.argv[1])
async def refuse(text):
    raise parts["Unavailable"]("store") if text == "store" else ValueError("Trần Thị Bích")
async def main():
    async with parts["running_node"]() as node:
        served = await node.serve(refuse)
        for kind, text in (("Once", "store"), ("Chat", "Trần")):
            try:
                await served.call(kind, text)
            except parts["RemoteError"]:
                pass
        try:
            await served.call("Many", "x", over=served.channel())
        except parts["RemoteError"]:
            pass
asyncio.run(main())
"""


def test_every_call_leaves_one_line_without_bodies_or_messages() -> None:
    conftest = Path(__file__).with_name("conftest.py")
    done = subprocess.run([sys.executable, "-c", LOGGING, conftest], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    shown = [(line["level"], line["method"].rpartition("/")[2], line["code"], line["subject"]) for line in lines]
    person = "ba-dinh:01ARZ3NDEKTSV4RRFFQ69G5FAV"
    assert shown == [
        ("warning", "Once", "UNAVAILABLE", person),
        ("error", "Chat", "INTERNAL", person),
        ("info", "Many", "UNAUTHENTICATED", ""),
    ]
    assert (lines[1]["error_type"], len(lines[1]["incident"]), lines[2]["reason"]) == (
        "ValueError",
        26,
        "token_missing",
    )
    assert [len(line["trace_id"]) for line in lines] == [32, 32, 32]
    assert "Trần" not in done.stderr


async def test_every_call_is_counted_by_method_and_code(node: Any) -> None:
    page = MetricsPage()
    served = await node.serve(metrics=page.of("kinds"))
    await served.call("Once", "a")
    await served.call("Once", "b")
    with pytest.raises(RemoteRefusal):
        await served.call("Once", "c", over=served.channel("author"))
    url = f"http://127.0.0.1:{page.serve(0)}/metrics"
    lines = (await asyncio.to_thread(lambda: urlopen(url).read())).decode().splitlines()
    page.close()
    assert {line for line in lines if line.startswith("rpc_calls_total{")} == {
        f'rpc_calls_total{{code="OK",method="/{node.service}/Once",service="kinds"}} 2.0',
        f'rpc_calls_total{{code="PERMISSION_DENIED",method="/{node.service}/Once",service="kinds"}} 1.0',
    }
