"""`sangkien up`, `status`, `doctor`."""

import asyncio
import signal
import sys
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
from sangkien.console.node.local import local_node
from sangkien.console.node.plan import SERVICES, Options
from sangkien.console.node.sample import settle
from sangkien.console.operations import Operations


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("up")(up)
    app.command("status")(status)
    app.command("doctor")(doctor)


def up(
    services: Annotated[str, typer.Option("--services", help="Các dịch vụ, cách nhau bằng dấu phẩy · which.")] = "",
    one_process: Annotated[bool, typer.Option("--one-process", help="Một tiến trình · all in one process.")] = False,
    mongo: Mongo = "",
    smtp: Annotated[str, typer.Option("--smtp", help="smtp://host:port; bỏ trống: không gửi thư · no e-mail.")] = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Chạy một nút trên máy này đến khi nhấn Ctrl-C · run a node on this machine until Ctrl-C."""
    chosen = tuple(name.strip() for name in services.split(",") if name.strip()) or SERVICES
    if "directory" not in chosen:
        people.print("directory luôn chạy cùng, để cấp thẻ · directory runs too: it issues the tokens")
        chosen = ("directory", *chosen)
    options = Options(chosen, one_process=one_process, mongo=mongo, smtp=smtp)

    async def work() -> None:
        folder = folder_at(data_dir)
        stop = asyncio.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, stop.set)
        if folder.running() is not None:
            raise Stop("already_running", f"Nút đang chạy trên {folder.path} · a node runs there", "sangkien status")
        people.print("Đang khởi động · starting …")
        async with local_node(folder, options, on_restart=_restarted) as node:
            if "review" in chosen and await settle(node):
                people.print(
                    f"Nút mới có dữ liệu mẫu; tài khoản · sample data; accounts: {folder.path}/accounts.json",
                    soft_wrap=True,
                )
            for name, target in node.running.targets.items():
                people.print(f"  [green]●[/green] {name:<13} {target}")
            people.print(f"Sẵn sàng · ready ({folder.path}). Ctrl-C để dừng · to stop.", soft_wrap=True)
            await stop.wait()
            people.print("Đang dừng · stopping …")

    speak(work(), as_json=False)


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


def _restarted(name: str) -> None:
    people.print(f"[yellow]{name}: khởi động lại · started again[/yellow]")


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "[green]✓[/green]" if value else "[red]✗[/red]"
    return str(value)
