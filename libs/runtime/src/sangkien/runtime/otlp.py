"""Spans to an OpenTelemetry collector, through the SDK's own batching and OTLP exporter."""

from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from sangkien.runtime.redaction import redacted
from sangkien.runtime.spans import LightSpan, parse_traceparent

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SCOPE = InstrumentationScope("sangkien")


class OtlpSink:
    """Hands spans to the SDK's batch processor, which bounds its queue and retries on its own thread."""

    def __init__(self, endpoint: str, *, service: str, node: str) -> None:
        self._resource = Resource({"service.name": service, "service.namespace": "sangkien", "sangkien.node": node})
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
        self._processor = BatchSpanProcessor(exporter, max_queue_size=20_000, max_export_batch_size=1_000)

    def write(self, spans: Sequence[LightSpan]) -> None:
        for span in spans:
            self._processor.on_end(self._readable(span))

    def close(self) -> None:
        self._processor.shutdown()  # type: ignore[no-untyped-call] # the SDK left it bare

    def _readable(self, span: LightSpan) -> ReadableSpan:
        parent = SpanContext(span.trace_id, span.parent_id, is_remote=True) if span.parent_id else None
        links = [
            Link(SpanContext(above[0], above[1], is_remote=True))
            for above in map(parse_traceparent, span.links)
            if above is not None
        ]
        return ReadableSpan(
            name=span.name,
            context=SpanContext(span.trace_id, span.span_id, is_remote=False, trace_flags=_SAMPLED),
            parent=parent,
            resource=self._resource,
            attributes=redacted(span.attributes),
            links=links,
            kind=SpanKind[span.kind.upper()],
            status=Status(StatusCode.OK) if span.status == "ok" else Status(StatusCode.ERROR, span.status),
            start_time=span.start_ns,
            end_time=span.start_ns + span.duration_ns,
            instrumentation_scope=_SCOPE,
        )
