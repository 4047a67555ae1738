"""Spans of units: part of the caller's trace, and free of content."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sangkien.store import Insert, Store, tracing


async def test_a_unit_is_a_span_of_its_callers_trace_and_none_without_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    await store.apply([Insert("outbox", {"_id": "untraced"})])
    with provider.get_tracer("test").start_as_current_span("caller") as caller:
        await store.apply(
            [Insert("dossiers", {"_id": "d1", "name": "Nguyễn Thị Lan"}), Insert("outbox", {"_id": "o1"})]
        )
    unit, _caller = exporter.get_finished_spans()
    assert unit.context.trace_id == caller.get_span_context().trace_id
    assert unit.parent is not None
    assert unit.parent.span_id == caller.get_span_context().span_id
    assert unit.attributes is not None
    assert (unit.attributes["db.operation.batch.size"], unit.attributes["db.collection.name"]) == (2, "dossiers,outbox")
    assert "Lan" not in unit.to_json(indent=None)
