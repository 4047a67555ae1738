"""One service's place on the network: its connection, its relay, its subscriptions."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, cast

import nats.errors
import structlog
from faststream.nats.subscriber.usecases import BatchPullStreamSubscriber
from nats.aio.client import Client
from nats.js import JetStreamContext

from sangkien.contracts.topology import Topology
from sangkien.messaging.broker import Broker
from sangkien.messaging.dead_letters import DeadLetters
from sangkien.messaging.delivery import Delivery
from sangkien.messaging.failures import IsTransient, delay_seconds, detail_of, is_transient
from sangkien.messaging.incoming import Subscription
from sangkien.messaging.outbox import MESSAGING_SCHEMA, OUTBOX, RELAY
from sangkien.messaging.pulling import SteadyPull
from sangkien.messaging.relay import Relay
from sangkien.messaging.sweep import Retention, sweep_on
from sangkien.messaging.topology import ProvisionRefused, find_consumer, provision
from sangkien.runtime import Metrics, Telemetry, utc_now
from sangkien.store import Duplicate, Insert, Op, Store, StoreError

POLL_SECONDS = 1.0
WATCH_SECONDS = 5.0
FLUSH_SECONDS = 5.0
PING_SECONDS = 2
CANCEL_SECONDS = 0.5

_log = structlog.get_logger("sangkien.messaging.bus")


class Lag(NamedTuple):
    """Messages of one consumer: not delivered yet, delivered and not settled, and of those the ones delivered again."""

    pending: int
    unacknowledged: int
    redelivered: int


class Bus:
    """Publishes what the service's outbox holds and feeds its handlers; one per service of a process.

    Errors of broker and store are waited out inside: what is committed goes out once they answer again. `on_fatal` is
    called with a reason when the connection is lost for good and the process has to end. Events leave under the source
    `/<node>/<service>`. `transient` replaces the default judgement which errors of a handler are worth another try.
    """

    def __init__(  # noqa: PLR0913 (the composition root of this library: everything is handed in)
        self,
        *,
        service: str,
        nats_url: str,
        store: Store,
        telemetry: Telemetry,
        subscriptions: Sequence[Subscription],
        topology: Topology,
        on_fatal: Callable[[str], None],
        node: str = "local",
        metrics: Metrics | None = None,
        transient: IsTransient = is_transient,
        retention: Retention | None = None,
    ) -> None:
        self._service = service
        self._store = store
        self._telemetry = telemetry
        self._subscriptions = tuple(subscriptions)
        self._whole = topology
        self._topology = topology.of_service(service)
        self._source = f"/{node}/{service}"
        self._metrics = metrics
        self._transient = transient
        self._retention = retention or Retention()
        self._broker = Broker(
            name=service,
            url=nats_url,
            on_disconnect=self._disconnected,
            on_reconnect=self._reconnected,
            on_fatal=on_fatal,
        )
        self._relay: Relay | None = None
        self._pulls: list[SteadyPull] = []
        self._subscribers: list[BatchPullStreamSubscriber] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._trouble = asyncio.Event()
        self._missing: list[str] = []
        self._provisioning = asyncio.Lock()
        for subscription in self._subscriptions:
            if subscription.consumer not in self._topology.consumers:
                raise ValueError(f"{subscription.consumer.name} is no consumer of {service} in this topology")

    @property
    def client(self) -> Client:
        """The NATS connection; usable once started."""
        return self._broker.client

    @property
    def jetstream(self) -> JetStreamContext:
        """JetStream on that connection; usable once started."""
        return self._broker.jetstream

    @property
    def dead_letters(self) -> DeadLetters:
        """The dead letters of the node; usable once started."""
        return DeadLetters(self.jetstream, self._whole)

    async def start(self) -> None:
        """Connect, however long that takes, bring streams and consumers into being, and begin to relay and consume.

        Raises ProvisionRefused when the broker forbids the topology, and nats errors when it refuses the credentials.
        """
        await self._store.ensure(MESSAGING_SCHEMA)
        await self._broker.connect()
        await self._provision_first()
        stream = next((s.name for s in self._topology.streams if s.service == self._service), None)
        if stream is not None:
            self._relay = Relay(
                stream=stream,
                source=self._source,
                client=self.client,
                js=self.jetstream,
                store=self._store,
                telemetry=self._telemetry,
                provision=self._provision,
                metrics=self._metrics,
            )
            self._spawn(self._relay.run())
        for subscription in self._subscriptions:
            await self._subscribe(subscription)
        self._spawn(self._watch())
        self._spawn(sweep_on(self._store, self._topology.consumers, self._retention))

    async def drain(self) -> None:
        """Stop fetching, finish the handlers at work, send what the outbox holds, close. May be called twice."""
        for pull in self._pulls:
            pull.closing = True
        await asyncio.gather(*(subscriber.stop() for subscriber in self._subscribers), return_exceptions=True)
        await _end(self._tasks)
        if self._relay is not None:
            await self._relay.flush(FLUSH_SECONDS)
        self._pulls, self._subscribers, self._tasks, self._relay = [], [], [], None
        await self._broker.close()

    def wake_relay(self, committed: Sequence[Op] | None = None) -> None:
        """Call after a commit that may hold outbox rows, so that they leave now rather than at the next look.

        With the operations committed they leave without being read again; without, the outbox is read.
        """
        if self._relay is not None:
            self._relay.wake(committed)

    async def ping(self) -> None:
        """Return when the broker answers; raises nats errors otherwise."""
        if not self._broker.connected:
            raise nats.errors.ConnectionClosedError
        await self.client.flush(timeout=PING_SECONDS)

    async def outbox_depth(self) -> int:
        """Events committed and not yet acknowledged by the broker."""
        return await self._store.count(OUTBOX)

    async def oldest_outbox_age_s(self) -> float:
        """How many seconds ago the oldest of them happened, 0.0 when there is none."""
        rows = await self._store.find(OUTBOX, limit=1)
        if not rows:
            return 0.0
        return max(0.0, (utc_now() - datetime.fromisoformat(rows[0]["at"])).total_seconds())

    async def consumer_lag(self) -> dict[str, Lag]:
        """How far behind each of the service's consumers is. Raises nats errors."""
        lag: dict[str, Lag] = {}
        for consumer in self._topology.consumers:
            info = await find_consumer(self.jetstream, consumer)
            if info is not None:
                lag[consumer.name] = Lag(info.num_pending or 0, info.num_ack_pending or 0, info.num_redelivered or 0)
        return lag

    async def _subscribe(self, subscription: Subscription) -> None:
        delivery = Delivery(
            subscription,
            js=self.jetstream,
            store=self._store,
            telemetry=self._telemetry,
            metrics=self._metrics,
            transient=self._transient,
            effect_committed=self.wake_relay,
        )
        subscriber = self._broker.subscriber(
            subscription.consumer, delivery, batch=subscription.batch, poll_seconds=POLL_SECONDS
        )
        await subscriber.start()
        inner = cast("JetStreamContext.PullSubscription", subscriber.subscription)
        pull = SteadyPull(inner, batch=subscription.batch, on_trouble=self._trouble.set)
        # Before the loop's task has had its first turn: nothing above has given the event loop back since it began.
        subscriber.subscription = cast("JetStreamContext.PullSubscription", pull)
        self._pulls.append(pull)
        self._subscribers.append(subscriber)

    async def _provision_first(self) -> None:
        failures = 0
        while True:
            try:
                await self._provision()
                return
            except (nats.errors.Error, TimeoutError, StoreError) as error:
                failures += 1
                if failures == 1:
                    _log.warning("provisioning_waits", service=self._service, cause=detail_of(error))
                await asyncio.sleep(delay_seconds(failures))

    async def _provision(self) -> None:
        """Create what is missing. A consumer that existed before starts where its inbox still remembers.

        At the beginning of the stream it would meet events whose inbox rows are swept, and repeat their effects.
        """
        async with self._provisioning:
            ids = {f"consumer:{consumer.name}": consumer.name for consumer in self._topology.consumers}
            known = await self._store.get_many(RELAY, list(ids))
            start = utc_now() - (self._retention.inbox - self._retention.sent)
            changed = await provision(
                self.jetstream,
                self._topology,
                owner=self._service,
                start_from={ids[id]: start for id in known},
            )
            for difference in changed:
                _log.info("topology_mended", service=self._service, difference=str(difference))
            marks: list[Op] = [Insert(RELAY, {"_id": id}) for id in ids if id not in known]
            with suppress(Duplicate):  # another replica marked them first
                await self._store.apply(marks)

    async def _watch(self) -> None:
        """Notice what vanished from the broker, and bring it back; say so once."""
        failing = False
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._trouble.wait()
            self._trouble.clear()
            try:
                await self._mend()
                await self._gauge()
                failing = False
            except (nats.errors.Error, TimeoutError, StoreError, ProvisionRefused) as error:
                if not failing:
                    _log.error("broker_not_mended", service=self._service, cause=detail_of(error))
                failing = True
                await asyncio.sleep(POLL_SECONDS)

    async def _mend(self) -> None:
        if not self._broker.connected:
            return
        missing = [c.name for c in self._topology.consumers if await find_consumer(self.jetstream, c) is None]
        if missing != self._missing:
            self._missing = missing
            _log.error("consumers_missing", service=self._service, consumers=missing)
        if missing:
            await self._provision()
            if self._relay is not None:
                self._relay.suspect()

    async def _gauge(self) -> None:
        if self._metrics is None:
            return
        self._metrics.set("outbox_depth", await self.outbox_depth())
        self._metrics.set("outbox_oldest_seconds", await self.oldest_outbox_age_s())
        self._metrics.set("spans_dropped", self._telemetry.spans_dropped)
        if self._broker.connected:
            for consumer, lag in (await self.consumer_lag()).items():
                self._metrics.set("consumer_pending", lag.pending + lag.unacknowledged, consumer=consumer)

    def _disconnected(self) -> None:
        if self._relay is not None:
            self._relay.disconnected()

    def _reconnected(self) -> None:
        self._trouble.set()
        self.wake_relay()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.create_task(work))


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel until they are over: the NATS client swallows a cancellation that meets it while it publishes."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_SECONDS)
