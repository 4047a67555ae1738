"""`sangkien evidence`: the files that came with a dossier."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.console.commands.speaking import (
    DEFAULT_DATA_DIR,
    AsJson,
    DataDir,
    Stop,
    node_at,
    out,
    print_json,
    speak,
)

_READERS = ("secretary", "leader", "union_officer")
"""Whose account reads, the one who may see most first."""

DossierId = Annotated[str, typer.Argument(help="Mã hồ sơ hoặc số biên nhận · its id or receipt code.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    evidence = typer.Typer(help="Tệp minh chứng của hồ sơ · evidence files of a dossier.")
    evidence.command("list")(list_)
    evidence.command("get")(get)
    app.add_typer(evidence, name="evidence", no_args_is_help=True)


def list_(dossier_id: DossierId, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Tệp nào đi cùng hồ sơ, đã có ở đây chưa · which files a dossier has, and which of them are here."""

    async def work() -> pb.Dossier:
        async with _intake(data_dir) as stub:
            return await _dossier(stub, dossier_id)

    found = speak(work(), as_json=as_json)
    if as_json:
        files = [_plain(file) for file in found.content.files]
        print_json({"dossier_id": found.dossier_id, "code": found.code, "files": files})
        return
    table = Table()
    for heading in ("Tệp · File", "Kích thước · Size", "SHA-256", "Ở đây · Here"):
        table.add_column(heading, overflow="fold")
    for file in found.content.files:
        here = "✓" if file.held else "đang chờ · on its way"
        table.add_row(escape(file.name), f"{file.size / 1024:.0f} KiB", file.sha256[:16], here)
    out.print(table)


def get(
    dossier_id: DossierId,
    which: Annotated[
        str, typer.Argument(help="Tên tệp, hoặc từ 8 ký tự đầu của SHA-256; bỏ trống: tất cả · all when left out.")
    ] = "",
    out_dir: Annotated[Path, typer.Option("--out", help="Thư mục để lưu · where to save.")] = Path(),
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Tải tệp minh chứng về và đối chiếu mã SHA-256 · save evidence files, each compared with its hash."""
    answer = speak(_fetched(dossier_id, which, out_dir, data_dir), as_json=as_json)
    if as_json:
        print_json(answer)
        return
    for each in answer["saved"]:
        mark = "đã có · there already" if each["already"] else "✓"
        out.print(f"{mark} {escape(each['path'])}", soft_wrap=True)
    for each in answer["missing"]:
        out.print(f"chưa tới · not here yet: {escape(each['name'])}", soft_wrap=True)


async def _fetched(dossier_id: str, which: str, folder: Path, data_dir: Path) -> dict[str, Any]:
    from sangkien.console.evidence import EvidenceDamaged, chosen, fetch

    async with _intake(data_dir) as stub:
        dossier = await _dossier(stub, dossier_id)
        wanted = chosen(dossier.content.files, which)
        if which and not wanted:
            raise Stop(
                "evidence_unknown",
                f"{which}: hồ sơ không có tệp này · the dossier has no such file",
                f"sangkien evidence list {dossier_id}",
            )
        saved: list[dict[str, Any]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 (once)
            for file in wanted:
                if file.held:
                    path, already = await fetch(stub, dossier.dossier_id, file, folder)
                    saved.append(_plain(file) | {"path": str(path), "already": already})
        except EvidenceDamaged as error:
            raise Stop(
                "evidence_damaged",
                f"{error}: nội dung nhận được không khớp mã SHA-256 · what came does not match its SHA-256",
                "khôi phục kho tệp từ bản sao lưu · restore the files from a backup",
            ) from error
        except OSError as error:
            raise Stop(
                "evidence_unsaved",
                f"{folder}: không ghi được · cannot be written: {error.strerror}",
                "chọn --out khác · choose another --out",
            ) from error
        missing = [_plain(file) for file in wanted if not file.held]
        return {"dossier_id": dossier.dossier_id, "code": dossier.code, "saved": saved, "missing": missing}


@asynccontextmanager
async def _intake(data_dir: Path) -> AsyncIterator[IntakeServiceStub]:
    """Intake, called with the account of this machine that may read most."""
    from sangkien.console.node import accounts
    from sangkien.console.node.local import local_node
    from sangkien.console.node.sample import signed_in

    async with local_node(node_at(data_dir)) as node:
        made = accounts.load(node.folder)
        role = next((role for role in _READERS if role in made), _READERS[0])
        yield IntakeServiceStub(node.channel("intake", signed_in(node, role)))


async def _dossier(stub: IntakeServiceStub, dossier_id: str) -> pb.Dossier:
    from sangkien.console.patience import patiently

    return (await patiently(stub.GetDossier, pb.GetDossierRequest(dossier_id=dossier_id))).dossier


def _plain(file: pb.EvidenceFile) -> dict[str, Any]:
    return {"sha256": file.sha256, "size": file.size, "name": file.name, "held": file.held}
