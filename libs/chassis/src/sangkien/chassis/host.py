"""Running services: each with all it stands on, started in order and drained in reverse (DESIGN §6)."""

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from sangkien.api.ops.v1 import ops_pb2_grpc
from sangkien.chassis.context import Context
from sangkien.chassis.definition import Definition, Loop, Parts
from sangkien.chassis.identity import Identity
from sangkien.chassis.operations import OPS_POLICY, OpsServicer
from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import MESSAGING_SCHEMA, BlobsUnavailable, Bus, ObjectBlobs
from sangkien.rpc import RpcServer, Unavailable, create_server
from sangkien.runtime import Health, Lifecycle, Metrics, MetricsPage, ServiceSettings, Telemetry
from sangkien.store import Conflict, Duplicate, Op, Store, StoreUnavailable, open_store
from sangkien.store.deciding import ChangedMeanwhile

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""A thousand items of a batch command, or one document of a few thousand rows."""

_log = structlog.get_logger("sangkien.chassis")


def translate(error: BaseException) -> BaseException:
    """Errors of store and blobs as the edge words them."""
    if isinstance(error, StoreUnavailable):
        return Unavailable("store")
    if isinstance(error, Conflict | Duplicate):
        return ChangedMeanwhile()
    return Unavailable("blobs") if isinstance(error, BlobsUnavailable) else error


class ServiceHost:
    """One service. It stops in the order: no new calls, no new work, handlers finish, the outbox is flushed, then
    channels, store and traces close.
    """

    def __init__(
        self,
        definition: Definition,
        settings: ServiceSettings,
        metrics: Metrics,
        on_fatal: Callable[[str], None],
    ) -> None:
        self.definition = definition
        self.settings = settings
        self._on_fatal = on_fatal
        self.started_at = time.time()
        self.life = Lifecycle(step_timeout=settings.drain_timeout_s)
        self._health = Health()
        self._metrics = metrics
        self._tasks: list[asyncio.Task[None]] = []
        self._telemetry: Telemetry
        self._store: Store
        self._identity: Identity
        self._context: Context
        self._parts: Parts
        self._bus: Bus
        self._server: RpcServer
        for name, start, stop in (
            ("traces", self._open_traces, self._close_traces),
            ("store", self._open_store, self._close_store),
            ("channels", self._build, self._close_channels),
            ("bus", self._start_bus, self._drain_bus),
            ("work", self._start_work, self._stop_work),
            ("server", self._start_server, self._drain_server),
        ):
            self.life.add(name, start=start, stop=stop)

    @property
    def target(self) -> str:
        """The gRPC target of the service, once started."""
        return self._server.target

    async def _open_traces(self) -> None:
        settings = self.settings
        self._telemetry = Telemetry.create(
            self.definition.name,
            node=settings.node,
            spans_dir=settings.spans_dir,
            otlp_endpoint=settings.otlp_endpoint,
            max_spans=settings.max_spans,
            ratio=settings.trace_ratio,
        )

    async def _close_traces(self) -> None:
        await self._telemetry.shutdown()

    async def _open_store(self) -> None:
        self._store = await open_store(self.settings.store_url, database=self.settings.database)
        await self._store.ensure(self.definition.schema + MESSAGING_SCHEMA)
        self._health.register("store", self._store.ping)

    async def _close_store(self) -> None:
        await self._store.close()

    async def _build(self) -> None:
        """The composition root runs here; the bus is made with it, because commits wake its relay."""
        name, settings = self.definition.name, self.settings
        self._identity = Identity(name, settings, self._telemetry)
        self._context = Context(
            name,
            settings,
            store=self._store,
            telemetry=self._telemetry,
            token=self._identity.token,
            blobs=ObjectBlobs(lambda: self._bus.jetstream),
            metrics=self._metrics,
            committed=self._wake_relay,
        )
        self._parts = self.definition.build(self._context)
        self._bus = Bus(
            service=name,
            node=settings.node,
            nats_url=settings.nats_url,
            store=self._store,
            telemetry=self._telemetry,
            subscriptions=self._parts.subscriptions,
            topology=TOPOLOGY,
            on_fatal=self._on_fatal,
            metrics=self._metrics,
        )
        self._health.register("broker", self._bus.ping)

    def _wake_relay(self, committed: Sequence[Op] | None) -> None:
        self._bus.wake_relay(committed)

    async def _close_channels(self) -> None:
        await self._context.close()
        await self._identity.close()

    async def _start_bus(self) -> None:
        for step in self._parts.open:
            await step()
        await self._bus.start()

    async def _drain_bus(self) -> None:
        await self._bus.drain()

    async def _start_work(self) -> None:
        for loop in self._parts.background:
            task = asyncio.create_task(self._watch(loop), name=f"{self.definition.name}-background")
            self._tasks.append(task)

    async def _watch(self, loop: Loop) -> None:
        try:
            await loop()
        except Exception as error:  # noqa: BLE001 (whatever ended it, the service must not go on without it)
            _log.error(
                "background_failed", service=self.definition.name, error_type=type(error).__name__, exc_info=True
            )
            self._on_fatal(f"background work ended: {type(error).__name__}")
        else:
            task = asyncio.current_task()
            if task is None or not task.cancelling():  # else it ends as asked: some swallow the cancellation itself
                self._on_fatal("background work ended")

    async def _stop_work(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start_server(self) -> None:
        settings = self.settings
        operations = OpsServicer(
            service=self.definition.name,
            node=settings.node,
            bus=self._bus,
            store=self._store,
            telemetry=self._telemetry,
            health=self._health,
            started_at=self.started_at,
        )
        self._server = create_server(
            settings.listen,
            servicers=[*self._parts.servicers, (ops_pb2_grpc.add_OpsServiceServicer_to_server, operations)],
            policy=self._parts.policy | OPS_POLICY,
            verifier=self._parts.verifier or self._identity.verifier,
            telemetry=self._telemetry,
            health=self._health,
            reflection=settings.reflection,
            translate=translate,
            metrics=self._metrics,
            max_message_bytes=MAX_MESSAGE_BYTES,
        )
        await self._server.start()
        _log.info("ready", service=self.definition.name, target=self._server.target)

    async def _drain_server(self) -> None:
        await self._server.drain(self.settings.drain_timeout_s * 0.8)


class Host:
    """Several services in one process, directory first, for machines with little memory.

    One that fails for good ends all of them: whoever supervises the process starts it again whole.
    """

    def __init__(self, services: Sequence[tuple[Definition, ServiceSettings]]) -> None:
        self._ports = {port for _, s in services if (port := s.metrics_port) is not None}
        self._page = MetricsPage() if self._ports else None
        self.life = Lifecycle(step_timeout=max(s.drain_timeout_s for _, s in services) * 4)
        self.hosts = [ServiceHost(d, s, Metrics(d.name, self._page), self.life.stop) for d, s in services]
        for host in self.hosts:
            self.life.add(host.definition.name, start=host.life.start, stop=host.life.drain)

    async def serve(self) -> int:
        """Run until asked to stop. Returns the exit status."""
        if self._page is not None:
            for port in self._ports:
                self._page.serve(port)
        return await self.life.serve()
