"""From raw messages to one committed effect each, and the decision what becomes of every message (DESIGN §6.3, §6.4).

A batch is committed as one unit: the handler's operations and the inbox rows. What fails as a batch is halved until the
message at fault stands alone, so that one message never sinks the others. Then its error's class decides:

- the store or another service cannot be reached: again after a growing delay, for ever;
- `Later`: again after a growing delay, up to a generous number of times, then a dead letter `dependency_missing`;
  `UnderWay`: the same, for ever;
- another writer was faster (`Conflict`, `Duplicate`): again at once, a few times, then later;
- a `Refusal`, an unreadable message: a dead letter at once; any other error is a bug: a dead letter after five tries.

A message is acknowledged after its effect is committed; a lost acknowledgement means a redelivery that finds the inbox
row. It is terminated only after the broker holds its dead letter.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from opentelemetry.trace import Span

from sangkien.contracts.events import decode
from sangkien.messaging.cloudevents import read_envelope
from sangkien.messaging.dead_letters import put_aside
from sangkien.messaging.failures import (
    RERUNS,
    TRIES,
    Fate,
    IsTransient,
    Tries,
    classify,
    delay_seconds,
    detail_of,
    is_transient,
    reason_of,
)
from sangkien.messaging.inbox import Inbox
from sangkien.messaging.incoming import Incoming, Later, Subscription
from sangkien.runtime import Metrics, Telemetry, utc_now
from sangkien.store import Conflict, Duplicate, Op, Store

_log = structlog.get_logger("sangkien.messaging.delivery")


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A readable message on its way through a batch."""

    message: Msg
    incoming: Incoming
    span: Span

    @property
    def id(self) -> str:
        return self.incoming.id

    @property
    def stream_seq(self) -> int:
        return self.message.metadata.sequence.stream


class Delivery:
    """Handles the messages of one subscription, a batch at a time."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        js: JetStreamContext,
        store: Store,
        telemetry: Telemetry,
        metrics: Metrics | None = None,
        transient: IsTransient = is_transient,
        effect_committed: Callable[[Sequence[Op]], None] = lambda _: None,
    ) -> None:
        self._consumer = subscription.consumer
        self._handler = subscription.handler
        self._js = js
        self._store = store
        self._inbox = Inbox(store, subscription.consumer)
        self._telemetry = telemetry
        self._metrics = metrics
        self._transient = transient
        self._effect_committed = effect_committed
        self._tries = Tries()
        self._outcomes: Counter[str] = Counter()

    async def __call__(self, messages: Sequence[Msg]) -> None:
        """Settle every message: acknowledged, put off, or put aside. Raises only when cancelled."""
        started = time.perf_counter()
        self._outcomes = Counter()
        try:
            with ExitStack() as spans:
                async with self._still_working(messages):
                    read = [await self._read(message, spans) for message in messages]
                    await self._handle([delivered for delivered in read if delivered is not None])
        except Exception as error:  # noqa: BLE001 (FastStream would swallow it: unacknowledged and unheard of)
            _log.error("delivery_broken", consumer=self._consumer.name, cause=detail_of(error))
        self._report(len(messages), time.perf_counter() - started)

    async def _read(self, message: Msg, spans: ExitStack) -> _Delivered | None:
        try:
            envelope = read_envelope(message.headers or {})
            event = decode(envelope.type, message.data)
        except ValueError as error:  # what both raise for a message that no retry makes readable
            await self._give_up(message, "undecodable", error)
            return None
        span = spans.enter_context(
            self._telemetry.span(
                f"{envelope.type} process",
                parent=envelope.traceparent,
                kind="consumer",
                consumer=self._consumer.name,
                event_id=envelope.id,
                aggregate_id=envelope.aggregate_id,
            )
        )
        incoming = Incoming(
            id=envelope.id,
            type=envelope.type,
            event=event,
            aggregate_id=envelope.aggregate_id,
            aggregate_version=envelope.aggregate_version,
            at=envelope.at,
            traceparent=self._telemetry.traceparent(),
            body=message.data,
            deliveries=message.metadata.num_delivered,
        )
        return _Delivered(message, incoming, span)

    async def _handle(self, batch: Sequence[_Delivered]) -> None:
        """Commit the batch, or find out who in it cannot be."""
        error: Exception | None = None
        for _ in range(RERUNS):
            batch, error = await self._attempt(batch)
            if len(batch) > 1 or not isinstance(error, Conflict | Duplicate):
                break
        if error is None:
            return
        fate = classify(error, self._transient)
        named = error.event_ids if isinstance(error, Later) else ()
        if waiting := [delivered for delivered in batch if delivered.id in named]:
            if fate == "transient":
                await self._put_off(waiting, fate, error)
            else:
                for delivered in waiting:
                    await self._failed(delivered, fate, error)
            await self._handle([delivered for delivered in batch if delivered.id not in named])
        elif fate == "transient":
            await self._put_off(batch, fate, error)
        elif len(batch) > 1:
            middle = len(batch) // 2
            await self._handle(batch[:middle])
            await self._handle(batch[middle:])
        else:
            await self._failed(batch[0], fate, error)

    async def _attempt(self, batch: Sequence[_Delivered]) -> tuple[Sequence[_Delivered], Exception | None]:
        """One try; returns what there was to do once the duplicates were settled, and the error it met."""
        effect: Sequence[Op] = ()
        try:
            batch = await self._without_seen(batch)
            if batch:
                effect = await self._handler([delivered.incoming for delivered in batch])
                now = utc_now()
                await self._store.apply([*effect, *(self._inbox.mark(delivered.id, now) for delivered in batch)])
        except Exception as error:  # noqa: BLE001 (the class of whatever it is decides the message's fate)
            return batch, error
        self._effect_committed(effect)
        for delivered in batch:
            self._tries.settled(delivered.stream_seq)
            await self._settle(delivered.message.ack(), "done")
        return batch, None

    async def _without_seen(self, batch: Sequence[_Delivered]) -> list[_Delivered]:
        """Acknowledge what was done before; of what stands in the batch twice, keep one."""
        seen = await self._inbox.seen([delivered.id for delivered in batch])
        fresh: dict[str, _Delivered] = {}
        for delivered in batch:
            if delivered.id in seen:
                await self._settle(delivered.message.ack(), "duplicate")
            elif delivered.id in fresh:
                # Its twin may still fail: the broker brings this one back, and then the inbox knows.
                await self._settle(delivered.message.nak(delay_seconds(1)), "duplicate")
            else:
                fresh[delivered.id] = delivered
        return list(fresh.values())

    async def _failed(self, delivered: _Delivered, fate: Fate, error: Exception) -> None:
        """A message failed alone: once more later, or never again."""
        tries = self._tries.failed(delivered.stream_seq, fate)
        if tries < TRIES[fate]:
            await self._put_off([delivered], fate, error, tries=tries)
            return
        delivered.span.set_attribute("outcome", "dead")
        await self._give_up(delivered.message, fate, error)

    async def _put_off(
        self, batch: Sequence[_Delivered], fate: Fate, error: Exception, *, tries: int | None = None
    ) -> None:
        outcome = "later" if fate == "later" else "retry"
        for delivered in batch:
            delivered.span.set_attribute("outcome", outcome)
            delay = delay_seconds(tries or delivered.incoming.deliveries)
            await self._settle(delivered.message.nak(delay), outcome)
        _log.warning(
            "messages_put_off",
            consumer=self._consumer.name,
            count=len(batch),
            event_id=batch[0].id,
            fate=fate,
            tries=tries or batch[0].incoming.deliveries,
            cause=detail_of(error),
        )

    async def _give_up(self, message: Msg, fate: Fate, error: Exception) -> None:
        """Put the message aside, and only then tell the broker not to deliver it again."""
        reason, detail = reason_of(fate, error), detail_of(error)
        place = message.metadata
        try:
            await put_aside(self._js, message, self._consumer, reason=reason, detail=detail, at=utc_now())
        except (nats.errors.Error, TimeoutError) as trouble:
            _log.error("dead_letter_not_stored", consumer=self._consumer.name, cause=detail_of(trouble))
            await self._settle(message.nak(delay_seconds(place.num_delivered)), "retry")
            return
        self._tries.settled(place.sequence.stream)
        await self._settle(message.term(), "dead")
        if self._metrics:
            self._metrics.count("dead_letters", consumer=self._consumer.name, reason=reason)
        _log.error(
            "dead_letter",
            consumer=self._consumer.name,
            stream=place.stream,
            stream_seq=place.sequence.stream,
            reason=reason,
            cause=detail,
        )

    async def _settle(self, answer: Awaitable[None], outcome: str) -> None:
        """Send an answer; one that does not get through means a redelivery, which changes nothing."""
        with suppress(nats.errors.Error):
            await answer
        self._outcomes[outcome] += 1

    @asynccontextmanager
    async def _still_working(self, messages: Sequence[Msg]) -> AsyncIterator[None]:
        """Keep the broker from delivering to another process what this one is at work on, however long it takes."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(self._consumer.ack_wait_seconds / 3)
                for message in messages:
                    if not message.is_acked:
                        with suppress(nats.errors.Error):
                            await message.in_progress()

        beating = asyncio.create_task(beat())
        try:
            yield
        finally:
            beating.cancel()

    def _report(self, count: int, seconds: float) -> None:
        _log.info(
            "messages_handled",
            consumer=self._consumer.name,
            count=count,
            duration_ms=round(seconds * 1000, 1),
            **self._outcomes,
        )
        if self._metrics:
            self._metrics.observe("batch_seconds", seconds, consumer=self._consumer.name)
            for outcome, number in self._outcomes.items():
                self._metrics.count("messages_handled", number, consumer=self._consumer.name, outcome=outcome)
