"""Whether this machine can run a node: what was looked at, what was found, how to mend it."""

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_LEAST_FREE_MB = 500
_OLDEST_SQLITE = (3, 35)  # what the store asks for
_OLDEST_PYTHON = (3, 11)
_BUILT_YEAR = 2026
_FOLDER = "thư mục dữ liệu · data folder"
_SETUP = "chạy · run `make setup`"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    what: str
    ok: bool
    found: str
    fix: str = ""
    code: str = ""
    """A stable word for programs, where one check is told from another."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def examine(data_dir: Path) -> list[Check]:
    """Look at everything, whatever the first finding is. Changes nothing."""
    looks: tuple[Callable[[Path], Check], ...] = (_python, _sqlite, _broker, _fonts, _folder, _disk, _clock)
    return [look(data_dir) for look in looks]


def _python(_: Path) -> Check:
    found = sys.version.split()[0]
    return Check("Python", sys.version_info[:2] >= _OLDEST_PYTHON, found, "cài · install Python ≥ 3.11")


def _sqlite(_: Path) -> Check:
    ok = sqlite3.sqlite_version_info[:2] >= _OLDEST_SQLITE
    fix = "dùng Python kèm SQLite ≥ 3.35 · use a Python built with SQLite ≥ 3.35"
    return Check("SQLite", ok, sqlite3.sqlite_version, fix)


def broker_version() -> tuple[int, ...] | None:
    """Of the nats-server that a node here would run, such as (2, 11, 4); None when there is none that runs."""
    beside = Path(sys.executable).with_name("nats-server")
    command = str(beside) if beside.exists() else shutil.which("nats-server")
    if command is None:
        return None
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=False, timeout=10)
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", said.stdout)
    return tuple(map(int, found.groups())) if found and said.returncode == 0 else None


def _broker(_: Path) -> Check:
    version = broker_version()
    found = "không tìm thấy · not found" if version is None else ".".join(map(str, version))
    return Check("nats-server", version is not None, found, _SETUP)


def _fonts(_: Path) -> Check:
    from importlib.resources import files

    fonts = [f.name for f in (files("sangkien.documents") / "fonts").iterdir() if f.name.endswith((".ttf", ".otf"))]
    return Check("phông chữ · fonts", len(fonts) >= 4, str(len(fonts)), "cài lại · reinstall sangkien-documents")


def _folder(data_dir: Path) -> Check:
    nearest = next(p for p in (data_dir, *data_dir.resolve().parents) if p.exists())
    probe = nearest / f".sangkien-probe-{datetime.now(UTC).timestamp()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Check(_FOLDER, ok=False, found=f"{nearest}: {error.strerror}", fix="chọn · choose --data-dir …")
    return Check(_FOLDER, ok=True, found=str(data_dir))


def _disk(data_dir: Path) -> Check:
    nearest = next(p for p in (data_dir, *data_dir.resolve().parents) if p.exists())
    free = shutil.disk_usage(nearest).free // 2**20
    fix = f"giải phóng · free {_LEAST_FREE_MB} MiB, hoặc · or --data-dir …"
    return Check("đĩa trống · free disk", free >= _LEAST_FREE_MB, f"{free} MiB", fix)


def _clock(_: Path) -> Check:
    now = datetime.now(UTC)
    fix = "chỉnh đồng hồ máy · set the clock (NTP)"
    return Check("đồng hồ · clock", now.year >= _BUILT_YEAR, now.isoformat(timespec="seconds"), fix)
