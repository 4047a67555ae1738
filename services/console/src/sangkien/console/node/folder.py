"""The node's folder: what survives a restart, and what tells other commands that the node is running.

<data_dir>/
  node.json       identity: node name, instance id, secrets. Mode 600; whoever reads it is the operator
  running.json    pid of the supervisor and where everything listens, while it runs
  stores/         one SQLite file a service          nats/    the broker's own store
  keys/           directory's signing key            spans/   local traces
  logs/           one file a child                   mail/    what the demo's mail sink received
"""

import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from sangkien.runtime import new_id

SECRET_BYTES = 24


class NodeFolderError(Exception):
    """The folder cannot be used as it is. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this node is. `instance` is in the names of its databases, so that two nodes on one server never mix."""

    node: str
    instance: str
    node_secret: str
    broker_password: str


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running node listens."""

    pid: int
    nats_url: str
    targets: dict[str, str]
    """gRPC target by service."""
    mongo: bool = False


class NodeFolder:
    """One node's folder, created when it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        for name in ("stores", "nats", "keys", "spans", "logs"):
            (self.path / name).mkdir(parents=True, exist_ok=True)

    def identity(self, node: str = "local") -> Identity:
        """The node's identity, made once. Raises NodeFolderError when the file is not readable as one."""
        file = self.path / "node.json"
        if not file.exists():
            identity = Identity(
                node, new_id().lower(), secrets.token_urlsafe(SECRET_BYTES), secrets.token_urlsafe(SECRET_BYTES)
            )
            self._write(file, asdict(identity))
        try:
            return Identity(**json.loads(file.read_text()))
        except (ValueError, TypeError) as error:
            raise NodeFolderError(
                f"{file}: tệp hỏng, khôi phục từ bản sao lưu hoặc chọn --data-dir khác · damaged"
                f" ({type(error).__name__}): restore it from a backup, or choose another --data-dir"
            ) from error

    def running(self) -> Running | None:
        """The node that runs on this folder now, None when none does."""
        file = self.path / "running.json"
        try:
            running = Running(**json.loads(file.read_text()))
            os.kill(running.pid, 0)
        except (OSError, ValueError, TypeError):
            return None
        return running

    def announce(self, running: Running) -> None:
        """Say that the node runs. Raises NodeFolderError when another process already runs it."""
        other = self.running()
        if other is not None and other.pid != os.getpid():
            raise NodeFolderError(
                f"{self.path}: tiến trình {other.pid} đang chạy một nút ở đây, dừng nó hoặc chọn --data-dir khác"
                f" · process {other.pid} already runs a node here: stop it, or choose another --data-dir"
            )
        self._write(self.path / "running.json", asdict(running))

    def withdraw(self) -> None:
        """Say that the node runs no more."""
        (self.path / "running.json").unlink(missing_ok=True)

    def _write(self, file: Path, content: dict[str, object]) -> None:
        """Whole or not at all, and for the owner's eyes."""
        handle, name = tempfile.mkstemp(dir=self.path, prefix=file.name)
        with os.fdopen(handle, "w") as out:
            json.dump(content, out, indent=1)
        Path(name).replace(file)
