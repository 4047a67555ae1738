"""A service as a process of its own, which a test may kill and start again on what it left."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from sangkien.rpc import connect
from sangkien.runtime import Telemetry
from sangkien.testkit.directory_double import NODE_SECRET, DirectoryDouble
from sangkien.testkit.nats_server import free_port


@contextmanager
def service_process(
    service: str, *, nats_url: str, data_dir: Path, port: int, directory: DirectoryDouble | None = None, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m sangkien.<service> serve` on that port, with its SQLite store in `data_dir`; killed at the end.

    Without a `directory` it is the directory itself. Further `settings` are fields of the service's settings class. It
    may not serve yet when it is yielded: wait for its answer.
    """
    told = {
        "store_url": f"sqlite://{data_dir}",
        "database": service,
        "nats_url": nats_url,
        "listen": f"127.0.0.1:{port}",
        "directory": directory.target if directory else f"127.0.0.1:{port}",
        "node_secret": NODE_SECRET,
        **settings,
    }
    environment = os.environ | {f"{service}_{name}".upper(): value for name, value in told.items()}
    process = subprocess.Popen([sys.executable, "-m", f"sangkien.{service}", "serve"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@dataclass
class CalledProcess:
    """A service's process and channels to it, as `RunningService` has them for one in the test's own event loop."""

    child: subprocess.Popen[bytes]
    target: str
    directory: DirectoryDouble
    telemetry: Telemetry
    _channels: list[grpc.aio.Channel] = field(default_factory=list)

    def channel(self, subject: str, roles: Iterable[str], organisation: str = "") -> grpc.aio.Channel:
        """A channel with a token of this subject and these roles."""
        token = self.directory.token(subject, roles, organisation)
        channel = connect(self.target, telemetry=self.telemetry, token=token, timeout=20)
        self._channels.append(channel)
        return channel

    async def kill(self) -> int:
        """Kill -9; returns the exit status once the process is dead."""
        self.child.kill()
        return await asyncio.to_thread(self.child.wait)

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()


@asynccontextmanager
async def called_process(
    service: str, *, nats_url: str, data_dir: Path, directory: DirectoryDouble
) -> AsyncIterator[CalledProcess]:
    """`service_process` on a free port, with channels to it."""
    port = free_port()
    telemetry = Telemetry.create("test", node=directory.node, spans_dir=None, otlp_endpoint=None)
    with service_process(service, nats_url=nats_url, data_dir=data_dir, port=port, directory=directory) as child:
        process = CalledProcess(child, f"127.0.0.1:{port}", directory, telemetry)
        try:
            yield process
        finally:
            await process.close()
            await telemetry.shutdown()
