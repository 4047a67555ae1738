"""A real process killed between commit and publish, and messages that are repeated or broken."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nats
import pytest

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.messaging import cloudevents as ce
from sangkien.rpc import RemoteUnavailable, connect
from sangkien.runtime import Telemetry, new_id
from sangkien.store import Store
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble
from sangkien.testkit.nats_server import free_port
from sangkien.testkit.service import RunningService
from sangkien.testkit.service_process import service_process


async def filed(stub: IntakeServiceStub, requests: list[pb.FileDossiersRequest]) -> list[pb.FileDossierResponse] | None:
    """What the rows were answered, None while nobody serves or the round is not known."""
    try:
        answers = [answer async for answer in stub.FileDossiers(iter(requests))]
    except RemoteUnavailable:
        return None
    return [answer.filed for answer in answers] if all(answer.HasField("filed") for answer in answers) else None


async def test_process_killed_between_commit_and_publish_loses_and_doubles_nothing(
    own_nats_server: NatsServer,
    tmp_path: Path,
    directory: DirectoryDouble,
    review: Any,
    opened: Any,
    draft: Callable[..., pb.Draft],
) -> None:
    port = free_port()
    telemetry = Telemetry.create("test", node="local", spans_dir=None, otlp_endpoint=None)
    token = directory.token("local:OFFICER", ["union_officer"], "local:UNIT")
    channel = connect(f"127.0.0.1:{port}", telemetry=telemetry, token=token)
    stub = IntakeServiceStub(channel)
    requests = [
        pb.FileDossiersRequest(row=n, idempotency_key=f"row:{n:06}", dossier=draft(title=f"Sáng kiến số {n}"))
        for n in range(120)
    ]
    where: dict[str, Any] = {"nats_url": own_nats_server.url, "directory": directory, "port": port}
    where["data_dir"] = tmp_path / "data"
    await review.says(opened(), "R1", 1)
    with service_process("intake", **where) as process:
        first = await eventually(lambda: filed(stub, requests[:40]))
        own_nats_server.stop()
        second = await eventually(lambda: filed(stub, requests[40:]))  # durable, and nobody to publish to
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL

    own_nats_server.start()
    with service_process("intake", **where):
        again = await eventually(lambda: filed(stub, requests))
        client = await nats.connect(own_nats_server.url)
        js = client.jetstream()

        async def published() -> int:
            return (await js.stream_info("EV_INTAKE")).state.messages

        await eventually(published, value=120)
        events = [await js.get_msg("EV_INTAKE", seq) for seq in range(1, 121)]
        await client.close()
    await channel.close()
    await telemetry.shutdown()

    ids = [one.dossier_id for one in [*first, *second]]
    assert [(one.dossier_id, one.already) for one in again] == [(id, True) for id in ids]
    assert sorted(json.loads(event.data or b"")["dossier_id"] for event in events) == sorted(ids)


@pytest.fixture
async def publish(own_nats_server: NatsServer, intake: RunningService) -> Any:
    """Publishes bytes as review's, with no Nats-Msg-Id: the broker keeps every copy."""
    client = await nats.connect(own_nats_server.url)

    async def send(event_type: str, body: bytes, event_id: str, *, version: int = 1) -> None:
        headers = {
            ce.ID: event_id,
            ce.TYPE: event_type,
            ce.SUBJECT: "R1",
            ce.AGGREGATE_VERSION: str(version),
            ce.TIME: "2023-05-18T02:00:00+00:00",
        }
        await client.jetstream().publish(event_type, body, headers=headers)

    yield send
    await client.close()


async def test_repeated_and_broken_news_costs_nobody_else(
    intake: RunningService, store: Store, opened: Any, publish: Any
) -> None:
    one, two = new_id(), new_id()
    await publish("ev.review.round.opened.v1", opened("R1").to_bytes(), one)
    await publish("ev.review.round.opened.v1", b'{"round_id": 7}', new_id())
    await publish("ev.review.round.opened.v1", opened("R1").to_bytes(), one)
    await publish("ev.review.round.opened.v1", opened("R2").to_bytes(), two)

    await eventually(lambda: store.count("rounds"), value=2)
    letters = await eventually(lambda: intake.host._bus.dead_letters.list("intake"))
    assert [letter.reason for letter in letters] == ["undecodable"]
    assert {row["_id"] for row in await store.find("inbox")} == {f"intake__review:{one}", f"intake__review:{two}"}
    assert {row["_id"]: row["ver"] for row in await store.find("rounds")} == {"R1": 1, "R2": 1}
