"""Directory as a process of its own, killed between commit and publish."""

import signal
from pathlib import Path
from typing import Any

import nats
from nats.js.errors import NotFoundError

from sangkien.api.directory.v1 import directory_pb2 as api
from sangkien.api.directory.v1.directory_pb2_grpc import DirectoryServiceStub
from sangkien.contracts.events import OrganisationRegistered
from sangkien.contracts.topology import stream_name
from sangkien.rpc import connect, retrying
from sangkien.runtime import Telemetry
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import NODE_SECRET
from sangkien.testkit.nats_server import free_port
from sangkien.testkit.service_process import service_process

SIX = [api.NewOrganisation(kind="PHUONG_XA", name=f"Phường {number}") for number in range(6)]


async def registered(target: str, telemetry: Telemetry) -> list[tuple[str, bool]]:
    """Register six wards as the node's console, and let the first go over into the second: ids, and what was there."""
    async with connect(target, telemetry=telemetry) as channel:
        secret = api.IssueServiceTokenRequest(service="console", node_secret=NODE_SECRET)
        issued = await retrying(lambda: _answer(DirectoryServiceStub(channel).IssueServiceToken(secret)), deadline=30)

    async def token() -> str:
        return str(issued.token)

    async with connect(target, telemetry=telemetry, token=token) as channel:
        asked = api.RegisterOrganisationsRequest(organisations=SIX)
        stub = DirectoryServiceStub(channel)
        known = [(each.organisation_id, each.already) for each in (await stub.RegisterOrganisations(asked)).results]
        first, second = known[0][0], known[1][0]
        step = api.ReorganiseRequest(
            predecessor_ids=[first], successor_ids=[second], on="2025-07-01", document="1656/NQ-UBTVQH15"
        )
        return [*known, (first, (await stub.Reorganise(step)).already)]


async def _answer(call: Any) -> Any:
    return await call


async def published(url: str) -> list[str]:
    """The organisations the stream speaks of, in order."""
    client = await nats.connect(url)
    try:
        js = client.jetstream()
        state = (await js.stream_info(stream_name("directory"))).state
        messages = [await js.get_msg(stream_name("directory"), seq=seq) for seq in range(1, state.last_seq + 1)]
    except NotFoundError:
        return []
    finally:
        await client.close()
    return [OrganisationRegistered.from_bytes(message.data or b"").organisation_id for message in messages]


async def test_kill_between_commit_and_publish_loses_and_doubles_nothing(
    own_nats_server: NatsServer, tmp_path: Path
) -> None:
    port = free_port()
    target = f"127.0.0.1:{port}"
    where: dict[str, Any] = {"nats_url": own_nats_server.url, "data_dir": tmp_path, "port": port}
    telemetry = Telemetry.create("test", node="local", spans_dir=None, otlp_endpoint=None)
    with service_process("directory", **where) as process:
        async with connect(target, telemetry=telemetry) as channel:
            await retrying(lambda: _answer(DirectoryServiceStub(channel).GetKeys(api.GetKeysRequest())), deadline=30)
        own_nats_server.kill()
        first = await registered(target, telemetry)
        process.kill()
        await eventually(lambda: process.poll() is not None)
        assert process.returncode == -signal.SIGKILL

    own_nats_server.start()
    assert await published(own_nats_server.url) == []
    with service_process("directory", **where) as process:
        again = await registered(target, telemetry)
        ids = [*[id for id, _ in first], first[1][0]]
        assert [already for _, already in first] == [False] * 7
        assert again == [(id, True) for id, _ in first]
        await eventually(lambda: published(own_nats_server.url), value=ids)
        process.terminate()
        await eventually(lambda: process.poll() is not None)
    assert await published(own_nats_server.url) == ids
    await telemetry.shutdown()
