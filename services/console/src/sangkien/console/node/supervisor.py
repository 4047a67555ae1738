"""Keeps a node's children running, inside the command's own process.

A child that ends is started again without limit, at once the first time and at most a second later if it keeps ending.
Children die with this process, even when it is killed (Linux).
"""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sangkien.console.node.plan import ChildSpec

LONGEST_BACKOFF_S = 1.0
STEADY_AFTER_S = 5.0
STOP_S = 20.0
GIVE_UP_EXITS = 8
"""Exits before a child was ever ready after which starting a node is given up; afterwards there is no limit."""
LOG_BYTES = 20_000_000
_PR_SET_PDEATHSIG = 1


class NotReady(Exception):
    """A child did not become ready in time. The text names it and the end of its log."""


@dataclass(slots=True)
class Child:
    """One supervised process: `starts` counts how often it was started."""

    spec: ChildSpec
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    exits: list[int] = field(default_factory=list)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.returncode is None else None


class Supervisor:
    """Starts children in order, watches them, stops them in reverse order."""

    def __init__(self, specs: Sequence[ChildSpec], *, on_restart: Callable[[str], None] = lambda _: None) -> None:
        self.children = [Child(spec) for spec in specs]
        self._on_restart = on_restart
        self._watchers: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self, *, within_s: float = 60.0) -> None:
        """Start every child and return once all are ready. Raises NotReady, with everything stopped again."""
        await self._start(self.children, within_s)

    async def add(self, specs: Sequence[ChildSpec], *, within_s: float = 60.0) -> None:
        """Start further children beside those that run, as `start` does."""
        children = [Child(spec) for spec in specs]
        self.children.extend(children)
        await self._start(children, within_s)

    def restart(self, *names: str) -> None:
        """End these children gently; they are started again at once, as after any other end."""
        for child in self.children:
            if child.spec.name in names and child.process is not None and child.process.returncode is None:
                with suppress(ProcessLookupError):
                    child.process.terminate()

    async def _start(self, children: Sequence[Child], within_s: float) -> None:
        deadline = time.monotonic() + within_s
        try:
            for child in children:
                await self._launch(child)
                self._watchers.append(asyncio.create_task(self._watch(child), name=f"watch-{child.spec.name}"))
                if child.spec.port:
                    await self._ready(child, deadline)
            await asyncio.gather(*(self._ready(child, deadline) for child in children))
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End every child, last started first, gently and then not."""
        self._stopping = True
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        brokers = [child for child in self.children if child.spec.port]
        await asyncio.gather(*(self._end(child) for child in self.children if not child.spec.port))
        for child in brokers:
            await self._end(child)

    def pids(self) -> dict[str, int]:
        """Process ids of the children that run now."""
        return {child.spec.name: child.pid for child in self.children if child.pid is not None}

    async def _launch(self, child: Child) -> None:
        spec = child.spec
        if spec.log.exists() and spec.log.stat().st_size > LOG_BYTES:
            spec.log.replace(spec.log.with_suffix(".log.1"))
        child.starts += 1
        with spec.log.open("ab") as log:
            child.process = await asyncio.create_subprocess_exec(
                *spec.command,
                env=os.environ | spec.env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                start_new_session=True,  # Ctrl-C is for the supervisor, which then stops the children in order
            )

    async def _watch(self, child: Child) -> None:
        backoff = 0.0
        while True:
            assert child.process is not None  # noqa: S101 (launched before it is watched)
            began = time.monotonic()
            child.exits.append(await child.process.wait())
            if self._stopping:
                return
            backoff = 0.0 if time.monotonic() - began > STEADY_AFTER_S else min(LONGEST_BACKOFF_S, backoff * 2 + 0.05)
            self._on_restart(child.spec.name)
            await asyncio.sleep(backoff)
            await self._launch(child)

    async def _ready(self, child: Child, deadline: float) -> None:
        for target in child.spec.targets:
            async with grpc.aio.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
                probe = health_pb2_grpc.HealthStub(channel)
                while not await _serves(probe):
                    await self._wait_on(child, deadline)
        while child.spec.port and not await _accepts(child.spec.port):
            await self._wait_on(child, deadline)

    async def _wait_on(self, child: Child, deadline: float) -> None:
        if time.monotonic() > deadline or len(child.exits) > GIVE_UP_EXITS:
            raise NotReady(
                f"{child.spec.name}: chưa sẵn sàng · did not become ready; {child.spec.log}:\n{_tail(child.spec)}"
            )
        await asyncio.sleep(0.05)

    async def _end(self, child: Child) -> None:
        process = child.process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _serves(probe: "health_pb2_grpc.HealthStub") -> bool:
    try:
        answer = await probe.Check(health_pb2.HealthCheckRequest(), timeout=2)
    except grpc.aio.AioRpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _tail(spec: ChildSpec) -> str:
    try:
        return spec.log.read_bytes()[-2_000:].decode(errors="replace")
    except OSError:
        return ""


def _die_with_parent() -> None:
    """Runs in the child between fork and exec: the kernel kills it when the parent is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
