"""The node's folder: what survives a restart, and what tells other commands that the node is running.

<data_dir>/
  node.json       identity: node name, instance id, secrets. Mode 600; whoever reads it is the operator
  chosen.json     what was chosen at its first start and holds for every next one: profile, hub's host names
  running.json    pid of the supervisor and where everything listens, while it runs
  running.lock    locked while it runs, so that a node that was killed is not taken for one that runs
  stores/         one SQLite file a service          nats/    the broker's own store
  keys/           directory's signing key            spans/   local traces
  logs/           one file a child                   mail/    what the demo's mail sink received
  hub/            the centre's keys and server       link/    a member's keys and its leaf server
  audited.json    how far the last audits reached: removed after a restore that goes back behind them on purpose
"""

import fcntl
import json
import os
import secrets
import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from sangkien.runtime import new_id

SECRET_BYTES = 24
NO_NAME = "local"
"""Id of a node that runs alone."""
_LOCK_TRIES = 20
_LOCK_AGAIN_S = 0.02


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
    links: dict[str, str] = field(default_factory=dict)
    """Of a node in a federation: `leaf` (client URL of the member's link server); at the hub `hub_broker` (client URL),
    `hub_leaf` and `hub_join` (`host:port` where members connect)."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What holds for every start of the node after the one that chose it."""

    profile: str = ""
    """Empty for a node that runs alone."""
    name: str = ""
    hub_hosts: tuple[str, ...] = ()
    """Names and addresses under which members reach the hub; empty when it listens on this machine only."""


class NodeFolder:
    """One node's folder, created when it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        for name in ("stores", "nats", "keys", "spans", "logs"):
            (self.path / name).mkdir(parents=True, exist_ok=True)
        self._lock: int | None = None

    @property
    def used(self) -> bool:
        """Whether a node was ever started on the folder: it has an identity, and then most likely data."""
        return (self.path / "node.json").exists()

    @property
    def hub(self) -> Path:
        """Where the hub's keys are, if this node has the hub."""
        return self.path / "hub"

    @property
    def link(self) -> Path:
        """Where the member's keys are, once it began to join."""
        return self.path / "link"

    def identity(self, node: str = "") -> Identity:
        """The node's identity, made once, under the id asked for or `local`.

        A node that ran alone as `local` takes the id it is first asked for by, which ends its tokens. Raises
        NodeFolderError when the file is not readable, and when the folder is another node's.
        """
        file = self.path / "node.json"
        if not file.exists():
            identity = Identity(
                node or NO_NAME,
                new_id().lower(),
                secrets.token_urlsafe(SECRET_BYTES),
                secrets.token_urlsafe(SECRET_BYTES),
            )
            self._write(file, asdict(identity))
        found = self._identity(file)
        if node in {"", found.node}:
            return found
        if found.node != NO_NAME:
            raise NodeFolderError(
                f"{self.path}: thư mục của nút {found.node}, không phải {node}; chọn --data-dir khác"
                f" · the folder of node {found.node}, not of {node}: choose another --data-dir"
            )
        named = replace(found, node=node)
        self._write(file, asdict(named))
        return named

    def chosen(self) -> Chosen:
        """What was chosen before; nothing on a folder where nothing was."""
        try:
            found = json.loads((self.path / "chosen.json").read_text())
            return Chosen(**found | {"hub_hosts": tuple(found.get("hub_hosts", ()))})
        except FileNotFoundError:
            return Chosen()
        except (ValueError, TypeError) as error:
            raise NodeFolderError(
                f"{self.path}/chosen.json: tệp hỏng, xóa rồi chạy lại với --profile · damaged: remove it and start with"
                " --profile again"
            ) from error

    def choose(self, chosen: Chosen) -> None:
        """Keep it for the next starts."""
        self._write(self.path / "chosen.json", asdict(chosen))

    def _identity(self, file: Path) -> Identity:
        try:
            return Identity(**json.loads(file.read_text()))
        except (ValueError, TypeError) as error:
            raise NodeFolderError(
                f"{file}: tệp hỏng, khôi phục từ bản sao lưu hoặc chọn --data-dir khác · damaged"
                f" ({type(error).__name__}): restore it from a backup, or choose another --data-dir"
            ) from error

    def running(self) -> Running | None:
        """The node that runs on this folder now, None when none does."""
        if not self._locked():
            return None  # what a killed supervisor left says nothing: its process id may be anybody's by now
        try:
            return Running(**json.loads((self.path / "running.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def claim(self) -> None:
        """Take the folder for a node of this process, until `withdraw` or the end of the process, however it ends.

        Comes before anything of a node is written. Raises NodeFolderError when another process runs one here.
        """
        self._lock = self._take_lock()
        if self._lock is None:
            other = self.running()
            pid = other.pid if other else "?"
            raise NodeFolderError(
                f"{self.path}: tiến trình {pid} đang chạy một nút ở đây, dừng nó hoặc chọn --data-dir khác"
                f" · process {pid} already runs a node here: stop it, or choose another --data-dir"
            )

    def announce(self, running: Running) -> None:
        """Say where the node of a claimed folder listens."""
        self._write(self.path / "running.json", asdict(running))

    def withdraw(self) -> None:
        """Say that the node runs no more."""
        (self.path / "running.json").unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> int | None:
        """The lock that the kernel takes back when this process ends; children do not inherit it."""
        handle = self._open_lock()
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_LOCK_AGAIN_S)  # it may be a command that only looks whether the node runs
            else:
                return handle
        os.close(handle)
        return None

    def _locked(self) -> bool:
        handle = self._open_lock()
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def _open_lock(self) -> int:
        return os.open(self.path / "running.lock", os.O_RDWR | os.O_CREAT, 0o600)

    def _write(self, file: Path, content: dict[str, object]) -> None:
        """Whole or not at all, and for the owner's eyes."""
        handle, name = tempfile.mkstemp(dir=self.path, prefix=file.name)
        with os.fdopen(handle, "w") as out:
            json.dump(content, out, indent=1)
        Path(name).replace(file)
