import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import ClassVar

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sangkien.runtime import SpanRecord, SpanStore, Telemetry

ABOVE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
async def telemetry(tmp_path: Path) -> AsyncIterator[Telemetry]:
    telemetry = Telemetry.create("intake", node="n", spans_dir=tmp_path, otlp_endpoint=None)
    yield telemetry
    await telemetry.shutdown()


def store_of(telemetry: Telemetry) -> SpanStore:
    assert telemetry.store is not None
    return telemetry.store


async def recorded(telemetry: Telemetry, trace_id: str) -> list[SpanRecord]:
    await telemetry.flush()
    return store_of(telemetry).spans_of(trace_id)


def trace_id_of(traceparent: str) -> str:
    return traceparent.split("-")[1]


async def test_span_continues_the_trace_it_is_given_and_parents_what_is_inside(telemetry: Telemetry) -> None:
    outside = telemetry.span("file", parent=ABOVE, kind="server", links=[ABOVE], aggregate_id="D1", rows=3)
    with outside, telemetry.span("commit"):
        inner = telemetry.traceparent()
    assert telemetry.traceparent() == ""
    outer, commit = await recorded(telemetry, "0af7651916cd43dd8448eb211c80319c")
    assert (outer.name, outer.kind, outer.service, outer.status) == ("file", "server", "intake", "ok")
    assert (outer.parent_id, outer.attributes, outer.links) == (
        "b7ad6b7169203331",
        {"aggregate_id": "D1", "rows": "3"},
        (ABOVE,),
    )
    assert (commit.parent_id, f"00-{commit.trace_id}-{commit.span_id}-01") == (outer.span_id, inner)


async def test_span_without_a_good_parent_begins_a_trace(telemetry: Telemetry) -> None:
    seen = set()
    with telemetry.span("above"):
        for parent in ["", "garbage", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "ff" + ABOVE[2:]]:
            with telemetry.span("below", parent=parent):
                seen.add(trace_id_of(telemetry.traceparent()))
        seen.add(trace_id_of(telemetry.traceparent()))
    assert len(seen) == 5


async def test_span_records_an_error_by_its_type_alone(telemetry: Telemetry) -> None:
    with pytest.raises(ValueError, match="Bích"), telemetry.span("parse", parent=ABOVE, author_name="Bích"):
        raise ValueError("no such person: Trần Thị Bích")
    (span,) = await recorded(telemetry, trace_id_of(ABOVE))
    assert (span.status, span.attributes) == ("ValueError", {"author_name": "[hidden]"})


async def test_spans_of_other_libraries_join_the_service_at_work(telemetry: Telemetry) -> None:
    review = Telemetry.create("review", node="n", spans_dir=None, otlp_endpoint=None)
    tracer = trace.get_tracer("a library")
    with telemetry.span("handle", parent=ABOVE), review.span("elsewhere", parent=""):
        pass
    with telemetry.span("handle", parent=ABOVE), tracer.start_as_current_span("query", kind=trace.SpanKind.CLIENT):
        trace.get_current_span().set_attribute("rows", 2)
    with tracer.start_as_current_span("nobody's"):
        assert telemetry.traceparent() == ""
    spans = await recorded(telemetry, trace_id_of(ABOVE))
    assert [(span.name, span.kind, span.service, dict(span.attributes)) for span in spans] == [
        ("handle", "internal", "intake", {}),
        ("handle", "internal", "intake", {}),
        ("query", "client", "intake", {"rows": "2"}),
    ]
    assert spans[2].parent_id == spans[1].span_id


async def test_trace_that_is_not_sampled_is_passed_on_and_not_kept(tmp_path: Path) -> None:
    telemetry = Telemetry.create("intake", node="n", spans_dir=tmp_path, otlp_endpoint=None, ratio=0.0)
    with telemetry.span("root"):
        root = telemetry.traceparent()
        with telemetry.span("inside"):
            inside = telemetry.traceparent()
    with telemetry.span("chosen elsewhere", parent=ABOVE):
        pass
    assert (root[-3:], trace_id_of(inside)) == ("-00", trace_id_of(root))
    assert [span.name for span in await recorded(telemetry, trace_id_of(ABOVE))] == ["chosen elsewhere"]
    assert store_of(telemetry).count() == 1
    await telemetry.shutdown()


async def test_span_store_drops_what_ended_first_and_counts_it(tmp_path: Path) -> None:
    telemetry = Telemetry.create("intake", node="n", spans_dir=tmp_path, otlp_endpoint=None, max_spans=10)
    traces = []
    for number in range(6):
        with telemetry.span("outer", parent="", aggregate_id="D1"):
            traces.append(trace_id_of(telemetry.traceparent()))
            for _ in range(2):
                with telemetry.span("inner", aggregate_id=f"D{number}"):
                    pass
        await telemetry.flush()
    assert [len(store_of(telemetry).spans_of(one)) for one in traces] == [0, 0, 0, 3, 3, 3]
    assert (store_of(telemetry).count(), telemetry.spans_dropped) == (9, 9)
    assert store_of(telemetry).traces_of("D1") == traces[:2:-1]
    assert store_of(telemetry).traces_of("D2") == []
    await telemetry.shutdown()


async def test_large_span_store_finds_all_it_holds_and_drops_no_more_than_a_hundredth_ahead(tmp_path: Path) -> None:
    telemetry = Telemetry.create("intake", node="n", spans_dir=tmp_path, otlp_endpoint=None, max_spans=10_000)
    traces = []
    for number in range(15_000):
        with telemetry.span("filed", parent="", aggregate_id=f"D{number // 7_500}"):
            traces.append(trace_id_of(telemetry.traceparent()))
    await telemetry.flush()
    store = store_of(telemetry)
    held = store.count()
    assert 9_900 <= held <= 10_000
    found = [number for number, one in enumerate(traces) if number % 100 == 0 and store.spans_of(one)]
    assert found == [number for number in range(0, 15_000, 100) if number >= 15_000 - held]
    assert [len(store.traces_of(name, limit=20_000)) for name in ("D0", "D1")] == [held - 7_500, 7_500]
    await telemetry.shutdown()


async def test_span_store_outlives_its_process(tmp_path: Path) -> None:
    first = Telemetry.create("intake", node="n", spans_dir=tmp_path, otlp_endpoint=None)
    with first.span("kept", parent=ABOVE):
        pass
    await first.shutdown()
    reopened = SpanStore(tmp_path / "intake.db", "intake")
    assert ([span.name for span in reopened.spans_of(trace_id_of(ABOVE))], reopened.count()) == (["kept"], 1)
    reopened.close()


@pytest.mark.parametrize("layout", [None, "CREATE TABLE chunks (id INTEGER PRIMARY KEY, trace BLOB, spans INTEGER)"])
async def test_span_store_replaces_what_it_cannot_read(layout: str | None, tmp_path: Path) -> None:
    if layout is None:
        (tmp_path / "intake.db").write_bytes(b"no database at all" * 500)
    else:
        with closing(sqlite3.connect(tmp_path / "intake.db")) as earlier:
            earlier.execute(layout)
    telemetry = Telemetry.create("intake", node="n", spans_dir=tmp_path, otlp_endpoint=None)
    store = store_of(telemetry)
    assert (store.spans_of(trace_id_of(ABOVE)), store.spans_of("not hex"), store.count()) == ([], [], 0)
    with telemetry.span("kept", parent=ABOVE, aggregate_id="D1"):
        pass
    assert [span.name for span in await recorded(telemetry, trace_id_of(ABOVE))] == ["kept"]
    await telemetry.shutdown()


async def test_spans_of_concurrent_tasks_do_not_mix(telemetry: Telemetry) -> None:
    both_inside = asyncio.Barrier(2)

    async def work(aggregate: str) -> tuple[str, str]:
        with telemetry.span("task", parent="", aggregate_id=aggregate):
            await both_inside.wait()
            return aggregate, trace_id_of(telemetry.traceparent())

    traces = dict(await asyncio.gather(work("D1"), work("D2")))
    await telemetry.flush()
    assert {one: store_of(telemetry).traces_of(one) for one in traces} == {one: [traces[one]] for one in traces}


class Collector(BaseHTTPRequestHandler):
    received: ClassVar[SimpleQueue[ExportTraceServiceRequest]] = SimpleQueue()

    def do_POST(self) -> None:
        self.received.put(ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not on stderr."""


async def test_spans_reach_a_collector_with_service_and_parent() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=server.serve_forever, daemon=True).start()
    telemetry = Telemetry.create(
        "intake", node="ba-dinh", spans_dir=None, otlp_endpoint=f"http://127.0.0.1:{server.server_port}"
    )
    with pytest.raises(KeyError), telemetry.span("file", parent=ABOVE, kind="server", links=[ABOVE], rows=3):
        raise KeyError("Bích")
    await telemetry.shutdown()
    (resource,) = (await asyncio.to_thread(Collector.received.get)).resource_spans
    (span,) = resource.scope_spans[0].spans
    names = {item.key: item.value.string_value for item in resource.resource.attributes}
    assert (names["service.name"], names["sangkien.node"]) == ("intake", "ba-dinh")
    assert (span.name, span.kind, span.trace_id.hex()) == ("file", 2, trace_id_of(ABOVE))
    assert (span.parent_span_id.hex(), len(span.links), span.status.message) == ("b7ad6b7169203331", 1, "KeyError")
    server.shutdown()
    server.server_close()
