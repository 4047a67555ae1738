"""A MongoDB wire server for tests: the one MONGO_TEST_URI names, else SecantusDB as a process of its own.

SecantusDB is GPL and a beta: it is started, never imported, and only tests use it (ADR 0002).
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sangkien.testkit.nats_server import free_port

URI_VARIABLE: Final = "MONGO_TEST_URI"
_SERVER: Final = "secantusd-py"
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0
_PR_SET_PDEATHSIG: Final = 1


class MongoServerMissing(RuntimeError):
    """Neither a server to connect to nor one to start; the message says what to do."""


@contextmanager
def mongo_server() -> Iterator[str]:
    """Yield the URI of a replica set that can do transactions; what was started for it ends with the block.

    A started server syncs every commit, keeps its files in a temporary directory, and dies with this process.
    Raises MongoServerMissing when MONGO_TEST_URI is unset and SecantusDB is not installed or does not start.
    """
    given = os.environ.get(URI_VARIABLE)
    if given:
        yield given
        return
    directory = Path(tempfile.mkdtemp(prefix="sangkien-mongo-"))
    process: subprocess.Popen[bytes] | None = None
    try:
        process, port = _start(_binary(), directory)
        yield f"mongodb://127.0.0.1:{port}/?replicaSet=secantus"
    finally:
        if process is not None:
            _stop(process)
        shutil.rmtree(directory, ignore_errors=True)


def _binary() -> str:
    beside = Path(sys.executable).with_name(_SERVER)
    found = str(beside) if beside.exists() else shutil.which(_SERVER)
    if found is None:
        raise MongoServerMissing(
            f"{_SERVER} is not installed: run `make setup`, or set {URI_VARIABLE} to the URI of a MongoDB replica set "
            "that tests may write to"
        )
    return found


def _start(binary: str, directory: Path) -> tuple[subprocess.Popen[bytes], int]:
    log = directory / "server.log"
    for _ in range(3):  # another process may take the port between our look and the server's bind
        port = free_port()
        command = [binary, "--host", "127.0.0.1", "--port", str(port), "--storage-path", str(directory / "data")]
        command += ["--sync-on-commit", "--cache-size", "128M", "--log-level", "WARNING"]
        with log.open("ab") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, preexec_fn=_die_with_parent())  # noqa: PLW1509
        if _answers(process, port):
            return process, port
        _stop(process)
    tail = log.read_text(errors="replace")[-2000:]
    raise MongoServerMissing(f"{_SERVER} does not start; set {URI_VARIABLE} to use another server. It said:\n{tail}")


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """True once the port accepts; False when the process ended or the time is up."""
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.02)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _die_with_parent() -> Callable[[], None] | None:
    """For the child, before it becomes the server: ask the kernel to kill it when we die, however we die."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask
