"""`sangkien organisation list|register|reorganise`: the node's dated tree, and what other nodes assert of theirs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from sangkien.api.directory.v1 import directory_pb2 as pb
from sangkien.api.directory.v1.directory_pb2_grpc import DirectoryServiceStub
from sangkien.console.commands.reaching import plain
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
from sangkien.console.node.local import local_node

_PAGE = 1_000

On = Annotated[str, typer.Option("--on", help="Ngày, YYYY-MM-DD · a day.")]
Document = Annotated[str, typer.Option("--document", help="Số, ký hiệu văn bản sắp xếp · the document's symbol.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Đơn vị: danh sách, đăng ký, sắp xếp · organisations: list, register, reorganise.")
    group.command("list")(list_)
    group.command("register")(register)
    group.command("reorganise")(reorganise)
    app.add_typer(group, name="organisation", no_args_is_help=True)


def list_(
    asserted_by: Annotated[
        str, typer.Option("--asserted-by", help="Của một nút khác, hoặc * · of another node, or * for all others.")
    ] = "",
    kind: Annotated[str, typer.Option("--kind", help="Chỉ loại này · only of this kind.")] = "",
    on: On = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Đơn vị của nút này, hoặc theo lời nút khác · this node's organisations, or those other nodes assert."""

    async def work() -> list[pb.Organisation]:
        found: list[pb.Organisation] = []
        async with _directory(data_dir) as stub:
            request = pb.ListOrganisationsRequest(kind=kind, on=on, page_size=_PAGE, asserted_by=asserted_by)
            while True:
                page = await stub.ListOrganisations(request)
                found.extend(page.organisations)
                if not page.next_page_token:
                    return found
                request.page_token = page.next_page_token

    found = speak(work(), as_json=as_json)
    if as_json:
        print_json({"organisations": [plain(one) for one in found]})
        return
    table = Table(title=f"Đơn vị · Organisations: {len(found)}", title_justify="left")
    for heading in ("Mã · Id", "Tên · Name", "Từ · From", "Đến hết · Until", "Kế thừa · Successors", "Nút · Node"):
        table.add_column(heading, overflow="fold")
    for one in found:
        went = "\n".join(f"{step.organisation_id} ({step.on}, {step.document})" for step in one.successors)
        node = one.asserted_by or "nút này · here"
        cells = (one.organisation_id, one.name, one.valid_from or "–", one.valid_to or "–", went, node)
        table.add_row(*map(escape, cells))
    out.print(table)


def register(
    name: Annotated[str, typer.Argument(help="Tên như in trên văn bản · the name as printed.")],
    kind: Annotated[str, typer.Option("--kind", help="Mã loại, như PHUONG_XA · the kind's code.")],
    parent: Annotated[str, typer.Option("--parent", help="Đơn vị cấp trên · its parent's id.")] = "",
    since: Annotated[str, typer.Option("--from", help="Ngày đầu, YYYY-MM-DD · its first day.")] = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Đăng ký một đơn vị; đã có thì trả lại mã · register one, or learn the id it has."""

    async def work() -> pb.OrganisationResult:
        async with _directory(data_dir) as stub:
            new = pb.NewOrganisation(name=name, kind=kind, parent_id=parent, valid_from=since)
            answer = await stub.RegisterOrganisations(pb.RegisterOrganisationsRequest(organisations=[new]))
            [result] = answer.results
            if result.error.code:
                error = result.error
                raise Stop(
                    error.code,
                    f"{error.message_vi} · {error.message_en}",
                    f"{error.fix_vi} · {error.fix_en}" if error.fix_vi else "",
                )
            return result

    result = speak(work(), as_json=as_json)
    if as_json:
        print_json({"organisation_id": result.organisation_id, "already": result.already})
    else:
        out.print(escape(result.organisation_id))


def reorganise(
    document: Document,
    on: On,
    predecessors: Annotated[list[str], typer.Option("--from", help="Đơn vị cũ, nhiều lần được · predecessors.")],
    successors: Annotated[
        list[str] | None, typer.Option("--to", help="Đơn vị kế thừa; không có: giải thể · successors; none: closed.")
    ] = None,
    share: Annotated[str, typer.Option("--share", help="whole, part, rest")] = "whole",
    stand_on: Annotated[
        bool, typer.Option("--stand-on", help="Đơn vị cũ vẫn hoạt động · the predecessors go on.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Ghi việc sáp nhập, chia tách, đổi tên, giải thể · record a merger, split, renaming or closing."""

    async def work() -> bool:
        async with _directory(data_dir) as stub:
            request = pb.ReorganiseRequest(
                predecessor_ids=predecessors,
                successor_ids=successors or [],
                share=share,
                on=on,
                document=document,
                stand_on=stand_on,
            )
            return bool((await stub.Reorganise(request)).already)

    already = speak(work(), as_json=as_json)
    if as_json:
        print_json({"already": already})
    else:
        out.print("✓ đã ghi từ trước · recorded before" if already else "✓ đã ghi · recorded")


@asynccontextmanager
async def _directory(data_dir: Path) -> AsyncIterator[DirectoryServiceStub]:
    async with local_node(node_at(data_dir)) as node:
        yield DirectoryServiceStub(node.channel("directory", node.operator()))
