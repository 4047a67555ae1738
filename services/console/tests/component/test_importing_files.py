"""From a unit's spreadsheet to filed dossiers, through a real intake."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
import xlsxwriter

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.console.importing import file_drafts, import_file
from sangkien.contracts.events import RoundOpened
from sangkien.intake.bootstrap import SERVICE
from sangkien.rpc import connect
from sangkien.runtime import Telemetry
from sangkien.testkit import NatsServer
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.nats_server import free_port
from sangkien.testkit.neighbour import neighbour
from sangkien.testkit.service import running_service
from sangkien.testkit.service_process import service_process

HEADER = ["STT", "Tên sáng kiến", "Tác giả", "Tỷ lệ (%)", "Nơi công tác", "Ngày áp dụng", "Ngày nộp", "Email"]
ROUND = RoundOpened(
    round_id="R1",
    council_id="C1",
    name="Đợt 1",
    tier="district",
    owner_id="local:OWNER",
    opens_on=date(2023, 4, 1),
    closes_on=date(2023, 6, 30),
)


@pytest.fixture
async def directory() -> AsyncIterator[DirectoryDouble]:
    async with directory_double() as double:
        double.add_unit("Phường Điện Biên")
        yield double


@pytest.fixture
async def telemetry() -> AsyncIterator[Telemetry]:
    telemetry = Telemetry.create("test", node="local", spans_dir=None, otlp_endpoint=None)
    yield telemetry
    await telemetry.shutdown()


@pytest.fixture
async def open_round(own_nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Publishes the round's opening as review does."""
    async with neighbour("review", nats_url=own_nats_server.url, data_dir=tmp_path) as review:
        yield lambda: review.says(ROUND, "R1")


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate([["DANH SÁCH SÁNG KIẾN"], [], HEADER, *rows]):
            sheet.write_row(line, 0, row)
    return path


def row(number: int, **changed: Any) -> list[Any]:
    values = {
        "title": f"Sáng kiến số {number}",
        "authors": "Nguyễn Thị Hoa",
        "share": "",
        "unit": "PHƯỜNG ĐIỆN BIÊN",
        "applied": "09/2022",
        "filed": "10/05/2023",
        "email": "",
    }
    return [number, *(values | changed).values()]


async def test_good_rows_are_filed_and_bad_ones_answered_with_their_column(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble, open_round: Any
) -> None:
    path = workbook(
        tmp_path / "danh-sach.xlsx",
        [
            row(1),
            row(2, authors="Lê An\nVũ Bình", share="60%\n30%"),
            row(3, unit="Phường Không Có"),
            row(4, applied="31/02/2023"),
            row(5, filed="01/07/2023"),
            row(6, authors="Lê An\nVũ Bình", share="60%\n40%", applied="01/05/2022"),
            row(7, title="Sáng kiến số 1"),
            row(8, email="hoa tại đơn vị"),
        ],
    )
    async with running_service(
        SERVICE, nats_url=own_nats_server.url, data_dir=tmp_path / "intake", directory=directory
    ) as intake:
        await open_round()
        channel = intake.channel("local:OFFICER", ["union_officer"], "local:UNIT")
        first = await import_file(channel, path, round_id="R1")
        again = await import_file(channel, path, round_id="R1")
        stored = await intake.host._store.count("dossiers")

    problems = [(error["row"], error["column"], error["code"]) for error in first.as_json()["rejected"]]
    assert (first.filed, first.already, again.filed, again.already, stored) == (2, 0, 0, 2, 2)
    assert problems == [
        (5, "Tỷ lệ (%)", "shares_not_100"),
        (6, "Nơi công tác", "unit_unknown"),
        (7, "Ngày áp dụng", "date_invalid"),
        (8, "Ngày nộp", "outside_round"),
        (10, "Tên sáng kiến", "duplicate_row"),
        (11, "Email", "person_refused"),
    ]
    assert "Phường Điện Biên" in first.rejected[1].message
    assert [(w.row, w.column, w.code) for w in first.warnings] == [(9, "Ngày áp dụng", "limitation_passed")]
    assert again.rejected == first.rejected
    assert all(error["fix"] for error in first.as_json()["rejected"])


async def test_drafts_are_filed_under_the_callers_keys(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble, open_round: Any
) -> None:
    draft = pb.Draft(
        round_id="R1",
        title="Sáng kiến cấp trên",
        unit_id="local:UNIT",
        authors=[pb.Author(person_id="local:A", share=10_000)],
        filed_on="2023-05-10",
    )
    async with running_service(
        SERVICE, nats_url=own_nats_server.url, data_dir=tmp_path / "intake", directory=directory
    ) as intake:
        await open_round()
        channel = intake.channel("local:OFFICER", ["union_officer"], "local:UNIT")
        drafts = [("key-0001", draft), ("key-0002", pb.Draft(round_id="R1", title="Cụt"))]
        report = await file_drafts(channel, drafts)
        again = await file_drafts(channel, drafts)

    assert (report.filed, report.already, [(e.row, e.code) for e in report.rejected]) == (1, 0, [(2, "title_length")])
    assert (again.filed, again.already) == (0, 1)


async def test_import_outlives_a_killed_intake_and_a_round_that_opens_late(
    own_nats_server: NatsServer,
    tmp_path: Path,
    directory: DirectoryDouble,
    telemetry: Telemetry,
    open_round: Any,
) -> None:
    port = free_port()
    path = workbook(tmp_path / "danh-sach.xlsx", [row(number) for number in range(1, 1_501)])
    token = directory.token("local:OFFICER", ["union_officer"], "local:UNIT")
    channel = connect(f"127.0.0.1:{port}", telemetry=telemetry, token=token)
    killed: list[int] = []

    with ExitStack() as processes:

        def start() -> Popen[bytes]:
            return processes.enter_context(
                service_process(
                    "intake",
                    nats_url=own_nats_server.url,
                    directory=directory,
                    data_dir=tmp_path / "intake",
                    port=port,
                )
            )

        running = start()

        def kill_in_the_middle(done: int, of: int) -> None:
            if not killed and 500 <= done < of:
                running.send_signal(signal.SIGKILL)
                killed.append(running.wait(10))
                start()

        await open_round()
        report = await import_file(channel, path, round_id="R1", progress=kill_in_the_middle)
        stub = IntakeServiceStub(channel)
        listed = await stub.ListDossiers(pb.ListDossiersRequest(round_id="R1", page_size=1_000))
        rest = await stub.ListDossiers(
            pb.ListDossiersRequest(round_id="R1", page_size=1_000, page_token=listed.next_page_token)
        )
    await channel.close()

    titles = [one.content.title for one in [*listed.dossiers, *rest.dossiers]]
    assert (killed, report.rejected, report.filed + report.already) == ([-signal.SIGKILL], [], 1_500)
    assert sorted(titles) == sorted(f"Sáng kiến số {number}" for number in range(1, 1_501))


async def test_list_without_a_row_files_nothing_and_says_so(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble
) -> None:
    async with running_service(
        SERVICE, nats_url=own_nats_server.url, data_dir=tmp_path / "intake", directory=directory
    ) as intake:
        channel = intake.channel("local:OFFICER", ["union_officer"], "local:UNIT")
        report = await import_file(channel, workbook(tmp_path / "trong.xlsx", []), round_id="R1")

    assert (report.filed, report.already, report.rejected) == (0, 0, [])
    assert [(each.row, each.code) for each in report.warnings] == [(0, "table_empty")]
