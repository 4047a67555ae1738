"""Spans of our own behind the OpenTelemetry API: what a span costs is paid on every call and every message.

`LightSpan` is an OpenTelemetry `Span`, current in the OpenTelemetry context, so any library that uses the API takes
part in our traces. It keeps plain fields and hands itself over when it ends; ids follow W3C Trace Context.
"""

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.util.types import Attributes, AttributeValue
from typing_extensions import override

Kind = Literal["internal", "server", "client", "producer", "consumer"]

_KINDS: Mapping[SpanKind, Kind] = {
    SpanKind.INTERNAL: "internal",
    SpanKind.SERVER: "server",
    SpanKind.CLIENT: "client",
    SpanKind.PRODUCER: "producer",
    SpanKind.CONSUMER: "consumer",
}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)

# Not the shared generator of `random`: a seeded demo would otherwise repeat its trace ids.
_ids = random.Random()  # noqa: S311 (trace ids are names, not secrets)
os.register_at_fork(after_in_child=_ids.seed)


Position = tuple[int, int, bool]
"""A place in a trace: trace id, span id, and whether the trace is recorded."""


def parse_traceparent(value: str) -> Position | None:
    """The position a W3C `traceparent` names, None when it is not one (the trace then starts anew, as W3C asks)."""
    if len(value) < 55 or value[2] != "-" or value[35] != "-" or value[52] != "-" or value[:2] == "ff":
        return None
    try:
        trace_id, span_id, flags = int(value[3:35], 16), int(value[36:52], 16), int(value[53:55], 16)
    except ValueError:
        return None
    return (trace_id, span_id, bool(flags & 1)) if trace_id > 0 and span_id > 0 else None


def format_traceparent(trace_id: int, span_id: int, *, sampled: bool = True) -> str:
    """The W3C header value, version 00."""
    # Half the time of `:032x` and `:016x`.
    return f"00-{trace_id.to_bytes(16).hex()}-{span_id.to_bytes(8).hex()}-{'01' if sampled else '00'}"


class LightSpan(trace.Span):
    """One timed piece of work. As a context manager it is current inside, and ends on the way out.

    An exception that passes through is kept as its type's name alone: messages may hold personal data.
    """

    __slots__ = (
        "_token",
        "attributes",
        "duration_ns",
        "kind",
        "links",
        "name",
        "parent_id",
        "span_id",
        "start_ns",
        "starter",
        "status",
        "trace_id",
    )

    def __init__(
        self,
        name: str,
        kind: Kind,
        trace_id: int,
        parent_id: int,
        starter: "SpanStarter",
        links: Sequence[str],
        attributes: dict[str, Any],
    ) -> None:
        self.name = name
        self.kind: Kind = kind
        self.trace_id = trace_id
        self.span_id = _ids.getrandbits(64)
        self.parent_id = parent_id
        self.starter = starter
        self.links = links
        self.attributes = attributes
        self.status = "ok"
        self.duration_ns = -1
        self._token: Any = None
        self.start_ns = time.time_ns()

    @property
    def traceparent(self) -> str:
        return format_traceparent(self.trace_id, self.span_id)

    def fail(self, error_type: str) -> None:
        """Mark the work as failed, by a type's name or a stable code."""
        self.status = error_type

    def __enter__(self) -> Self:
        self._token = otel_context.attach(trace.set_span_in_context(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        otel_context.detach(self._token)
        if kind is not None and self.status == "ok":
            self.status = kind.__name__
        self.end()

    @override
    def end(self, end_time: int | None = None) -> None:
        if self.duration_ns >= 0:
            return
        self.duration_ns = max(0, (end_time or time.time_ns()) - self.start_ns)
        self.starter.finish(self)

    @override
    def get_span_context(self) -> SpanContext:
        return SpanContext(self.trace_id, self.span_id, is_remote=False, trace_flags=_SAMPLED)

    @override
    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        self.attributes.update(attributes)

    @override
    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self.attributes[key] = value

    @override
    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Events inside a span are not kept: a line in the log says more, and carries the trace id."""

    @override
    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        self.links = (*self.links, format_traceparent(context.trace_id, context.span_id))

    @override
    def update_name(self, name: str) -> None:
        self.name = name

    @override
    def is_recording(self) -> bool:
        return self.duration_ns < 0

    @override
    def set_status(self, status: trace.Status | StatusCode, description: str | None = None) -> None:
        code = status.status_code if isinstance(status, trace.Status) else status
        if code is StatusCode.ERROR and self.status == "ok":
            self.status = "error"

    @override
    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        self.status = type(exception).__name__


class PassingSpan(NonRecordingSpan):
    """A span nobody records, which still carries the trace on. As a context manager it is current inside."""

    _token: Any = None

    def __enter__(self) -> Self:
        self._token = otel_context.attach(trace.set_span_in_context(self))
        return self

    def __exit__(self, *_: object) -> None:
        otel_context.detach(self._token)


class SpanStarter:
    """Starts the spans of one service and hands them over, ended, to `finish`."""

    def __init__(self, service: str, finish: Callable[[LightSpan], None], *, ratio: float = 1.0) -> None:
        self.service = service
        self.finish = finish
        self._below = int(ratio * 2**64)

    def start(
        self, name: str, kind: Kind, parent: str | None, links: Sequence[str], attributes: dict[str, Any]
    ) -> LightSpan | PassingSpan:
        """Begin a span under `parent` (None: under the current span; "" or not a traceparent: a new trace)."""
        if parent is None:
            current = trace.get_current_span()
            if type(current) is LightSpan:
                return LightSpan(name, kind, current.trace_id, current.span_id, self, links, attributes)
            context = current.get_span_context()
            above = (context.trace_id, context.span_id, context.trace_flags.sampled) if context.is_valid else None
        else:
            above = parse_traceparent(parent)
        if above is None:
            trace_id = _ids.getrandbits(128) or 1
            above = (trace_id, 0, trace_id & (2**64 - 1) < self._below)
        trace_id, parent_id, recorded = above
        if recorded:
            return LightSpan(name, kind, trace_id, parent_id, self, links, attributes)
        return PassingSpan(SpanContext(trace_id, parent_id or _ids.getrandbits(64) or 1, is_remote=False))


class _FollowingTracer(trace.Tracer):
    """What libraries written against the OpenTelemetry API get: spans of whichever service is at work."""

    @override
    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> trace.Span:
        above = trace.get_current_span(context)
        if not isinstance(above, LightSpan):
            return PassingSpan(above.get_span_context())
        traceparents = [format_traceparent(link.context.trace_id, link.context.span_id) for link in links or ()]
        span = LightSpan(
            name, _KINDS[kind], above.trace_id, above.span_id, above.starter, traceparents, dict(attributes or {})
        )
        if start_time is not None:
            span.start_ns = start_time
        return span

    @override
    def start_as_current_span(self, name: str, *args: Any, end_on_exit: bool = True, **kwargs: Any) -> Any:
        span = self.start_span(name, *args, **kwargs)
        return span if end_on_exit else trace.use_span(span, end_on_exit=False)


class FollowingTracerProvider(trace.TracerProvider):
    """The process-wide provider.

    Several services may share a process, so it owns no service name: a span belongs to the service of the span it is
    under, and work under no span of ours is not traced.
    """

    @override
    def get_tracer(self, *_: Any, **__: Any) -> trace.Tracer:
        return _FollowingTracer()
