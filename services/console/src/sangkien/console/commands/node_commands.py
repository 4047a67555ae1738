"""`sangkien up`, `status`, `doctor`: a node on this machine, whatever it belongs to."""

import asyncio
import re
import signal
import sys
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.table import Table

from sangkien.console.commands.speaking import (
    DEFAULT_DATA_DIR,
    AsJson,
    DataDir,
    Mongo,
    Stop,
    folder_at,
    node_at,
    out,
    people,
    print_json,
    speak,
)
from sangkien.console.node.doctor import examine
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import LocalNode, local_node
from sangkien.console.node.plan import Options, usual
from sangkien.console.node.profiles import PROFILES
from sangkien.console.node.sample import settle
from sangkien.console.operations import Operations

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_SMTP = re.compile(r"smtps?://[^/?#\s]+:[0-9]{1,5}/?")


def _smtp_url(text: str) -> str:
    if text and _SMTP.fullmatch(text) is None:
        raise typer.BadParameter("cần smtp://máy:cổng hoặc smtps://máy:cổng · smtp://host:port or smtps://host:port")
    return text


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("up")(up)
    app.command("status")(status)
    app.command("doctor")(doctor)


def up(  # noqa: PLR0913, PLR0917 (a node has as many sides as a person may choose)
    services: Annotated[str, typer.Option("--services", help="Các dịch vụ, cách nhau bằng dấu phẩy · which.")] = "",
    one_process: Annotated[bool, typer.Option("--one-process", help="Một tiến trình · all in one process.")] = False,
    mongo: Mongo = "",
    smtp: Annotated[
        str,
        typer.Option("--smtp", help="smtp://host:port; bỏ trống: không gửi thư · no e-mail.", callback=_smtp_url),
    ] = "",
    profile: Annotated[str, typer.Option("--profile", help=f"Loại nút · kind of node: {', '.join(PROFILES)}.")] = "",
    node_id: Annotated[str, typer.Option("--node", help="Mã nút, lần đầu · the node's id, at its first start.")] = "",
    name: Annotated[str, typer.Option("--name", help="Tên tổ chức, lần đầu · the organisation's name.")] = "",
    hub_host: Annotated[
        list[str] | None,
        typer.Option("--hub-host", help="Địa chỉ trung tâm mà các nút gọi tới · where members reach the hub."),
    ] = None,
    hub_ports: Annotated[str, typer.Option("--hub-ports", help="LEAF,JOIN: hai cổng của trung tâm · its ports.")] = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Chạy một nút trên máy này đến khi nhấn Ctrl-C · run a node on this machine until Ctrl-C."""

    async def work() -> None:
        folder = folder_at(data_dir)
        stop = until_asked()
        if folder.running() is not None:
            raise Stop("already_running", f"Nút đang chạy trên {folder.path} · a node runs there", "sangkien status")
        choose(folder, profile, node_id, name, hub_host or [], hub_ports)
        chosen = tuple(each.strip() for each in services.split(",") if each.strip()) or usual(folder).services
        if "directory" not in chosen:
            people.print("directory luôn chạy cùng, để cấp thẻ · directory runs too: it issues the tokens")
            chosen = ("directory", *chosen)
        options = Options(chosen, one_process=one_process, mongo=mongo, smtp=smtp)
        people.print("Đang khởi động · starting …")
        async with local_node(folder, options, on_restart=restarted) as node:
            if "review" in chosen and await settle(node):
                people.print(
                    f"Nút mới có dữ liệu mẫu; tài khoản · sample data; accounts: {folder.path}/accounts.json",
                    soft_wrap=True,
                )
            await stay(node, stop)

    speak(work(), as_json=False)


def choose(folder: NodeFolder, profile: str, node_id: str, name: str, hosts: list[str], ports: str) -> None:
    """Keep in the folder what holds for this and every next start. Raises Stop and NodeFolderError."""
    before = folder.chosen()
    if profile and profile not in PROFILES:
        raise Stop(
            "profile_unknown",
            f"{profile}: không có loại nút này · no such profile",
            f"--profile {' | '.join(PROFILES)}",
        )
    kind = PROFILES.get(profile or before.profile)
    if (hosts or ports) and (kind is None or "hub" not in kind.services):
        raise Stop(
            "hub_not_here",
            "--hub-host và --hub-ports chỉ dành cho nút có trung tâm · only for a node with the hub",
            "--profile city",
        )
    for host in hosts:
        if _HOST.fullmatch(host) is None:
            raise Stop(
                "host_malformed",
                f"{host}: cần tên máy hoặc địa chỉ IP, không kèm cổng · a host name or an IPv4 address, without a port",
                "--hub-host hub.example.vn --hub-ports 7422,7443",
            )
    if profile and not before.profile:
        folder.identity(checked(node_id or ("" if folder.used else profile)))
    elif node_id:
        folder.identity(checked(node_id))
    after = replace(
        before,
        profile=profile or before.profile,
        name=name or before.name,
        hub_hosts=tuple(hosts) or before.hub_hosts,
    )
    if after != before:
        folder.choose(after)
    if ports:
        hub_ports_chosen(folder, ports)


def checked(node_id: str) -> str:
    """A node id, or "" for none. Raises Stop."""
    from sangkien.federation import BadName, checked_node

    try:
        return checked_node(node_id) if node_id else ""
    except BadName as error:
        raise Stop(
            "node_id_malformed",
            f"{node_id}: mã nút chỉ gồm chữ thường không dấu, số và gạch nối, tối đa 63 ký tự · {error}",
            "--node ba-dinh",
        ) from error


def hub_ports_chosen(folder: NodeFolder, text: str) -> None:
    """Keep the two ports. Raises Stop."""
    from sangkien.console.node.links import HubPorts, hub_ports

    words = text.split(",")
    if len(words) != 2 or not all(word.strip().isdigit() and 0 < int(word) < 65_536 for word in words):
        raise Stop("ports_malformed", f"{text}: cần hai cổng · two ports are needed", "--hub-ports 7422,7443")
    hub_ports(folder, HubPorts(*map(int, words)))


def until_asked() -> asyncio.Event:
    """Set once somebody asks for the end: Ctrl-C, SIGTERM."""
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    return stop


async def stay(node: LocalNode, stop: asyncio.Event) -> None:
    """Say where everything listens, and keep the node running until `stop`."""
    for name, target in node.running.targets.items():
        people.print(f"  [green]●[/green] {name:<13} {target}")
    for name in ("hub_leaf", "hub_join"):
        if name in node.running.links:
            people.print(f"  [green]●[/green] {name.replace('_', ' '):<13} {node.running.links[name]}")
    people.print(f"Sẵn sàng · ready ({node.folder.path}). Ctrl-C để dừng · to stop.", soft_wrap=True)
    await stop.wait()
    people.print("Đang dừng · stopping …")


def status(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Tình trạng từng dịch vụ của nút đang chạy · the state of each service of the running node."""

    async def work() -> dict[str, dict[str, Any]]:
        folder = node_at(data_dir)
        if folder.running() is None:
            raise Stop("not_running", f"Không có nút nào chạy trên {folder.path} · no node runs there", "sangkien up")
        async with local_node(folder) as node:
            return {
                name: {"up": False}
                if answer is None
                else {
                    "up": True,
                    "store": answer.store_ok,
                    "broker": answer.broker_ok,
                    "outbox": answer.outbox_depth,
                    "oldest_outbox_s": round(answer.oldest_outbox_age_s, 1),
                    "lag": sum(lag.pending + lag.unacknowledged for lag in answer.consumers),
                    "dead_letters": answer.dead_letters,
                    "resident_mib": round(answer.resident_bytes / 2**20, 1),
                    "started_at": answer.started_at.ToJsonString(),
                }
                for name, answer in (await Operations(node).statuses()).items()
            }

    found = speak(work(), as_json=as_json)
    well = all(each["up"] and each["store"] and each["broker"] for each in found.values())
    if as_json:
        print_json({"ok": well, "services": found})
    else:
        table = Table(title="Dịch vụ · Services", title_justify="left")
        for heading in ("", "Kho · Store", "NATS", "Hộp đi · Outbox", "Chờ · Lag", "Thư chết · Dead", "MiB"):
            table.add_column(heading, no_wrap=not heading)
        for name, each in found.items():
            marks = ("store", "broker", "outbox", "lag", "dead_letters", "resident_mib")
            cells = [_cell(each[mark]) for mark in marks] if each["up"] else ["[red]✗[/red]"] + [""] * 5
            table.add_row(name, *cells)
        out.print(table)
    if not well:
        raise typer.Exit(1)


def doctor(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Kiểm tra máy này có chạy được một nút không · check whether this machine can run a node."""
    checks = examine(data_dir)
    if as_json:
        print_json({"ok": all(check.ok for check in checks), "checks": [check.as_json() for check in checks]})
    else:
        for check in checks:
            out.print(f"{'[green]✓' if check.ok else '[red]✗'}[/] {check.what}: {check.found}")
            if not check.ok:
                out.print(f"    → {check.fix}")
    if not all(check.ok for check in checks):
        sys.exit(1)


def restarted(name: str) -> None:
    people.print(f"[yellow]{name}: khởi động lại · started again[/yellow]")


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "[green]✓[/green]" if value else "[red]✗[/red]"
    return str(value)
