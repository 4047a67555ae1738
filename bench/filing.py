"""Filing, unary and bulk: authority and traces on, durable before the answer, against a bare echo of the same size.

Only directory, intake and the broker run while it measures: what review does with the events is its own figure.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
from harness import Result, in_flight, main, median, percentiles_ms

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.console.demo.actors import Registrar
from sangkien.console.demo.cast import Casting
from sangkien.console.demo.patience import until
from sangkien.console.demo.scenario import load_scenario
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import LocalNode, local_node
from sangkien.console.node.plan import Options
from sangkien.console.node.sample import settle
from sangkien.console.operations import Operations, quiet

ROUNDS = 3


@asynccontextmanager
async def echo() -> AsyncIterator[grpc.aio.Channel]:
    script = Path(__file__).with_name("echo_server.py")
    process = await asyncio.create_subprocess_exec(sys.executable, str(script), stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        process.kill()
        await process.wait()


async def filer(running: LocalNode) -> tuple[IntakeServiceStub, str, str]:
    """A union officer's stub, a unit and an author."""
    casting, registrar = Casting(load_scenario("ba-dinh-2023"), seed=99), Registrar(running)
    _, district = await registrar.top(load_scenario("ba-dinh-2023"))
    officer = await registrar.actor(casting.person("Cán bộ công đoàn"), district, ["union_officer"])
    author = await registrar.person(casting.person("Giáo viên"), district)
    return IntakeServiceStub(running.channel("intake", officer.token)), district, author


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
        async with local_node(folder, Options(("directory", "intake"))) as running, echo() as bare:
            return await compare(running, bare, chosen)


async def compare(running: LocalNode, bare: grpc.aio.Channel, chosen: argparse.Namespace) -> Result:
    """The same number of calls of the same size, turn and turn about."""
    calls: int = chosen.calls
    result: Result = {}
    stub, unit, author = await filer(running)
    size = len(pb.FileDossierRequest(idempotency_key="k" * 24, dossier=draft(0, unit, author)).SerializeToString())
    ping = bare.unary_unary("/bench.Echo/Echo")
    result["request_bytes"] = size
    for width in (1, 32):
        ours, ceiling, took = [], [], []
        for turn in range(ROUNDS):
            count = calls if width > 1 else calls // 4

            async def file(number: int, run: int = turn, at: int = width) -> None:
                request = pb.FileDossierRequest(
                    idempotency_key=f"bench-{at}-{run}-{number}", dossier=draft(number, unit, author)
                )
                await stub.FileDossier(request)

            async def bounce(_: int) -> None:
                await ping(b"x" * size)

            ceiling.append((await in_flight(count, width, bounce))[0])
            rate, seconds = await in_flight(count, width, file)
            ours.append(rate)
            took += seconds
        result[f"unary_{width}"] = {
            "per_s": median(ours),
            "echo_per_s": median(ceiling),
            "ratio_to_echo": round(median(ours) / median(ceiling), 3),
            "ms": percentiles_ms(took),
        }
    result["bulk_rows_per_s"] = median([await bulk(stub, unit, author, chosen.rows, turn) for turn in range(ROUNDS)])
    return result


async def bulk(stub: IntakeServiceStub, unit: str, author: str, rows: int, turn: int) -> float:
    """Rows per second of one stream, each row durable when it is answered."""

    async def requests() -> AsyncIterator[pb.FileDossiersRequest]:
        for row in range(rows):
            key = f"bulk-{turn}-{row:08d}"
            yield pb.FileDossiersRequest(row=row + 1, idempotency_key=key, dossier=draft(row, unit, author))

    began, answered = time.perf_counter(), 0
    async for answer in stub.FileDossiers(requests(), timeout=300):
        assert answer.HasField("filed"), answer.error.code
        answered += 1
    assert answered == rows
    return rows / (time.perf_counter() - began)


if __name__ == "__main__":
    main(measure, ("--calls", {"type": int, "default": 4_000}), ("--rows", {"type": int, "default": 10_000}))
