"""A real process killed while it issues, and votes that are repeated, broken or out of order."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
import pytest

from sangkien.api.recognition.v1 import recognition_pb2 as pb
from sangkien.api.recognition.v1.recognition_pb2_grpc import RecognitionServiceStub
from sangkien.contracts.events import DossierVoted
from sangkien.recognition.adapters.documents import SCHEMA
from sangkien.rpc import RemoteUnavailable, connect
from sangkien.runtime import Telemetry, new_id
from sangkien.store import Store, open_store
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble
from sangkien.testkit.nats_server import free_port
from sangkien.testkit.neighbour import Neighbour
from sangkien.testkit.service import RunningService
from sangkien.testkit.service_process import service_process

MANY = 1_200


@dataclass(frozen=True)
class Staff:
    """A secretary and a leader who call whatever process serves at the port, each answer None while none does."""

    secretary: RecognitionServiceStub
    leader: RecognitionServiceStub
    district: Any

    async def submitted(self, round_id: str, expected: int) -> str | None:
        try:
            return await draft(self.secretary, self.district, round_id, expected)
        except RemoteUnavailable:
            return None

    async def seen(self, decision_id: str) -> pb.Decision | None:
        """The decision once it has a number."""
        try:
            found = (await self.leader.GetDecision(pb.GetDecisionRequest(decision_id=decision_id))).decision
        except RemoteUnavailable:
            return None
        return found if found.number else None

    async def entered(self, decision_id: str) -> bool:
        found = await self.seen(decision_id)
        return bool(found and found.certificates)


@pytest.fixture
async def port() -> int:
    return free_port()


@pytest.fixture
async def staff(directory: DirectoryDouble, district: Any, port: int) -> AsyncIterator[Staff]:
    telemetry = Telemetry.create("test", node="local", spans_dir=None, otlp_endpoint=None)
    channels = [
        connect(f"127.0.0.1:{port}", telemetry=telemetry, token=directory.token(person, [role], district.issuer))
        for person, role in ((district.secretary, "secretary"), (district.leader, "leader"))
    ]
    yield Staff(RecognitionServiceStub(channels[0]), RecognitionServiceStub(channels[1]), district)
    for channel in channels:
        await channel.close()
    await telemetry.shutdown()


async def test_process_killed_while_issuing_loses_and_doubles_nothing(
    own_nats_server: NatsServer,
    tmp_path: Path,
    directory: DirectoryDouble,
    staff: Staff,
    port: int,
    votes: Any,
    voted: Callable[..., DossierVoted],
    issuing: Any,
) -> None:
    data = tmp_path / "data"
    events = [voted(f"D{n:04}", outcome="failed" if n % 12 == 0 else "passed") for n in range(MANY)]
    await votes([*events, voted("E1", round_id="R2")], wait=False)
    where: dict[str, Any] = {"nats_url": own_nats_server.url, "data_dir": data, "port": port, "directory": directory}
    with service_process("recognition", **where, sweep_seconds="0.2") as process:
        first = await eventually(lambda: staff.submitted("R1", MANY))
        second = await eventually(lambda: staff.submitted("R2", 1))
        own_nats_server.stop()  # what is committed from here on finds nobody to publish to
        call = asyncio.ensure_future(staff.leader.IssueDecision(issuing(first)))
        await eventually(lambda: staff.seen(first))
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
        await asyncio.gather(call, return_exceptions=True)

    own_nats_server.start()
    with service_process("recognition", **where, sweep_seconds="0.2"):
        await eventually(lambda: staff.entered(first))  # by the background, nobody asked again
        again = await staff.leader.IssueDecision(issuing(first))
        other = await staff.leader.IssueDecision(issuing(second))
        wanted = 2 + MANY + 1 + again.certificates + other.certificates
        published = await eventually(lambda: stream(own_nats_server.url, wanted))

    assert (again.number, again.already, again.certificates) == (3034, True, 2 * (MANY - MANY // 12))
    assert (other.number, other.already, other.certificates) == (3035, False, 2)
    decided = [body["dossier_id"] for kind, body in published if kind.startswith("initiative.")]
    assert sorted(decided) == [*[event.dossier_id for event in events], "E1"]
    numbers = [body["number"] for kind, body in published if kind == "certificate.issued"]
    ours = [f"3034.{n:04}/GCN-UBND" for n in range(1, again.certificates + 1)]
    assert sorted(numbers) == [*ours, "3035.0001/GCN-UBND", "3035.0002/GCN-UBND"]
    assert len(published) == wanted
    await expect_register(data, MANY - MANY // 12 + 1)


async def draft(stub: RecognitionServiceStub, district: Any, round_id: str, expected: int) -> str | None:
    """The submitted decision over a round, once all its votes are there."""
    waiting = pb.ListCandidatesRequest(round_id=round_id, page_size=1_000)
    page = await stub.ListCandidates(waiting)
    found = len(page.candidates)
    if page.next_page_token:
        waiting.page_token = page.next_page_token
        found += len((await stub.ListCandidates(waiting)).candidates)
    if found < expected:
        return None
    register = {"issuer_id": district.issuer, "suffix": "/QĐ-UBND"}
    await stub.OpenRegister(pb.OpenRegisterRequest(**register, year=2023, last_number=3033))
    request = pb.DraftDecisionRequest(**register, idempotency_key=f"draft {round_id}", round_id=round_id)
    decision_id = (await stub.DraftDecision(request)).decision_id
    await stub.SubmitDecision(pb.SubmitDecisionRequest(decision_id=decision_id))
    return str(decision_id)


async def stream(nats_url: str, wanted: int) -> list[tuple[str, dict[str, Any]]] | None:
    """Kind and body of every event recognition has published, once there are at least `wanted`."""
    client = await nats.connect(nats_url)
    js = client.jetstream()
    state = (await js.stream_info("EV_RECOGNITION")).state
    found = []
    if state.messages >= wanted:
        for seq in range(state.first_seq, state.last_seq + 1):
            message = await js.get_msg("EV_RECOGNITION", seq)
            kind = (message.subject or "").removeprefix("ev.recognition.").removesuffix(".v1")
            found.append((kind, json.loads(message.data or b"")))
    await client.close()
    return found or None


async def expect_register(data: Path, entries: int) -> None:
    """The killed process's store holds one entry for each recognised dossier, and nothing left to do."""
    store = await open_store(f"sqlite://{data}", database="recognition")
    await store.ensure(SCHEMA)
    kept = [await store.count(coll) for coll in ("initiatives", "works")]
    await store.close()
    assert kept == [entries, 0]


async def test_repeated_late_and_broken_votes_cost_nobody_else(
    recognition: RunningService, store: Store, review: Neighbour, voted: Callable[..., DossierVoted]
) -> None:
    once = await review.says(voted("D1", title="Đúng"), "D1", 5)
    await review.repeats(voted("D1", title="Đúng"), "D1", 5, event_id=once)
    await review.says(voted("D1", title="Cũ"), "D1", 4)
    await review.repeats(voted("D2", title="Mới"), "D2", 6, event_id=new_id())
    await review.repeats(voted("D2", title="Cũ"), "D2", 5, event_id=new_id())
    await review.bus.jetstream.publish(DossierVoted.TYPE, b'{"dossier_id": 7}')
    await review.says(voted("D3"), "D3", 5)

    async def settled() -> bool:
        lag = await recognition.host._bus.consumer_lag()
        return lag["recognition__review"].pending == 0 and await store.count("candidates") == 3

    await eventually(settled)
    letters = await eventually(lambda: recognition.host._bus.dead_letters.list("recognition"))
    assert [letter.reason for letter in letters] == ["undecodable"]
    kept = {doc["_id"]: (doc["title"], doc["applied"], doc["ver"]) for doc in await store.find("candidates")}
    assert (kept["D1"], kept["D2"]) == (("Đúng", 5, 1), ("Mới", 6, 1))


async def test_later_vote_on_a_drafted_dossier_is_put_aside_for_a_person(
    recognition: RunningService, store: Store, review: Neighbour, votes: Any, voted: Any, drafted: Any
) -> None:
    await votes([voted("D1")])
    await drafted()
    await review.says(voted("D1", outcome="failed"), "D1", 6)
    await review.says(voted("D2"), "D2", 5)

    letters = await eventually(lambda: recognition.host._bus.dead_letters.list("recognition"))
    assert [letter.reason for letter in letters] == ["vote_after_draft"]
    await eventually(lambda: store.count("candidates"), value=2)
    kept = await store.get("candidates", "D1")
    assert kept is not None
    assert (kept["passed"], kept["reason"]) == (True, "")
