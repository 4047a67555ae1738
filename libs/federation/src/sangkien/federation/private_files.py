"""Files only their owner may read, written whole or not at all."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sangkien.federation.errors import FolderRefused

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_OTHERS = 0o077


def private_folder(path: Path) -> Path:
    """Make the folder, or take it back from others."""
    path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    path.chmod(_FOLDER_MODE)
    return path


def write_private(path: Path, text: str) -> Path:
    """Replace the file in one step, on disk when this returns: after a crash it is the old one or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path


def write_json(path: Path, value: Mapping[str, Any]) -> Path:
    return write_private(path, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def read_private(path: Path) -> str:
    """Raises FolderRefused: folder_incomplete when it is not there, folder_open when others may read it."""
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise FolderRefused("folder_open", f"{path} may be read by others; make it 0600")
            return file.read()
    except FileNotFoundError:
        raise FolderRefused("folder_incomplete", f"{path} is missing") from None


def read_json(path: Path) -> dict[str, Any]:
    """As `read_private`; raises FolderRefused (folder_unreadable) when it is no JSON object."""
    try:
        value = json.loads(read_private(path))
    except json.JSONDecodeError:
        raise FolderRefused("folder_unreadable", f"{path} is damaged") from None
    if not isinstance(value, dict):
        raise FolderRefused("folder_unreadable", f"{path} is damaged")
    return value
