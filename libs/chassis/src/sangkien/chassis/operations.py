"""What every service answers an operator about itself: state, traces, dead letters."""

import resource
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from sangkien.api.ops.v1 import ops_pb2, ops_pb2_grpc
from sangkien.kernel import Refusal
from sangkien.messaging import Bus, DeadLetter
from sangkien.rpc import Policy
from sangkien.runtime import Health, SpanRecord, Telemetry
from sangkien.store import Store

COUNTED_DEAD_LETTERS = 1_000
"""Where counting them for a status stops: beyond that the number no longer matters."""
OPERATOR = frozenset({"operator"})
_METHODS = ("GetStatus", "GetTrace", "FindTraces", "ListDeadLetters", "GetDeadLetter", "ReplayDeadLetter")
OPS_POLICY = Policy({f"/sangkien.api.ops.v1.OpsService/{method}": OPERATOR for method in _METHODS})


class TraceIdMalformed(Refusal):
    """A trace id is 32 hexadecimal digits."""

    code = "trace_id_malformed"
    kind = "invalid"


class OpsServicer(ops_pb2_grpc.OpsServiceServicer):
    """Serves `sangkien.api.ops.v1` of one service."""

    def __init__(
        self,
        *,
        service: str,
        node: str,
        bus: Bus,
        store: Store,
        telemetry: Telemetry,
        health: Health,
        started_at: float,
    ) -> None:
        self._service = service
        self._node = node
        self._bus = bus
        self._store = store
        self._telemetry = telemetry
        self._health = health
        self._started_at = started_at

    async def GetStatus(self, request: ops_pb2.GetStatusRequest, context: Any) -> ops_pb2.GetStatusResponse:
        checks = await self._health.check()
        answer = ops_pb2.GetStatusResponse(
            service=self._service,
            version=version("sangkien-chassis"),
            node=self._node,
            started_at=_timestamp(datetime.fromtimestamp(self._started_at, UTC)),
            store_ok=checks["store"],
            broker_ok=checks["broker"],
            outbox_depth=await self._bus.outbox_depth(),
            oldest_outbox_age_s=await self._bus.oldest_outbox_age_s(),
            checks=checks,
            spans_dropped=self._telemetry.spans_dropped,
            resident_bytes=_resident_bytes(),
        )
        if checks["broker"]:
            answer.dead_letters = len(await self._bus.dead_letters.list(self._service, limit=COUNTED_DEAD_LETTERS))
            for name, lag in (await self._bus.consumer_lag()).items():
                answer.consumers.add(
                    consumer=name,
                    pending=lag.pending,
                    unacknowledged=lag.unacknowledged,
                    redelivered=lag.redelivered,
                )
        return answer

    async def GetTrace(self, request: ops_pb2.GetTraceRequest, context: Any) -> ops_pb2.GetTraceResponse:
        if len(request.trace_id) != 32 or not set(request.trace_id) <= set("0123456789abcdef"):
            raise TraceIdMalformed(field="trace_id")
        store = self._telemetry.store
        if store is None:
            return ops_pb2.GetTraceResponse()
        await self._telemetry.flush()
        return ops_pb2.GetTraceResponse(spans=[span_message(record) for record in store.spans_of(request.trace_id)])

    async def FindTraces(self, request: ops_pb2.FindTracesRequest, context: Any) -> ops_pb2.FindTracesResponse:
        store = self._telemetry.store
        if store is None:
            return ops_pb2.FindTracesResponse()
        await self._telemetry.flush()
        limit = min(request.limit or 20, 200)
        return ops_pb2.FindTracesResponse(trace_ids=store.traces_of(request.aggregate_id, limit=limit))

    async def ListDeadLetters(
        self, request: ops_pb2.ListDeadLettersRequest, context: Any
    ) -> ops_pb2.ListDeadLettersResponse:
        limit = min(request.limit or 50, 500)
        found = await self._bus.dead_letters.list(self._service, limit=limit, after=request.after)
        return ops_pb2.ListDeadLettersResponse(
            dead_letters=[_dead_letter(letter) for letter in found],
            next_after=found[-1].seq if len(found) == limit else 0,
        )

    async def GetDeadLetter(self, request: ops_pb2.GetDeadLetterRequest, context: Any) -> ops_pb2.GetDeadLetterResponse:
        letter = await self._bus.dead_letters.get(request.sequence)
        return ops_pb2.GetDeadLetterResponse(
            dead_letter=_dead_letter(letter), body=letter.body, headers=_headers(letter)
        )

    async def ReplayDeadLetter(
        self, request: ops_pb2.ReplayDeadLetterRequest, context: Any
    ) -> ops_pb2.ReplayDeadLetterResponse:
        await self._bus.dead_letters.replay(request.sequence)
        return ops_pb2.ReplayDeadLetterResponse(replayed=True)


def span_message(record: SpanRecord) -> ops_pb2.Span:
    """A stored span as the operations interface says it."""
    return ops_pb2.Span(
        trace_id=record.trace_id,
        span_id=record.span_id,
        parent_id=record.parent_id,
        service=record.service,
        name=record.name,
        kind=record.kind,
        start_ns=record.start_ns,
        duration_ns=record.duration_ns,
        status=record.status,
        attributes={key: str(value) for key, value in record.attributes.items()},
        links=record.links,
    )


def _dead_letter(letter: DeadLetter) -> ops_pb2.DeadLetter:
    return ops_pb2.DeadLetter(
        sequence=letter.seq,
        service=letter.service,
        consumer=letter.consumer,
        event_type=letter.event_type,
        event_id=letter.event_id,
        aggregate_id=letter.aggregate_id,
        reason=letter.reason,
        detail=letter.detail,
        deliveries=letter.deliveries,
        dead_at=_timestamp(letter.at),
        trace_id=letter.traceparent.split("-")[1] if letter.traceparent.count("-") == 3 else "",
    )


def _headers(letter: DeadLetter) -> Mapping[str, str]:
    return {
        "ce-id": letter.event_id,
        "ce-type": letter.event_type,
        "ce-subject": letter.aggregate_id,
        "traceparent": letter.traceparent,
    }


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux: the peak is the nearest there is
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()
