"""Spans for units of work. Reads are not traced: there are too many and they are too short to tell anything."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace

from sangkien.store.port import Op

_tracer = trace.get_tracer("sangkien.store")


@contextmanager
def unit_span(system: str, database: str, ops: Sequence[Op]) -> Iterator[None]:
    """A client span around one unit (OpenTelemetry database conventions), if the caller is being traced at all.

    Attributes name collections and counts, never content.
    """
    if not trace.get_current_span().is_recording():
        yield
        return
    attributes: dict[str, str | int] = {
        "db.system.name": system,
        "db.namespace": database,
        "db.operation.batch.size": len(ops),
        "db.collection.name": ",".join(dict.fromkeys(op.coll for op in ops)),
    }
    with _tracer.start_as_current_span(f"{database} apply", kind=trace.SpanKind.CLIENT, attributes=attributes):
        yield
