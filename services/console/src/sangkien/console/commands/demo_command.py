"""`sangkien demo`."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperCommand

from sangkien.console.commands.scenario_reading import read_scenario
from sangkien.console.commands.speaking import (
    AsJson,
    Mongo,
    Stop,
    command_name,
    folder_at,
    give_json,
    out,
    people,
    speak,
)

if TYPE_CHECKING:
    from sangkien.console.demo.run import Told


class _Playing(TyperCommand):
    """`--json FILE` writes the figures to a file beside the usual tables."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, json_to_file(args))


_VALUED = ("--json-file", "--data-dir", "--mongo", "--seed", "--scale")
"""Options whose value is the next word."""


def json_to_file(args: Sequence[str]) -> list[str]:
    """The arguments with `--json FILE` and `--json=FILE` said as `--json-file FILE`.

    The one word that is no option and no option's value is the scenario, also behind `--json`; where there is another,
    the one behind `--json` is the file.
    """
    words = [
        place
        for place, arg in enumerate(args)
        if not arg.startswith("-") and (place == 0 or args[place - 1] not in _VALUED)
    ]
    files = [place for place in words if place and args[place - 1] == "--json"] if len(words) > 1 else []
    said: list[str] = []
    for place, arg in enumerate(args):
        if arg.startswith("--json="):
            said += ["--json-file", arg.removeprefix("--json=")]
        elif place in files:
            said[-1:] = ["--json-file", arg]
        else:
            said.append(arg)
    return said


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", cls=_Playing)(demo)


def _writable(path: Path | None) -> Path | None:
    if path is not None and not (path.parent.is_dir() and os.access(path if path.exists() else path.parent, os.W_OK)):
        raise typer.BadParameter(f"không ghi được · cannot be written: {path}")
    return path


def demo(  # noqa: PLR0913, PLR0917 (a year can be played in as many ways)
    scenario: Annotated[str, typer.Argument(help="Tên kịch bản hoặc tệp .yaml · a scenario's name or a file.")],
    as_json: AsJson = False,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json-file",
            help="Như --json TỆP: ghi số liệu ra tệp · as --json FILE: the figures to a file.",
            callback=_writable,
            dir_okay=False,
        ),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Thư mục dữ liệu · keep the node there.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Giữ lại dữ liệu · do not remove the folder.")] = False,
    mongo: Mongo = "",
    seed: Annotated[int, typer.Option("--seed", help="Hạt giống của điểm và phiếu · seed of scores and votes.")] = 1,
    scale: Annotated[int, typer.Option("--scale", help="Số bản sao của năm · copies of the year.", min=1)] = 1,
    one_process: Annotated[bool, typer.Option("--one-process", help="Một tiến trình · all in one process.")] = False,
    nodes: Annotated[
        bool,
        typer.Option("--nodes", help="Ba nút, đứt đường truyền giữa chừng · three nodes, and a link that is cut."),
    ] = False,
) -> None:
    """Diễn lại cả năm của một quận trên các dịch vụ thật · play a district's whole year on the real services."""
    if nodes:
        from sangkien.console.commands.demo_on_nodes import demo_on_nodes

        demo_on_nodes(scenario, as_json, json_file, data_dir=data_dir, keep=keep, mongo=mongo, seed=seed, scale=scale)
        return
    from sangkien.console.demo.run import remove, temporary_folder

    folder = data_dir or temporary_folder()
    try:
        year = _play(scenario, folder, seed=seed, scale=scale, mongo=mongo, one_process=one_process)
        told = speak(year, as_json=as_json)
    except typer.Exit:
        if data_dir is None and not (folder / "node.json").exists():
            remove(folder)  # nothing was started: there is nothing to look at
        else:
            people.print(f"[dim]{escape(str(folder))}[/dim]", soft_wrap=True)
        raise
    except KeyboardInterrupt:
        _tell_how_to_go_on(folder, [] if data_dir else ["--data-dir", str(folder)])
        raise
    kept = keep or data_dir is not None
    if not give_json(told.outcome.as_json() | ({"data_dir": str(folder)} if kept else {}), as_json, json_file):
        _tell(told, scenario, folder if kept else None)
    if not kept:
        remove(folder)


async def _play(scenario: str, folder: Path, *, seed: int, scale: int, mongo: str, one_process: bool) -> "Told":
    from sangkien.console.demo.actors import DemoFailed
    from sangkien.console.demo.resuming import Begun
    from sangkien.console.demo.run import run_demo
    from sangkien.console.patience import WaitedTooLong

    story = read_scenario(scenario, scale)
    home = folder_at(folder)
    try:
        begun = Begun.of(story, seed=seed, mongo=mongo)
        if not begun.may_start(home):
            raise _folder_used(home.path)
        if home.used:
            people.print("Đi tiếp năm đang diễn dở · Going on with the year that was interrupted")
        begun.note(home)
        told = await run_demo(story, seed=seed, folder=home, mongo=mongo, one_process=one_process, console=people)
        begun.finish(home)
        return told
    except (DemoFailed, WaitedTooLong) as error:
        raise Stop("demo_failed", str(error), f"nhật ký · logs: {folder}/logs") from error


def _tell_how_to_go_on(folder: Path, more: list[str]) -> None:
    if (folder / "node.json").exists():
        again = shlex.join([*sys.argv[1:], *more])
        people.print(f"Đi tiếp · To go on: {command_name()} {again}", soft_wrap=True, markup=False)


def _folder_used(path: Path) -> Stop:
    return Stop(
        "demo_folder_used",
        f"{path} đã có dữ liệu của một nút; một năm chỉ diễn một lần trong một thư mục · a node's data is there"
        " already, and a year is played once in a folder",
        "năm dở dang: dùng đúng kịch bản, --seed, --scale và --mongo lúc đầu · an interrupted year goes on with what it"
        f" began with; hoặc · or: --data-dir <thư mục khác · another folder>, rm -r {shlex.quote(str(path))}",
    )


def _tell(told: "Told", scenario: str, folder: Path | None) -> None:
    from sangkien.console.demo.telling import tables
    from sangkien.console.trace_tree import trace_tree

    for table in tables(told.outcome):
        out.print(table)
        out.print()
    out.print(f"[bold]Dấu vết của một hồ sơ · One dossier's trace[/bold] ({told.story.a_dossier})")
    out.print(trace_tree(told.spans))
    out.print(f"\n{told.outcome.duration_s:.1f} s")
    out.print("[bold]Xem tiếp · Where to look next[/bold]")
    name = command_name()
    if folder:
        hints = [
            f"{name} trace {told.story.a_dossier} --data-dir {shlex.quote(str(folder))}",
            f"{name} report round --data-dir {shlex.quote(str(folder))}",
            f"{folder}/mail",
        ]
    else:
        hints = [
            f"{name} demo {shlex.quote(scenario)} --data-dir nut",
            "  diễn lại và giữ dữ liệu để xem · plays it again and keeps it to look at",
        ]
    for hint in [*hints, "docs/architecture.md"]:
        out.print(f"  {hint}", soft_wrap=True, markup=False, highlight=False)
