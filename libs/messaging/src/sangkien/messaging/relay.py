"""The relay: takes outbox rows to JetStream, and remembers where they came to stand (DESIGN §6.2, §6.5).

A publish without an acknowledgement in time is neither sent nor unsent: the row stays and goes out again under the same
id. Rows are recorded as sent only while the connection they were acknowledged on still stands, and before anything new
leaves on a connection the stream is compared with what is remembered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext

from sangkien.messaging.backlog import Backlog
from sangkien.messaging.failures import delay_seconds, detail_of
from sangkien.messaging.lease import Lease
from sangkien.messaging.outbox import OUTBOX, Outgoing
from sangkien.messaging.publishing import Answer, Batch, Publisher
from sangkien.messaging.reoffer import Reoffer, StreamMissing, Verified
from sangkien.runtime import Metrics, Telemetry, new_id, traceparent_of, utc_now
from sangkien.store import Conflict, Delete, Duplicate, Op, Store

IDLE_SECONDS = 0.5
PUBLISH_SECONDS = 3.0
CHECK_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 5.0
HEADER_ROOM_BYTES = 4_096

_log = structlog.get_logger("sangkien.messaging.relay")

Progress = Literal["idle", "moved", "stuck"]


@dataclass(frozen=True, slots=True)
class Placed:
    """A row the broker holds for certain, and its sequence."""

    row: Outgoing
    seq: int


class Relay:
    """Publishes one service's outbox to its stream. One `run` per process; `wake` after every commit."""

    def __init__(
        self,
        *,
        stream: str,
        source: str,
        client: Client,
        js: JetStreamContext,
        store: Store,
        telemetry: Telemetry,
        provision: Callable[[], Awaitable[None]],
        metrics: Metrics | None = None,
    ) -> None:
        self._stream = stream
        self._source = source
        self._client = client
        self._js = js
        self._store = store
        self._telemetry = telemetry
        self._provision = provision
        self._metrics = metrics
        self._lease = Lease(store)
        self._reoffer = Reoffer(store, js, stream, self._lease)
        self._work = asyncio.Event()
        self._session = 0
        self._step: asyncio.Task[Progress] | None = None
        self._backlog = Backlog(store)
        self._publisher = Publisher(client)
        self._batch: Batch | None = None
        self._verified: Verified | None = None
        self._verified_for = (-1, -1)
        self._check_at = 0.0

    def wake(self, committed: Sequence[Op] | None = None) -> None:
        """There is something to send: the events among these operations, or None for what only the store knows."""
        if committed is None:
            self._backlog.doubt()
        else:
            self._backlog.add(committed)
        self._work.set()

    def disconnected(self) -> None:
        """The connection is gone: what it had not acknowledged is unknown, and the next one must be checked first."""
        self._session += 1
        if self._batch is not None:
            self._batch.give_up()  # not the step itself: the client swallows a cancellation while it publishes
        elif self._step is not None:
            # A question that the lost connection took with it is answered by nothing but its time-out.
            self._step.cancel()

    def suspect(self) -> None:
        """The stream may not be what it was: check before the next publish."""
        self._verified = None
        self.wake()

    async def run(self) -> None:
        """Relay until cancelled. Failures are logged once in a row, and tried again after a growing pause."""
        failures = 0
        while True:
            self._work.clear()
            try:
                progress = await self._one_step()
            except Exception as error:  # noqa: BLE001 (a relay that ends is an outbox that nobody empties)
                self._verified = None
                progress = "stuck"
                if not failures:
                    _log.warning("relay_stuck", stream=self._stream, cause=detail_of(error))
            if progress == "stuck":
                failures += 1
                await asyncio.sleep(min(delay_seconds(failures), LONGEST_PAUSE_SECONDS))
                continue
            if failures:
                _log.info("relay_moves_again", stream=self._stream, failures=failures)
            failures = 0
            if progress == "idle":
                await self._rest()

    async def _one_step(self) -> Progress:
        self._step = asyncio.create_task(self.step())
        try:
            return await self._step
        except asyncio.CancelledError:
            if (current := asyncio.current_task()) and current.cancelling():
                raise
            return "idle"  # `disconnected` cut it off
        finally:
            self._step = None

    async def flush(self, seconds: float) -> bool:
        """Send what is left, for at most so long; says whether the outbox was emptied. Then lets the lease go."""
        self._backlog.doubt()
        try:
            async with asyncio.timeout(seconds):
                while await self.step() == "moved":
                    pass
                await self._lease.release()
                return await self._store.count(OUTBOX) == 0
        except Exception as error:  # noqa: BLE001 (what is left goes out after the next start)
            _log.warning("outbox_not_flushed", stream=self._stream, cause=detail_of(error))
            return False

    async def step(self) -> Progress:
        """Take one batch to the broker. Raises what store and broker raise."""
        if not self._client.is_connected or not await self._lease.hold():
            return "idle"
        verified = await self._check()
        session = self._session
        rows = await self._backlog.next()
        if not rows:
            return "idle"
        answers = await self._publish(rows)
        placed = await self._place(rows, answers) if session == self._session else []
        if session != self._session:
            return "moved"  # whatever was acknowledged may be lost with the connection: ask again under the same ids
        if placed:
            await self._record(placed, verified)
        if len(placed) == len(rows):
            self._backlog.settled()
        return "moved" if placed else "stuck"

    async def _check(self) -> Verified:
        """Compare with the broker when the connection or the lease is new, and every now and then."""
        now = asyncio.get_running_loop().time()
        current = (self._session, self._lease.term)
        if self._verified and self._verified_for == current and now < self._check_at:
            return self._verified
        try:
            verified = await self._reoffer.check()
        except StreamMissing:
            await self._provision()
            verified = await self._reoffer.check()
        if verified.returned:
            self._backlog.doubt()
        self._verified, self._verified_for = verified, current
        self._check_at = now + CHECK_SECONDS
        return verified

    async def _publish(self, rows: Sequence[Outgoing]) -> list[Answer]:
        """Send the rows all at once, and give the broker a bounded time to acknowledge them; one answer a row."""
        session = self._session
        sent: list[int] = []
        answers: list[Answer] = [None] * len(rows)
        self._batch = batch = await self._publisher.begin()
        try:
            for place, row in enumerate(rows):
                body = row.body
                if len(body) + HEADER_ROOM_BYTES > self._client.max_payload:
                    _log.error("event_too_large_for_broker", stream=self._stream, event_id=row.id, size=len(body))
                else:
                    self._add(batch, row, body)
                    sent.append(place)
            if session == self._session:
                for place, answer in zip(sent, await batch.answers(PUBLISH_SECONDS), strict=True):
                    answers[place] = answer
        finally:
            self._batch = None
        return answers

    def _add(self, batch: Batch, row: Outgoing, body: bytes) -> None:
        # Not entered: nothing happens under it that would look for the current span.
        span = self._telemetry.span(
            f"{row.type} publish",
            parent=row.traceparent,
            kind="producer",
            event_id=row.id,
            aggregate_id=row.aggregate_id,
        )
        batch.add(row.type, body, self._headers(row, row.id, traceparent_of(span)))
        span.end()

    async def _place(self, rows: Sequence[Outgoing], answers: Sequence[Answer]) -> list[Placed]:
        """Those of the rows that the broker holds for certain. Raises the broker's error when it holds none."""
        placed: list[Placed] = []
        refused: Exception | None = None
        for row, ack in zip(rows, answers, strict=True):
            if ack is None:
                continue
            if isinstance(ack, Exception):
                refused = refused or ack
            elif not ack.duplicate or await self._reoffer.holds(row.id, ack.seq):
                placed.append(Placed(row, ack.seq))
            else:
                # The broker remembers the id of a message that it no longer has: only another id gets it stored.
                anew = await self._js.publish(
                    row.type, row.body, headers=self._headers(row, f"{row.id}:{new_id()}", ""), timeout=PUBLISH_SECONDS
                )
                placed.append(Placed(row, anew.seq))
        if refused is not None and not placed:
            raise refused
        return placed

    async def _record(self, placed: Sequence[Placed], verified: Verified) -> None:
        """Move the rows to those sent, if the lease is still ours."""
        sent_at = utc_now().isoformat()
        moves: list[Op] = []
        for p in placed:
            moves += [Delete(OUTBOX, p.row.id), p.row.sent(seq=p.seq, created=verified.created, sent_at=sent_at)]
        try:
            try:
                await self._store.apply([*self._lease.renewal(), *moves])
            except Duplicate:
                # An earlier row claims one of these numbers, so the broker gave it twice: what the row stands for was
                # lost, and maybe more. This holds also for a loss that no broken connection announced.
                evicted = await self._reoffer.evict(verified.created, {p.seq: p.row.id for p in placed})
                await self._store.apply([*self._lease.renewal(), *evicted, *moves])
                self._verified = None
                self._backlog.doubt()
        except Conflict:
            self._lease.lost()
            raise
        self._lease.renewed()
        if self._metrics:
            self._metrics.count("events_published", len(placed), stream=self._stream)

    def _headers(self, row: Outgoing, message_id: str, traceparent: str) -> dict[str, str]:
        return row.headers(
            source=self._source,
            stream=self._stream,
            message_id=message_id,
            traceparent=traceparent or row.traceparent,
        )

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_SECONDS):
                await self._work.wait()
