"""The `sangkien` command as people and scripts run it: a process of its own."""

import asyncio
import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from sangkien.testkit.eventually import eventually

COMMAND = (sys.executable, "-m", "sangkien.console")
LONGEST_S = 400
DEAD_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Played:
    """A demo that ended well: the folder its node was kept in, and the figures it printed."""

    folder: Path
    outcome: dict[str, Any]


def sangkien(*arguments: str | Path) -> tuple[int, Any]:
    """Run a command to its end: exit status, and what stdout holds, which has to be one JSON document and no more.

    Raises AssertionError, with what was said on stderr, for any other stdout.
    """
    with tempfile.TemporaryDirectory(prefix="sangkien-command-") as folder:
        files = {name: f"{folder}/{name}" for name in ("stdout", "stderr")}
        request = {"argv": [str(one) for one in arguments], "env": dict(os.environ), "cwd": str(Path.cwd()), **files}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(LONGEST_S)
            connection.connect(_forking())
            connection.sendall(json.dumps(request).encode() + b"\n")
            status = int(connection.makefile().readline())
        return status, _parsed(*[Path(file).read_bytes() for file in files.values()])


@lru_cache(maxsize=1)
def _forking() -> str:
    """Where the process listens that commands are forked from; it ends with this one."""
    folder = tempfile.mkdtemp(prefix="sangkien-forking-")
    address = f"{folder}/socket"
    server = subprocess.Popen(
        [sys.executable, "-m", "sangkien.testkit.forked_command", address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    def end() -> None:
        server.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    assert server.stdout is not None  # noqa: S101 (piped)
    if server.stdout.readline() != b"ready\n":
        raise RuntimeError("the command cannot be imported")
    return address


class Demo:
    """`sangkien demo --json` in a folder of its own, whose children a test may kill while it runs.

    The children are named after their services, `services` where they share a process, and `nats-server`.

    Used as a context; what still runs at the end is killed, its children with it.
    """

    def __init__(self, folder: Path, scenario: str = "ba-dinh-2023", *options: str) -> None:
        self.folder = folder
        self._arguments = ("demo", scenario, "--json", "--data-dir", str(folder), *options)
        self._stdout, self._stderr = (folder.with_suffix(suffix) for suffix in (".out", ".err"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the command has not ended yet."""
        return self._process is not None and self._process.poll() is None

    def children(self) -> dict[str, psutil.Process]:
        """The processes of the node that are alive now, by service; the broker as `nats-server`."""
        found = {}
        if self._process is not None and self.running:
            for child in psutil.Process(self._process.pid).children():
                name = _name(child)
                if name:
                    found[name] = child
        return found

    async def kill(self, *names: str) -> None:
        """Kill -9 these children at one moment. Returns once each is really dead and another process has its place.

        Raises AssertionError when one survives, or when nobody takes its place though the demo goes on.
        """
        victims = await eventually(lambda: self._all(names), what=f"{', '.join(names)} to run")
        for victim in victims.values():
            os.kill(victim.pid, signal.SIGKILL)
        for name, victim in victims.items():
            await eventually(partial(dead, victim), timeout=DEAD_WITHIN_S, what=f"{name} to be dead")

        def replaced() -> bool:
            now = self.children()
            return not self.running or all(name in now and now[name] != old for name, old in victims.items())

        await eventually(replaced, timeout=DEAD_WITHIN_S, what=f"{', '.join(victims)} to be started again")

    @asynccontextmanager
    async def halted(self, name: str) -> AsyncIterator[None]:
        """Within the block this child stands still (SIGSTOP), so that its files do; then it goes on."""
        child = (await eventually(lambda: self._all((name,)), what=f"{name} to run"))[name]
        child.suspend()
        await eventually(lambda: child.status() == psutil.STATUS_STOPPED, what=f"{name} to stand still")
        try:
            yield
        finally:
            with suppress(psutil.NoSuchProcess):
                child.resume()

    async def played(self) -> Played:
        """Wait for its end. Raises AssertionError when it failed, saying why."""
        assert self._process is not None  # noqa: S101 (entered)
        status = await asyncio.to_thread(self._process.wait, LONGEST_S)
        stderr = self._stderr.read_bytes()
        found = _parsed(self._stdout.read_bytes(), stderr)
        if status != 0:
            raise AssertionError(f"the demo ended with {status}: {found}\n{stderr[-3_000:].decode(errors='replace')}")
        return Played(self.folder, found)

    async def die(self) -> list[psutil.Process]:
        """Kill -9 the command itself. Gives the children it had at that moment."""
        assert self._process is not None  # noqa: S101 (entered)
        children = list(self.children().values())
        self._process.kill()
        await asyncio.to_thread(self._process.wait)
        return children

    def _all(self, names: tuple[str, ...]) -> dict[str, psutil.Process]:
        running = self.children()
        return {name: running[name] for name in names}

    def __enter__(self) -> Self:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self._process = subprocess.Popen([*COMMAND, *self._arguments], stdout=out, stderr=err)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None  # noqa: S101 (entered)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def _name(process: psutil.Process) -> str:
    """Which part of the node a child is, by its command line; "" for one that is none, or none any more."""
    try:
        words = process.cmdline()
    except psutil.Error:
        return ""
    if words and words[0].endswith("nats-server"):
        return "nats-server"
    if "sangkien.console.node.together" in words:
        return "services"
    modules = [word.removeprefix("sangkien.") for word in words if word.startswith("sangkien.")]
    return modules[-1] if words[-1:] == ["serve"] and modules else ""


def dead(process: psutil.Process) -> bool:
    """Gone, or a zombie that only waits for its parent's look."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _parsed(stdout: bytes, stderr: bytes) -> Any:
    try:
        return json.loads(stdout)
    except ValueError as error:
        said = stderr[-3_000:].decode(errors="replace")
        raise AssertionError(f"stdout is not one JSON document: {stdout[:500]!r}\nstderr: {said}") from error
