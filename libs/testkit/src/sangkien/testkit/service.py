"""A whole service in the test's own event loop: real store, real broker, real gRPC, the real chassis."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from sangkien.chassis import Definition, ServiceHost
from sangkien.rpc import connect
from sangkien.runtime import MetricsPage, Telemetry
from sangkien.testkit.directory_double import NODE_SECRET, DirectoryDouble


@dataclass
class RunningService:
    """A started service and the test's ways to talk to it."""

    host: ServiceHost
    directory: DirectoryDouble
    telemetry: Telemetry
    fatal: list[str] = field(default_factory=list)
    _channels: list[grpc.aio.Channel] = field(default_factory=list)

    def channel(self, subject: str = "", roles: Iterable[str] = (), organisation: str = "") -> grpc.aio.Channel:
        """A channel with a token of this subject and these roles; without a subject, without a token."""
        token = self.directory.token(subject, roles, organisation) if subject else None
        channel = connect(self.host.target, telemetry=self.telemetry, token=token, timeout=20)
        self._channels.append(channel)
        return channel

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()


@asynccontextmanager
async def running_service(
    definition: Definition,
    *,
    nats_url: str,
    data_dir: Path,
    directory: DirectoryDouble,
    store_url: str = "",
    **settings: Any,
) -> AsyncIterator[RunningService]:
    """Start the service on a free port with its store in `data_dir` (or at `store_url`), drain it at the end.

    Further `settings` are fields of the service's own settings class. Starting it again on the same `data_dir` finds
    what it had committed.
    """
    fatal: list[str] = []
    chosen = definition.settings(
        node=directory.node,
        store_url=store_url or f"sqlite:///{data_dir}",
        database=settings.pop("database", definition.name),
        nats_url=nats_url,
        listen="127.0.0.1:0",
        directory=directory.target,
        node_secret=NODE_SECRET,
        spans_dir=data_dir / "spans",
        **settings,
    )
    host = ServiceHost(definition, chosen, MetricsPage().of(definition.name), fatal.append)
    telemetry = Telemetry.create("test", node=directory.node, spans_dir=None, otlp_endpoint=None)
    await host.life.start()
    running = RunningService(host, directory, telemetry, fatal)
    try:
        yield running
    finally:
        await running.close()
        await host.life.drain()
        await telemetry.shutdown()
