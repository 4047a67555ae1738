"""`sangkien dossier`: who holds a dossier that crossed, since when, and who must answer by when."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from sangkien.api.exchange.v1 import exchange_pb2 as ex
from sangkien.console.commands.file_table import file_table
from sangkien.console.commands.reaching import member_at, plain, told, worded
from sangkien.console.commands.speaking import DEFAULT_DATA_DIR, AsJson, DataDir, out, print_json, speak


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("dossier")(dossier)


def dossier(
    dossier_id: Annotated[str, typer.Argument(help="Mã hồ sơ hoặc số biên nhận ở nút này · its id or receipt code.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Hồ sơ đang ở đâu, từ bao giờ, ai phải trả lời trước ngày nào · who holds a dossier, since when, who answers."""

    async def work() -> tuple[ex.GetCustodyResponse, ex.ListFilesResponse]:
        async with member_at(data_dir) as (_, stub):
            custody = await stub.GetCustody(ex.GetCustodyRequest(dossier_id=dossier_id))
            return custody, await stub.ListFiles(ex.ListFilesRequest(dossier_id=custody.dossier_id))

    found, listed = speak(work(), as_json=as_json)
    if as_json:
        steps, issued = [plain(one) for one in found.steps], [plain(one) for one in found.certificates]
        files = [plain(one) for one in listed.files]
        print_json(plain(found) | {"steps": steps, "certificates": issued, "files": files})
        return
    out.print(
        f"[bold]{escape(found.dossier_id)}[/bold]: {escape(found.holder)} đang giữ từ · holds it since"
        f" {told(found.since)}",
        soft_wrap=True,
    )
    if found.remote_id:
        out.print(f"Mã ở bên kia · id over there: {escape(found.remote_id)}")
    if found.answer_from:
        due = escape(found.answer_due) if found.answer_due else "chưa rõ hạn · no day set"
        out.print(f"Phải trả lời · must answer: {escape(found.answer_from)}, {due}")
    table = Table(show_header=True)
    for heading in ("Lúc · At", "Nút · Node", "Việc · What", ""):
        table.add_column(heading, overflow="fold")
    for step in found.steps:
        what = worded("custody_step", step.what)
        table.add_row(told(step.at), escape(step.node), escape(what), escape(step.detail))
    out.print(table)
    if listed.files:
        out.print(file_table(listed.files))
    for one in found.certificates:
        out.print(
            f"GCN số · certificate [bold]{escape(one.number)}[/bold]: {escape(one.node)}, {escape(one.issued_on)},"
            f" {escape(one.person_id)}; mã kiểm tra · check code {escape(one.check_code)}",
            soft_wrap=True,
        )
