"""`sangkien node invite|suspend|reinstate|revoke`: what the hub's operator does with other nodes."""

from datetime import UTC
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.console.commands.reaching import hub_at, told
from sangkien.console.commands.speaking import DEFAULT_DATA_DIR, AsJson, DataDir, Stop, out, print_json, speak
from sangkien.console.node.profiles import PROFILES

Node = Annotated[str, typer.Argument(help="Mã nút · the node's id.")]
Reason = Annotated[str, typer.Option("--reason", help="Lý do, người vận hành khác sẽ đọc · why, for other operators.")]


def add_to(node: typer.Typer) -> None:
    """Add the commands to the group `node`."""
    node.command("invite")(invite)
    node.command("suspend")(suspend)
    node.command("reinstate")(reinstate)
    node.command("revoke")(revoke)


def invite(  # noqa: PLR0913, PLR0917 (an invitation says all of it)
    org: Annotated[str, typer.Option("--org", help="Mã nút: chữ thường, số, gạch nối · the new node's id.")],
    profile: Annotated[str, typer.Option("--profile", help=f"Loại nút · kind: {', '.join(PROFILES)}.")],
    name: Annotated[str, typer.Option("--name", help="Tên tổ chức; mặc định: mã nút · its name; else the id.")] = "",
    parent: Annotated[
        str | None, typer.Option("--parent", help="Nút cấp trên; mặc định: trung tâm · the node above; this one.")
    ] = None,
    hours: Annotated[int, typer.Option("--hours", help="Gói mời dùng được bao lâu · how long it is good.", min=1)] = 72,
    file: Annotated[Path | None, typer.Option("--out", help="Tệp gói mời · where to write the bundle.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Mời lại nút đã đăng ký: bắt đầu đời mới · a new life of a known node.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Mời một tổ chức: in ra gói mời dùng một lần · invite an organisation: writes a bundle that is good once."""
    path = file or Path(f"{org}.bundle.json")

    async def work() -> pb.InviteNodeResponse:
        from sangkien.console.node.joining import write_secret

        if profile not in PROFILES:
            raise Stop(
                "profile_unknown",
                f"{profile}: không có loại nút này · no such profile",
                f"--profile {' | '.join(PROFILES)}",
            )
        async with hub_at(data_dir) as (node, stub):
            above = node.folder.identity().node if parent is None else parent
            asked = pb.InviteNodeRequest(node=org, name=name or org, profile=profile, parent=above, hours=hours)
            asked.again = again
            answer = await stub.InviteNode(asked)
        try:
            write_secret(path, answer.bundle)
        except OSError as error:
            raise Stop(
                "bundle_unwritable",
                f"{path}: không ghi được tệp · the file cannot be written: {error.strerror}",
                "chạy lại với --out khác: gói vừa tạo bị bỏ · run it again with another --out: that one is void",
            ) from error
        return answer

    answer = speak(work(), as_json=as_json)
    if as_json:
        until = answer.expires_at.ToDatetime(UTC).isoformat()
        print_json({"node": org, "profile": profile, "bundle": str(path), "expires_at": until})
        return
    out.print(f"✓ {escape(org)} → {escape(str(path))}, hết hạn · expires {told(answer.expires_at)}", soft_wrap=True)
    for line in (
        "Gói mời có mật khẩu dùng một lần: gửi qua kênh riêng, không gửi kèm thư thường.",
        "The bundle holds a one-time secret: hand it over privately, not in plain mail.",
        f"  sangkien node join {path.name} --data-dir …",
    ):
        out.print(line, markup=False, highlight=False)


def suspend(node: Node, reason: Reason, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Tạm dừng một nút; thư của nó được giữ lại · stop a node; what it sends and is sent is kept."""
    speak(_told(data_dir, "SuspendNode", pb.SuspendNodeRequest(node=node, reason=reason)), as_json=as_json)
    _say(node, "suspended", "đã tạm dừng", as_json=as_json)


def reinstate(node: Node, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Cho một nút bị tạm dừng đi tiếp từ chỗ đã dừng · let a suspended node go on where it stopped."""
    speak(_told(data_dir, "ReinstateNode", pb.ReinstateNodeRequest(node=node)), as_json=as_json)
    _say(node, "reinstated", "đi tiếp", as_json=as_json)


def revoke(node: Node, reason: Reason, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Thu hồi khóa và tài khoản của một nút, vĩnh viễn · end a node's keys and account for good."""
    speak(_told(data_dir, "RevokeNode", pb.RevokeNodeRequest(node=node, reason=reason)), as_json=as_json)
    _say(node, "revoked", "đã thu hồi", as_json=as_json)


async def _told(data_dir: Path, method: str, request: Any) -> None:
    async with hub_at(data_dir) as (_, stub):
        await getattr(stub, method)(request)


def _say(node: str, done: str, vi: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"node": node, done: True})
    else:
        out.print(f"✓ {escape(node)}: {vi} · {done}")
