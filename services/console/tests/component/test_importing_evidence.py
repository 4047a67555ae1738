"""Lists whose rows name evidence files, through a real intake."""

import random
import signal
import unicodedata
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.console.evidence import chosen
from sangkien.console.importing import ImportReport, import_file
from sangkien.console.importing.uploading import fingerprint, upload
from sangkien.contracts.events import RoundOpened
from sangkien.intake.bootstrap import SERVICE
from sangkien.rpc import connect
from sangkien.runtime import Telemetry
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.nats_server import free_port
from sangkien.testkit.neighbour import neighbour
from sangkien.testkit.service import RunningService, running_service
from sangkien.testkit.service_process import service_process

HEADER = ["STT", "Tên sáng kiến", "Tác giả", "Đơn vị", "Ngày nộp", "Tệp minh chứng"]
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
async def intake(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble
) -> AsyncIterator[RunningService]:
    where: dict[str, Any] = {"nats_url": own_nats_server.url, "data_dir": tmp_path / "intake", "directory": directory}
    async with (
        neighbour("review", nats_url=own_nats_server.url, data_dir=tmp_path) as review,
        running_service(SERVICE, **where, file_most_mib=1) as running,
    ):
        await review.says(ROUND, "R1")
        await eventually(lambda: running.host._store.count("rounds"), value=1)
        yield running


def workbook(path: Path, *evidence: str) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        for number, names in enumerate(evidence, start=1):
            cells = [number, f"Sáng kiến số {number}", "Nguyễn Thị Hoa", "Phường Điện Biên", "10/05/2023", names]
            sheet.write_row(number, 0, cells)
    return path


async def imported(intake: RunningService, path: Path, folder: Path | None) -> ImportReport:
    channel = intake.channel("local:OFFICER", ["union_officer"], "local:UNIT")
    return await import_file(channel, path, round_id="R1", evidence=folder)


def problems(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(each.row, each.column, each.code) for each in report.rejected]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files as an office keeps them: a picture in a folder of its own, named in decomposed letters."""
    folder = tmp_path / "minh-chung"
    (folder / "ảnh").mkdir(parents=True)
    (folder / "ảnh" / unicodedata.normalize("NFD", "Trước khi làm.JPG")).write_bytes(b"\xff\xd8" + bytes(700_000))
    (folder / "Báo cáo.pdf").write_bytes(b"%PDF-1.7 bao cao")
    (folder / "bản sao.pdf").write_bytes(b"%PDF-1.7 bao cao")
    (folder / "phim.mp4").write_bytes(bytes(2**20 + 1))
    (folder / "chạy.exe").write_bytes(b"MZ")
    (folder / "rỗng.pdf").touch()
    (tmp_path / "ngoài.pdf").write_bytes(b"%PDF-1.7 ngoai thu muc")
    return folder


async def test_rows_are_filed_with_their_files_and_those_without_are_answered_with_their_column(
    intake: RunningService, folder: Path, tmp_path: Path
) -> None:
    path = workbook(
        tmp_path / "danh-sach.xlsx",
        "ảnh/trước khi làm.jpg; Báo cáo.pdf",
        "",
        "bản sao.pdf",
        "phim.mp4",
        "chạy.exe",
        "không có.pdf",
        "../ngoài.pdf",
        "rỗng.pdf",
        "Báo cáo.pdf\nbản sao.pdf",
    )
    first = await imported(intake, path, folder)
    again = await imported(intake, path, folder)

    column = "Tệp minh chứng"
    assert (first.filed, first.already, again.filed, again.already) == (3, 0, 0, 3)
    assert problems(first) == [
        (5, column, "evidence_too_large"),
        (6, column, "evidence_type_forbidden"),
        (7, column, "evidence_not_found"),
        (8, column, "evidence_not_found"),
        (9, column, "evidence_empty"),
        (10, column, "evidence_twice"),
    ]
    assert again.rejected == first.rejected
    assert all(each["message"] and each["fix"] for each in first.as_json()["rejected"])
    sizes = {"files": 2, "bytes": 700_002 + 16}
    assert first.as_json()["evidence"] == {**sizes, "sent": sizes["bytes"]}
    assert again.as_json()["evidence"] == {**sizes, "sent": 0}
    versions = await intake.host._store.find("dossier_versions")
    named = {doc["title"]: [name for _, _, name in doc.get("files", [])] for doc in versions}
    assert named == {
        "Sáng kiến số 1": ["Trước khi làm.JPG", "Báo cáo.pdf"],
        "Sáng kiến số 2": [],
        "Sáng kiến số 3": ["bản sao.pdf"],
    }


async def test_list_filed_again_with_other_evidence_makes_no_second_dossier(
    intake: RunningService, folder: Path, tmp_path: Path
) -> None:
    path = workbook(tmp_path / "danh-sach.xlsx", "Báo cáo.pdf", "")
    without = await imported(intake, path, None)
    again = await imported(intake, path, folder)

    assert [(each.row, each.column, each.code) for each in without.warnings] == [
        (0, "Tệp minh chứng", "evidence_unread")
    ]
    assert (without.filed, without.evidence, again.filed, again.already) == (2, None, 0, 1)
    assert problems(again) == [(2, "Tệp minh chứng", "evidence_differs")]
    assert await intake.host._store.count("dossiers") == 2


def test_files_are_chosen_by_name_or_the_beginning_of_their_hash() -> None:
    files = [pb.EvidenceFile(sha256=f"{n}" * 64, name=name) for n, name in enumerate(("Ảnh.png", "ảnh.PNG", "a.pdf"))]

    assert chosen(files, "") == files
    assert chosen(files, unicodedata.normalize("NFD", "ẢNH.png")) == files[:2]
    assert chosen(files, "22222222") == files[2:]
    assert chosen(files, "2222222") == chosen(files, "b.pdf") == []


async def test_upload_goes_on_where_the_killed_intake_stood(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble
) -> None:
    film, port, sent = tmp_path / "phim.mp4", free_port(), [0]
    killed: list[int] = []
    film.write_bytes(random.Random(3).randbytes(8 * 2**20))
    telemetry = Telemetry.create("test", node="local", spans_dir=None, otlp_endpoint=None)
    token = directory.token("local:OFFICER", ["union_officer"], "local:UNIT")
    channel = connect(f"127.0.0.1:{port}", telemetry=telemetry, token=token)
    stub = IntakeServiceStub(channel)
    where: dict[str, Any] = {"nats_url": own_nats_server.url, "directory": directory, "data_dir": tmp_path / "intake"}

    with ExitStack() as processes:
        running = processes.enter_context(service_process("intake", port=port, **where))

        def kill_in_the_middle(count: int) -> None:
            sent[0] += count
            if not killed and sent[0] >= 4 * 2**20:
                running.kill()
                killed.append(running.wait())
                processes.enter_context(service_process("intake", port=port, **where))

        sha256, size = await fingerprint(film)
        await upload(stub, film, sha256, size, kill_in_the_middle)
        at = await stub.GetFile(pb.GetFileRequest(sha256=sha256))
    await channel.close()
    await telemetry.shutdown()

    kept = tmp_path / "intake" / "intake.files" / sha256[:2] / sha256
    assert (killed, at) == ([-signal.SIGKILL], pb.GetFileResponse(received=size, complete=True))
    assert (sent[0], kept.read_bytes() == film.read_bytes()) == (size, True)
