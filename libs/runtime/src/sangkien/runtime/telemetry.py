"""Tracing of one service: where its spans come from, and where they go when they end."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from opentelemetry import trace

from sangkien.runtime.span_store import SpanStore
from sangkien.runtime.spans import FollowingTracerProvider, Kind, LightSpan, SpanStarter, format_traceparent

if TYPE_CHECKING:
    from sangkien.runtime.otlp import OtlpSink

_QUEUE = 50_000
_BATCH_S = 0.25
_SHUTDOWN_S = 2.0

_log = structlog.get_logger("sangkien.runtime.telemetry")
_install_lock = threading.Lock()


class _Drain:
    """Takes ended spans off the hands of the event loop and writes them, in batches, from a thread of its own."""

    def __init__(self, service: str, sinks: Sequence[Callable[[Sequence[LightSpan]], None]]) -> None:
        self._sinks = sinks
        self._waiting: deque[LightSpan] = deque()
        self._some = threading.Event()
        self._stop = threading.Event()
        self._writing = threading.Lock()
        self._broken = False
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name=f"spans-{service}", daemon=True)
        self._thread.start()

    def take(self, span: LightSpan) -> None:
        if len(self._waiting) >= _QUEUE:
            self.dropped += 1
            return
        self._waiting.append(span)
        if not self._some.is_set():
            self._some.set()

    def flush(self) -> None:
        """Write what waits, in the calling thread."""
        with self._writing:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), 5_000))]
                for write in self._sinks:
                    self._attempt(write, batch)

    def stop(self) -> None:
        self._stop.set()
        self._some.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._some.wait()
            self._stop.wait(_BATCH_S)
            self._some.clear()
            self.flush()

    def _attempt(self, write: Callable[[Sequence[LightSpan]], None], batch: Sequence[LightSpan]) -> None:
        try:
            write(batch)
        except Exception as error:  # noqa: BLE001 (a full disk must cost traces, never the service)
            self.dropped += len(batch)
            if not self._broken:
                _log.error("spans_not_kept", error_type=type(error).__name__)
            self._broken = True
        else:
            self._broken = False


class Telemetry:
    """Spans of one service. Several services may share a process: each has its own, and a span knows its own."""

    def __init__(
        self, service: str, *, node: str, store: SpanStore | None, otlp: "OtlpSink | None", ratio: float
    ) -> None:
        self.service = service
        self.node = node
        self.store = store
        """The local spans, None when none are kept. Call `flush` before reading."""
        self._otlp = otlp
        sinks = [sink.write for sink in (store, otlp) if sink is not None]
        self._drain = _Drain(service, sinks) if sinks else None
        self._starter = SpanStarter(service, self._drain.take if self._drain else _forget, ratio=ratio)

    @staticmethod
    def create(
        service: str,
        *,
        node: str,
        spans_dir: Path | None,
        otlp_endpoint: str | None,
        max_spans: int = 500_000,
        ratio: float = 1.0,
    ) -> "Telemetry":
        """Spans go to `<spans_dir>/<service>.db` and to the collector at `otlp_endpoint`, each unless None.

        `ratio` is the share of new traces recorded; a trace that began elsewhere keeps the choice made there.
        """
        _follow_current_span()
        store = SpanStore(spans_dir / f"{service}.db", service, max_spans=max_spans) if spans_dir else None
        otlp = None
        if otlp_endpoint:
            from sangkien.runtime.otlp import OtlpSink  # the exporter is 20 MiB that the embedded default does without

            otlp = OtlpSink(otlp_endpoint, service=service, node=node)
        return Telemetry(service, node=node, store=store, otlp=otlp, ratio=ratio)

    def span(
        self,
        name: str,
        *,
        parent: str | None = None,
        kind: Kind = "internal",
        links: Sequence[str] = (),
        **attributes: Any,
    ) -> trace.Span:
        """A span to work inside of: `with telemetry.span("relay", aggregate_id=id): …`.

        `parent` is a W3C traceparent; None means the current span, "" begins a new trace. `links` are traceparents.
        Attributes are ids and figures, never personal data; `aggregate_id` makes the trace findable by it.
        An exception on its way out is recorded as the name of its type.
        """
        return self._starter.start(name, kind, parent, links, attributes)

    def traceparent(self) -> str:
        """The W3C traceparent of the current span, "" when there is none."""
        return traceparent_of(trace.get_current_span())

    @property
    def spans_dropped(self) -> int:
        """Spans lost since the start: pushed out of a full store, or never written."""
        return (self._drain.dropped if self._drain else 0) + (self.store.dropped if self.store else 0)

    async def flush(self) -> None:
        """Make every span that has ended readable in `store`."""
        if self._drain:
            await asyncio.to_thread(self._drain.flush)

    async def shutdown(self) -> None:
        """Write what waits and let go of the files. Returns within about two seconds, whatever the collector does."""
        stopper = threading.Thread(target=self._stop, name=f"spans-{self.service}-stop", daemon=True)
        stopper.start()
        await asyncio.to_thread(stopper.join, _SHUTDOWN_S)

    def _stop(self) -> None:
        if self._drain:
            self._drain.stop()
            self._drain.flush()
        if self.store:
            self.store.close()
        if self._otlp:
            self._otlp.close()


def traceparent_of(span: trace.Span) -> str:
    """The W3C traceparent of a span, "" when it is none."""
    if type(span) is LightSpan:
        return span.traceparent
    position = span.get_span_context()
    if not position.is_valid:
        return ""
    return format_traceparent(position.trace_id, position.span_id, sampled=position.trace_flags.sampled)


def _forget(span: LightSpan) -> None:
    """Where spans go that nobody keeps."""


def _follow_current_span() -> None:
    with _install_lock:
        if not isinstance(trace.get_tracer_provider(), FollowingTracerProvider):
            trace.set_tracer_provider(FollowingTracerProvider())
