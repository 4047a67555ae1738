"""Filing, unary and bulk: authority and traces on, durable before the answer, against a bare echo of the same size.

All are called the same way: ready bytes over a bare channel, ours with a token and a trace as metadata, so that the
ratio is of the servers and not of two clients. The echo is there twice: as grpc.aio comes, and on uvloop, which our
services use and which makes it faster. Only directory, intake and the broker run while it measures: what review
does with the events is its own figure.
"""

import argparse
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
from harness import Result, helper, in_flight, main, median, percentiles_ms

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.console.demo.actors import Registrar
from sangkien.console.demo.cast import Casting
from sangkien.console.demo.scenario import load_scenario
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import LocalNode, local_node
from sangkien.console.node.plan import Options
from sangkien.console.node.sample import settle
from sangkien.console.operations import Operations, quiet
from sangkien.console.patience import until

ROUNDS = 3
METHOD = "/sangkien.api.intake.v1.IntakeService/FileDossier"


@dataclass(frozen=True, slots=True)
class Filer:
    """A union officer signed in, a unit and an author; `channel` carries no token by itself."""

    stub: "IntakeServiceStub"
    channel: grpc.aio.Channel
    token: str
    unit: str
    author: str


async def filer(running: LocalNode, channel: grpc.aio.Channel) -> Filer:
    casting, registrar = Casting(load_scenario("ba-dinh-2023"), seed=99), Registrar(running)
    _, district = await registrar.top(load_scenario("ba-dinh-2023"))
    officer = await registrar.actor(casting.person("Cán bộ công đoàn"), district, ["union_officer"])
    author = await registrar.person(casting.person("Giáo viên"), district)
    stub = IntakeServiceStub(running.channel("intake", officer.token))
    return Filer(stub, channel, await officer.token(), district, author)


def draft(number: int, unit: str, author: str) -> pb.Draft:
    """A dossier of some 2 KB, as people write them."""
    return pb.Draft(
        title=f"Một số biện pháp nâng cao chất lượng dạy học môn Lịch sử lớp 7, phương án {number}",
        field="Giáo dục và đào tạo",
        unit_id=unit,
        authors=[pb.Author(person_id=author, share=10_000)],
        first_applied_on="2023-01-10",
        filed_on="2023-05-10",
        summary="Tạo dựng không gian lịch sử ở lớp học bằng tư liệu, hiện vật và sơ đồ tư duy. " * 10,
        benefit="Học sinh hứng thú hơn, kết quả kiểm tra tăng. " * 8,
    )


async def measure(chosen: argparse.Namespace) -> Result:
    with tempfile.TemporaryDirectory(prefix="sangkien-bench-") as name:
        folder = NodeFolder(Path(name))
        async with local_node(folder, Options(("directory", "intake", "review"))) as running:
            await settle(running)
            await until("the round to be known", Operations(running).statuses, quiet)
        async with (
            local_node(folder, Options(("directory", "intake"))) as running,
            grpc.aio.insecure_channel(running.running.targets["intake"]) as channel,
            helper("echo_server.py") as port,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as bare,
            helper("echo_server.py", "uvloop") as port,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as on_uvloop,
        ):
            assert running.supervisor is not None
            intake = psutil.Process(running.supervisor.pids()["intake"])
            return await compare(await filer(running, channel), bare, on_uvloop, intake, chosen)


async def compare(
    who: Filer,
    bare: grpc.aio.Channel,
    on_uvloop: grpc.aio.Channel,
    intake: psutil.Process,
    chosen: argparse.Namespace,
) -> Result:
    """The same number of calls of the same size, turn and turn about.

    What a call takes of the processor in intake's process, all threads, says more than rates where others are at work.
    """
    result: Result = {}
    size = len(request_bytes(who, "k" * 24, 0))
    pings: list[grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = [
        channel.unary_unary("/bench.Echo/Echo") for channel in (bare, on_uvloop)
    ]
    result["request_bytes"] = size
    for width in (1, 32):
        ours, took, spent = [], [], []
        ceiling: list[float] = []
        ceiling_on_uvloop: list[float] = []
        for turn in range(ROUNDS):
            count = chosen.calls if width > 1 else chosen.calls // 4
            for ping, rates in zip(pings, (ceiling, ceiling_on_uvloop), strict=True):
                rates.append(await echoes(count, width, ping, size))
            call, before = filing_call(who, f"bench-{width}-{turn}", count), sum(intake.cpu_times()[:2])
            rate, seconds = await in_flight(count, width, call)
            spent.append((sum(intake.cpu_times()[:2]) - before) / count * 1e6)
            ours.append(rate)
            took += seconds
        result[f"unary_{width}"] = {
            "per_s": median(ours),
            "echo_per_s": median(ceiling),
            "ratio_to_echo": round(median(ours) / median(ceiling), 3),
            "echo_on_uvloop_per_s": median(ceiling_on_uvloop),
            "ratio_to_echo_on_uvloop": round(median(ours) / median(ceiling_on_uvloop), 3),
            "intake_cpu_us_per_call": median(spent),
            "ms": percentiles_ms(took),
        }
    result["bulk_rows_per_s"] = median([await bulk(who, chosen.rows, turn) for turn in range(ROUNDS)])
    return result


async def echoes(count: int, width: int, ping: "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]", size: int) -> float:
    """Echoes a second."""
    return (await in_flight(count, width, lambda _: ping(b"x" * size, timeout=30)))[0]


def request_bytes(who: Filer, key: str, number: int) -> bytes:
    request = pb.FileDossierRequest(idempotency_key=key, dossier=draft(number, who.unit, who.author))
    return request.SerializeToString()


def filing_call(who: Filer, key: str, count: int) -> Callable[[int], Awaitable[object]]:
    """Files the dossier of a number, each under a key and in a trace of its own."""
    requests = [request_bytes(who, f"{key}-{number:06d}", number) for number in range(count)]
    metadata = [
        (
            ("authorization", f"Bearer {who.token}"),
            ("traceparent", f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"),
        )
        for _ in range(count)
    ]
    file: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = who.channel.unary_unary(METHOD)

    async def call(number: int) -> None:
        answer = await file(requests[number], metadata=metadata[number], timeout=30)
        assert answer

    return call


async def bulk(who: Filer, rows: int, turn: int) -> float:
    """Rows per second of one stream, each row durable when it is answered."""
    filings = [
        pb.FileDossiersRequest(
            row=row + 1, idempotency_key=f"bulk-{turn}-{row:08d}", dossier=draft(row, who.unit, who.author)
        )
        for row in range(rows)
    ]

    async def requests() -> AsyncIterator[pb.FileDossiersRequest]:
        for filing in filings:
            yield filing

    began, answered = time.perf_counter(), 0
    async for answer in who.stub.FileDossiers(requests(), timeout=300):
        assert answer.HasField("filed"), answer.error.code
        answered += 1
    assert answered == rows
    return rows / (time.perf_counter() - began)


if __name__ == "__main__":
    main(measure, ("--calls", {"type": int, "default": 4_000}), ("--rows", {"type": int, "default": 10_000}))
