"""`sangkien import`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from sangkien.console.commands.speaking import (
    DEFAULT_DATA_DIR,
    AsJson,
    DataDir,
    Stop,
    folder_at,
    out,
    people,
    print_json,
    speak,
)

if TYPE_CHECKING:
    from sangkien.console.importing import ImportReport


_MOST_TOLD = 100
"""Rows of a table that a person may read."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(
    file: Annotated[Path | None, typer.Argument(help="Danh sách .xlsx, .xls, .ods hoặc .csv · a list.")] = None,
    template: Annotated[Path | None, typer.Option("--template", help="Ghi biểu mẫu trống · write a form.")] = None,
    round_id: Annotated[str, typer.Option("--round", help="Mã đợt; bỏ trống: đợt đang mở · the open one.")] = "",
    unit: Annotated[str, typer.Option("--unit", help="Đơn vị, khi tệp không ghi · where the file names none.")] = "",
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="Thư mục tệp minh chứng · folder of evidence files.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Nộp hồ sơ từ danh sách của đơn vị; chạy lại không nộp trùng · file a unit's list; safe to run again."""
    if template is not None:
        speak(_write_template(template), as_json=as_json)
        if file is None and as_json:
            print_json({"template": str(template)})
        else:
            (people if as_json else out).print(f"✓ {escape(str(template))}", soft_wrap=True)
    if file is None:
        if template is None:
            raise typer.BadParameter("cần một tệp, hoặc --template · name a file, or --template", param_hint="FILE")
        return
    report = speak(_filed(file, round_id, unit, evidence, data_dir), as_json=as_json)
    if as_json:
        print_json(report.as_json())
    else:
        _tell(report)
    if report.rejected and not report.filed + report.already:
        raise typer.Exit(1)  # nothing of the file could be used


async def _filed(file: Path, round_id: str, unit: str, evidence: Path | None, data_dir: Path) -> "ImportReport":
    from sangkien.console.importing import TableUnreadable, import_file
    from sangkien.console.node.local import local_node
    from sangkien.console.node.sample import settle, signed_in
    from sangkien.console.operations import Operations, quiet
    from sangkien.console.patience import until

    if os.path.isdir(file):  # noqa: ASYNC240, PTH112 (once, before anything runs; unlike Path it answers for any path)
        raise Stop(
            "file_not_found",
            f"{file} là thư mục, không phải tệp · a folder, not a file",
            "ghi tên tệp trong thư mục đó · name a file in it",
        )
    if not os.path.isfile(file):  # noqa: ASYNC240, PTH113 (as above)
        raise Stop(
            "file_not_found",
            f"Không có tệp {file} · there is no such file",
            "kiểm tra đường dẫn; mẫu trống · check the path; an empty one: sangkien import --template mau.xlsx",
        )
    if evidence is not None and not evidence.is_dir():  # noqa: ASYNC240 (as above)
        raise Stop(
            "evidence_folder_not_found",
            f"Không có thư mục {evidence} · there is no such folder",
            "--evidence <thư mục chứa các tệp · the folder with the files>",
        )
    async with local_node(folder_at(data_dir)) as node:
        if await settle(node):
            await until("the round to be known", Operations(node).statuses, quiet)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=people) as bar:
            sending = bar.add_task("Minh chứng · evidence (KiB)", total=None, visible=evidence is not None)
            task = bar.add_task(file.name, total=None)
            try:
                return await import_file(
                    node.channel("intake", signed_in(node, "union_officer")),
                    file,
                    round_id=round_id,
                    default_unit=unit,
                    evidence=evidence,
                    progress=lambda done, of: bar.update(task, completed=done, total=of),
                    uploaded=lambda done, of: bar.update(sending, completed=done // 1024, total=of // 1024),
                )
            except TableUnreadable as error:
                problem = error.problem
                raise Stop(
                    problem.code, f"{problem.message} · {problem.message_en}", f"{problem.fix} · {problem.fix_en}"
                ) from error


async def _write_template(path: Path) -> None:
    from sangkien.console.importing import write_template

    try:
        write_template(path)
    except OSError as error:
        raise Stop(
            "template_unwritable",
            f"{path}: không ghi được tệp · the file cannot be written: {error.strerror}",
            "chọn tên tệp khác · choose another file",
        ) from error


def _tell(report: "ImportReport") -> None:
    out.print(
        f"Đã nộp · filed: {report.filed}   Đã có từ trước · already: {report.already}"
        f"   Bị trả lại · rejected: {len(report.rejected)}"
    )
    if report.evidence is not None:
        counts = report.evidence.as_json()
        out.print(f"Tệp minh chứng · evidence files: {counts['files']} ({counts['bytes'] / 2**20:.1f} MiB)")
    for title, rows in (("Cần sửa · To mend", report.rejected), ("Lưu ý · Remarks", report.warnings)):
        if not rows:
            continue
        table = Table(title=title, title_justify="left")
        for heading in ("Dòng · Row", "Cột · Column", "Vấn đề · Problem", "Cách sửa · Fix"):
            table.add_column(heading)
        for each in rows[:_MOST_TOLD]:
            place, column = str(each.row or "–"), escape(each.column)
            table.add_row(place, column, f"{escape(each.message)} [dim]({each.code})[/dim]", escape(each.fix))
        out.print(table)
        if len(rows) > _MOST_TOLD:
            out.print(f"… {len(rows) - _MOST_TOLD} dòng nữa, xem bằng --json · more of them, with --json")
