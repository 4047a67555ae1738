"""How every command answers: one JSON object on stdout when asked for, words for people otherwise, logs on stderr."""

import json
import shlex
import shutil
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from sangkien.console.node import stopping
from sangkien.console.node.folder import NodeFolder, NodeFolderError
from sangkien.console.node.plan import UnknownService
from sangkien.console.node.supervisor import NotReady
from sangkien.kernel import Refusal
from sangkien.rpc import RemoteError, RemoteRefusal
from sangkien.runtime import configure_logging, flush_logs, run
from sangkien.text.catalogue import fix, message

T = TypeVar("T")

DEFAULT_DATA_DIR = Path.home() / ".local" / "share" / "sangkien"

DataDir = Annotated[
    Path, typer.Option("--data-dir", help="Thư mục dữ liệu của nút · the node's folder.", envvar="SANGKIEN_DATA_DIR")
]
AsJson = Annotated[bool, typer.Option("--json", help="Chỉ in một đối tượng JSON · print one JSON object only.")]


def _mongo_uri(text: str) -> str:
    if text and not text.startswith(("mongodb://", "mongodb+srv://")):
        raise typer.BadParameter("URI bắt đầu bằng mongodb:// · the URI begins with mongodb://")
    return text


Mongo = Annotated[
    str, typer.Option("--mongo", help="URI MongoDB thay cho SQLite · instead of SQLite.", callback=_mongo_uri)
]

_MENDS: dict[type[Exception], str] = {
    NotReady: "sangkien doctor; với --mongo: máy chủ có chạy không · with --mongo: does that server answer?",
    UnknownService: "--services intake,review",
}

people = Console(stderr=True)
"""Progress and remarks: never stdout, which may be read by a program."""
out = Console()
Stop = stopping.Stop


def folder_at(path: Path) -> NodeFolder:
    """The node's folder, created when it is not there."""
    try:
        return NodeFolder(path)
    except OSError as error:
        raise Stop(
            "data_dir_unusable",
            f"{path}: không dùng làm thư mục dữ liệu được · cannot be a node's folder: {error.strerror}",
            "chọn --data-dir khác · choose another --data-dir",
        ) from error


def node_at(path: Path) -> NodeFolder:
    """The folder of a node that exists. Raises Stop, and creates nothing, where there is none."""
    if not (path / "node.json").is_file():
        raise Stop(
            "node_unknown",
            f"{path}: không có nút nào ở đây · there is no node here",
            "sangkien up --data-dir …",
        )
    return folder_at(path)


def speak(work: Coroutine[Any, Any, T], *, as_json: bool) -> T:
    """Run the work. What it refuses is said in Vietnamese and English, and ends the command with status 1."""
    configure_logging("warning", json=False)
    try:
        return run(work)
    except Refusal as error:
        texts = [_both(say(error.code, error.facts), say(error.code, error.facts, "en")) for say in (message, fix)]
        _end(as_json, error.code, *texts)
    except RemoteRefusal as error:
        _end(as_json, error.code, _both(error.message_vi, error.message_en), _both(error.fix_vi, error.fix_en))
    except RemoteError as error:
        _end(as_json, "service_unavailable", f"Dịch vụ không trả lời · no answer: {error}", "sangkien status")
    except Stop as error:
        _end(as_json, error.code, error.text, error.mend)
    except (NodeFolderError, NotReady, UnknownService) as error:
        _end(as_json, _word(error), str(error), _MENDS.get(type(error), ""))
    finally:
        flush_logs()


def command_name() -> str:
    """How this command is called here: by its name where the shell finds it, else by its path."""
    ours = Path(sys.executable).with_name("sangkien")
    if shutil.which("sangkien") == str(ours):
        return "sangkien"
    here = Path.cwd()
    return shlex.quote(str(ours.relative_to(here) if ours.is_relative_to(here) else ours))


def print_json(value: object) -> None:
    """One JSON object, and nothing else, on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()  # a command may stay after it has answered


def give_json(value: object, as_json: bool, file: Path | None) -> bool:
    """Give the object where it is wanted, on stdout or in the file; True where people want no words beside it."""
    if file is not None:
        file.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(value)
    return as_json


def _end(as_json: bool, code: str, text: str, mend: str) -> NoReturn:
    say_refused(as_json, code, text, mend)
    raise typer.Exit(1)


def say_refused(as_json: bool, code: str, text: str, mend: str) -> None:
    """Say what is refused and how to mend it: as the one JSON object, or to people."""
    if as_json:
        print_json({"error": {"code": code, "message": text, "fix": mend}})
    else:
        people.print(f"[red]✗[/red] {escape(text)}")
        if mend:
            people.print(f"  → {escape(mend)}")


def _both(vi: str, en: str) -> str:
    return f"{vi} · {en}" if vi else ""


def _word(error: Exception) -> str:
    """NodeFolderError → node_folder_error."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in type(error).__name__).lstrip("_")
