"""`sangkien node join|status|leave|rotate-keys|doctor`: an organisation's own membership."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from sangkien.api.exchange.v1 import exchange_pb2 as ex
from sangkien.api.hub.v1 import hub_pb2 as hub
from sangkien.console.commands.node_commands import restarted, stay, until_asked
from sangkien.console.commands.reaching import exchange_of, hub_of, member_at, member_folder, plain, told, worded
from sangkien.console.commands.speaking import (
    DEFAULT_DATA_DIR,
    AsJson,
    DataDir,
    Mongo,
    Stop,
    folder_at,
    out,
    people,
    print_json,
    speak,
)
from sangkien.console.node.doctor import Check
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import local_node
from sangkien.console.node.plan import Options, usual
from sangkien.text.catalogue import label

if TYPE_CHECKING:
    from sangkien.console.node.joining import Joined

_WELL = frozenset({"", "open"})
KeysOnly = Annotated[
    bool,
    typer.Option(
        "--keys-only",
        help="Chỉ lấy khóa, không chạy nút ở đây (nút chạy trong container) · keys alone, for a node in containers.",
    ),
]


def add_to(node: typer.Typer) -> None:
    """Add the commands to the group `node`."""
    node.command("join")(join)
    node.command("status")(status)
    node.command("leave")(leave)
    node.command("rotate-keys")(rotate_keys)
    node.command("doctor")(doctor)


def join(
    bundle: Annotated[Path, typer.Argument(help="Gói mời trung tâm đã gửi · the bundle the hub sent.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    up: Annotated[
        bool,
        typer.Option("--up/--no-up", help="Chạy tiếp sau khi kiểm tra, hay dừng · go on running afterwards, or stop."),
    ] = True,
    keys_only: KeysOnly = False,
    one_process: Annotated[bool, typer.Option("--one-process", help="Một tiến trình · all in one process.")] = False,
    mongo: Mongo = "",
    smtp: Annotated[str, typer.Option("--smtp", help="smtp://host:port; bỏ trống: không gửi thư · no e-mail.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tham gia mạng lưới bằng gói mời; chạy lại thì làm tiếp · join by a bundle; run again, it goes on."""

    async def work() -> bool:
        from sangkien.console.node.bundle import read_bundle
        from sangkien.console.node.joining import join as join_hub
        from sangkien.console.node.selftest import self_test

        invitation = read_bundle(bundle)
        folder = folder_at(data_dir)
        if folder.running() is not None:
            raise Stop(
                "already_running",
                f"Nút đang chạy trên {folder.path} · a node runs there",
                "dừng nó rồi chạy lại lệnh này, lệnh sẽ tự khởi động nút · stop it and run this again: it starts it",
            )
        people.print(f"Tham gia với mã nút · joining as {escape(invitation.node)} …")
        done = await join_hub(folder, invitation)
        if keys_only:
            _report_keys(done, folder.link, as_json=as_json)
            return True
        people.print("Đã có chứng thư và tài khoản, đang khởi động · enrolled, starting …")
        stop = until_asked()
        kind = usual(folder)
        options = Options(kind.services, one_process=one_process, mongo=mongo, smtp=smtp)
        async with local_node(folder, options, on_restart=restarted) as node:
            checks = await self_test(node, clock_skew_s=done.clock_skew_s)
            ready = all(check.ok for check in checks)
            _report(done, checks, ready=ready, as_json=as_json)
            if up and ready:
                await stay(node, stop)
        return ready

    if not speak(work(), as_json=as_json):
        raise typer.Exit(1)


def status(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Nút này đứng thế nào trong mạng lưới · how this node stands in the federation."""

    async def work() -> tuple[str, ex.GetLinkResponse, hub.ListNodesResponse | None]:
        folder = member_folder(data_dir)
        if folder.running() is None:
            raise Stop("not_running", f"Không có nút nào chạy trên {folder.path} · no node runs there", "sangkien up")
        async with local_node(folder) as node:
            link = await exchange_of(node).GetLink(ex.GetLinkRequest())
            nodes = await hub_of(node).ListNodes(hub.ListNodesRequest()) if "hub" in node.running.targets else None
            return folder.chosen().profile, link, nodes

    profile, link, nodes = speak(work(), as_json=as_json)
    well = link.connected and link.state == "active" and link.sending in _WELL
    if as_json:
        found: dict[str, Any] = {"ok": well, "profile": profile} | plain(link)
        if nodes is not None:
            found["hub"] = {"nodes": [plain(each) for each in nodes.nodes]}
        print_json(found)
    else:
        _show(profile, link)
        if nodes is not None:
            show_nodes(nodes)
    if not well:
        raise typer.Exit(1)


def leave(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    yes: Annotated[bool, typer.Option("--yes", help="Không hỏi lại · do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Rời mạng lưới: gửi nốt những gì đang chờ rồi từ biệt · leave: send what waits, then say goodbye."""
    folder = speak(_known(data_dir), as_json=as_json)
    if not yes:
        if as_json:
            raise typer.BadParameter("cần · needs --yes", param_hint="--yes")
        typer.confirm("Rời mạng lưới? Muốn trở lại phải được mời lại · Leave? It takes a new invitation", abort=True)

    async def work() -> ex.GetLinkResponse:
        async with member_at(folder.path) as (_, stub):
            await stub.Leave(ex.LeaveRequest(), timeout=120)
            return await stub.GetLink(ex.GetLinkRequest())

    link = speak(work(), as_json=as_json)
    if as_json:
        print_json({"node": link.node, "state": link.state, "waiting": link.waiting})
    else:
        out.print(f"✓ {escape(link.node)}: {worded('node_state', link.state)}")


def rotate_keys(data_dir: DataDir = DEFAULT_DATA_DIR, keys_only: KeysOnly = False, as_json: AsJson = False) -> None:
    """Đổi mọi khóa của nút mà không ngắt · make new keys for all of the node's, without an interruption."""

    async def work() -> list[Check]:
        from sangkien.console.node.rotating import in_use, rotate
        from sangkien.console.node.selftest import self_test

        folder = member_folder(data_dir)
        await rotate(folder)
        if keys_only:
            return []
        runs = folder.running() is not None
        async with local_node(folder) as node:
            if runs:
                await in_use(node)
            return await self_test(node)

    checks = speak(work(), as_json=as_json)
    ready = all(check.ok for check in checks)
    if as_json:
        print_json({"rotated": True, "ok": ready, "checks": [check.as_json() for check in checks]})
    else:
        out.print(
            "✓ Khóa mới đang dùng · the new keys are in use" if not keys_only else "✓ Khóa mới đã đăng ký · registered"
        )
        show_checks(checks)
    if not ready:
        raise typer.Exit(1)


def doctor(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Kiểm tra khóa, chứng thư và đường tới trung tâm; nút không cần chạy · check keys, certificate and the way out."""

    async def work() -> list[Check]:
        from sangkien.console.node.selftest import look_over, self_test

        folder = member_folder(data_dir)
        if folder.running() is None:
            return await look_over(folder)
        async with local_node(folder) as node:
            return await look_over(folder) + (await self_test(node))[3:]

    checks = speak(work(), as_json=as_json)
    well = all(check.ok for check in checks)
    if as_json:
        print_json({"ok": well, "checks": [check.as_json() for check in checks]})
    else:
        show_checks(checks)
    if not well:
        raise typer.Exit(1)


async def _known(data_dir: Path) -> NodeFolder:
    return member_folder(data_dir)


def show_checks(checks: list[Check]) -> None:
    """The checklist for people."""
    for check in checks:
        out.print(f"{'[green]✓' if check.ok else '[red]✗'}[/] {escape(check.what)}: {escape(check.found)}")
        if not check.ok:
            out.print(f"    → {escape(check.fix)}", soft_wrap=True)


def show_nodes(nodes: hub.ListNodesResponse) -> None:
    """The registry for people."""
    table = Table(title="Sổ đăng ký nút · Registry of nodes", title_justify="left", box=SIMPLE_HEAD)
    for heading in ("Nút", "Tên", "Loại", "Cấp trên", "Trạng thái", "Chứng thư đến"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "Tên")
    for each in nodes.nodes:
        state, until = label(f"node_state.{each.state}"), told(each.certificate_until)[:10]
        table.add_row(*map(escape, (each.node, each.name, each.profile, each.parent or "–", state, until)))
    out.print(table)


def _report_keys(done: "Joined", link: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {"node": done.node, "name": done.name, "profile": done.profile, "epoch": done.epoch, "link": str(link)}
        )
        return
    out.print(
        f"✓ {escape(done.node)}: khóa và chứng thư ở · keys and certificate in {escape(str(link))}", soft_wrap=True
    )


def _report(done: "Joined", checks: list[Check], *, ready: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "node": done.node,
                "name": done.name,
                "profile": done.profile,
                "epoch": done.epoch,
                "already": done.already,
                "ready": ready,
                "checks": [check.as_json() for check in checks],
            }
        )
        return
    show_checks(checks)
    if ready:
        out.print(f"[green]✓ Nút {escape(done.node)} sẵn sàng · the node is ready[/green]")
    else:
        out.print("[red]✗ Chưa sẵn sàng: sửa các mục trên rồi chạy lại · not ready: mend these and run it again[/red]")


def _show(profile: str, link: ex.GetLinkResponse) -> None:
    table = Table(title=f"{link.node} ({profile})", title_justify="left", show_header=False, box=SIMPLE_HEAD)
    rows = {
        "Trạng thái · State": worded("node_state", link.state),
        "Đường truyền · Link": "[green]✓[/green]" if link.connected else "[red]✗ ngắt · down[/red]",
        "Gửi · Sending": link.sending or "open",
        "Đã ký / đã nhận biên nhận · Sealed / receipted": f"{link.sealed} / {link.receipted}",
        "Đang chờ, lâu nhất từ · Waiting, oldest since": f"{link.waiting}, {told(link.oldest_waiting)}",
        "Biên nhận cuối · Last receipt": told(link.last_receipt),
        "Đã nhận · Received": str(link.received),
        "Đời · Epoch": str(link.epoch),
        "Chứng thư đến · Certificate until": told(link.certificate_until),
        "Đồng hồ trung tâm − ở đây · Hub's clock − ours": f"{link.clock_skew_s:+.1f} s",
        "Phiên bản · Version": link.version,
    }
    for title, value in rows.items():
        table.add_row(title, value)
    out.print(table)
