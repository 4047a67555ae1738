"""`sangkien demo --nodes`: the same year with the union, the district and the city on nodes of their own."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from sangkien.console.commands.scenario_reading import read_scenario
from sangkien.console.commands.speaking import command_name, give_json, out, people, speak
from sangkien.console.node.stopping import Stop

if TYPE_CHECKING:
    from sangkien.console.demo.federated import FederatedTold


def demo_on_nodes(
    scenario: str,
    as_json: bool,
    json_file: Path | None,
    *,
    data_dir: Path | None,
    keep: bool,
    mongo: str,
    seed: int,
    scale: int,
) -> None:
    """Play it and tell the figures. A year on three nodes is played at one go: what broke off is begun anew."""
    from sangkien.console.demo.run import remove, temporary_folder

    folder = data_dir or temporary_folder()
    used = bool(list(folder.glob("**/node.json")))
    folder.mkdir(parents=True, exist_ok=True)
    told = speak(_play(scenario, folder, used=used, mongo=mongo, seed=seed, scale=scale), as_json=as_json)
    kept = keep or data_dir is not None
    if not give_json(told.as_json() | ({"data_dir": str(folder)} if kept else {}), as_json, json_file):
        _tell(told, scenario, folder if kept else None)
    if not kept:
        remove(folder)


async def _play(scenario: str, folder: Path, *, used: bool, mongo: str, seed: int, scale: int) -> "FederatedTold":
    from sangkien.console.demo.actors import DemoFailed
    from sangkien.console.demo.federated import run_federated
    from sangkien.console.patience import WaitedTooLong

    if used:
        raise Stop(
            "demo_folder_used",
            f"{folder} đã có dữ liệu của một nút · a node's data is there already",
            f"--data-dir <thư mục khác · another folder>, hoặc · or: rm -r {shlex.quote(str(folder))}",
        )
    year = read_scenario(scenario, scale)
    try:
        return await run_federated(year, seed=seed, folder=folder, mongo=mongo, console=people)
    except (DemoFailed, WaitedTooLong) as error:
        raise Stop("demo_failed", str(error), f"nhật ký · logs: {folder}/*/logs") from error


def _tell(told: "FederatedTold", scenario: str, folder: Path | None) -> None:
    from sangkien.console.demo.telling import tables
    from sangkien.console.trace_tree import trace_tree

    for table in [*tables(told.outcome), _nodes(told), _custody(told)]:
        out.print(table)
        out.print()
    outage = told.outage
    if outage.cut_s:
        out.print(
            f"Đường truyền của công đoàn bị cắt {outage.cut_s:.1f} s: {outage.queued_at_cut} tin đã chờ, gửi hết trong"
            f" {outage.drained_s:.1f} s, không mất, không lặp · the union's link was cut; what had waited went through"
        )
    if told.files.count:
        out.print(
            f"Quận có đủ {told.files.count} tệp minh chứng của công đoàn ({told.files.bytes / 1024:.0f} KiB) ·"
            " the district holds the union's evidence, each file whole",
            soft_wrap=True,
        )
    out.print(f"\n[bold]Dấu vết của một hồ sơ · One dossier's trace[/bold] ({told.story.a_dossier})")
    out.print(trace_tree(told.spans))
    out.print(f"\n{told.outcome.duration_s:.1f} s")
    out.print("[bold]Xem tiếp · Where to look next[/bold]")
    name = command_name()
    hints = [f"{name} demo {shlex.quote(scenario)} --nodes --data-dir mang-luoi"]
    if folder:
        at = shlex.quote(str(folder))
        hints = [
            f"{name} exchange peers --data-dir {at}/{told.nodes[1].id}",
            f"{name} dossier {told.story.a_dossier} --data-dir {at}/{told.nodes[1].id}",
            f"{name} audit verify --data-dir {at}/{told.nodes[-1].id}",
        ]
    for hint in [*hints, "docs/joining-as-a-node.md"]:
        out.print(f"  {hint}", soft_wrap=True, markup=False, highlight=False)


def _nodes(told: "FederatedTold") -> Table:
    table = Table(title="Nút · Nodes", title_justify="left")
    for heading in ("Nút · Node", "Loại · Profile", "Tiến trình · Processes"):
        table.add_column(heading)
    for node in told.nodes:
        table.add_row(escape(node.id), node.profile, ", ".join(f"{name} {pid}" for name, pid in node.pids.items()))
    return table


def _custody(told: "FederatedTold") -> Table:
    table = Table(title="Lưu ký, kiểm tra lại từng mắt xích · Custody, every link verified", title_justify="left")
    table.add_column("Chuỗi · Chain")
    table.add_column("Mắt xích · Links", justify="right")
    table.add_column("Kết quả · Result")
    for each in told.audits:
        found = "[green]✓[/green]" if each.broken is None else f"[red]{each.broken.where}: {each.broken.code}[/red]"
        table.add_row(escape(f"{each.of} {each.node}"), str(each.entries), found)
    table.add_section()
    reported = told.reported
    sums = f"công nhận · recognised {reported.recognised}, không · not {reported.refused}"
    table.add_row("Quyết định báo cáo lên · Decisions reported", str(reported.decisions), sums)
    return table
