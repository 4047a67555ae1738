"""Recent spans of one service in a bounded SQLite file, so that a trace can be shown with nothing else installed.

The file is disposable: it is not synced to disk, and one that cannot be read, or has another layout, is replaced.
Layout: a chunk holds the spans of one trace that ended in one batch, as MessagePack; a mention leads from an aggregate
to its chunks. That is a third of the rows, and of the work, of a row for each span. Ids of traces are random: indexes
are by part first, some thousands of chunks in the order they came, so that what is new and what goes is all on few
pages. Looking a trace up means one look into each part.
"""

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from sangkien.runtime.redaction import redacted
from sangkien.runtime.spans import Kind, LightSpan

_LAYOUT = 2
_SCHEMA = f"""
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS chunks (
    id INTEGER PRIMARY KEY, part INTEGER NOT NULL, trace BLOB NOT NULL, spans INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS chunks_by_trace ON chunks (part, trace);
CREATE TABLE IF NOT EXISTS mentions (
    part INTEGER NOT NULL, aggregate TEXT NOT NULL, chunk INTEGER NOT NULL, PRIMARY KEY (part, aggregate, chunk)
) WITHOUT ROWID;
PRAGMA user_version = {_LAYOUT};
"""
_CHUNKS_A_PART = 4_096
_ROOM = 100
"""A full store drops a hundredth of what it may hold, so as not to drop at every write."""
_AGGREGATE = "aggregate_id"
_encoder = msgspec.msgpack.Encoder(enc_hook=str)


class _Stored(msgspec.Struct, array_like=True, frozen=True):
    span_id: int
    parent_id: int
    name: str
    kind: Kind
    start_ns: int
    duration_ns: int
    status: str
    attributes: dict[str, Any]
    links: list[str]


_decoder = msgspec.msgpack.Decoder(list[_Stored])


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """A span as it was kept. Ids are lower-case hexadecimal (W3C Trace Context); `parent_id` is "" at the root."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: Kind
    start_ns: int
    duration_ns: int
    status: str
    attributes: Mapping[str, str]
    links: tuple[str, ...]


class SpanStore:
    """The spans one service recorded, at most `max_spans`: above that, those that ended first go.

    Methods block on the disk and may be called from any thread. Attribute `aggregate_id` makes a span's trace findable.
    """

    def __init__(self, path: Path, service: str, *, max_spans: int = 500_000) -> None:
        self._service = service
        self._path = path
        self._max = max_spans
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = self._open()
        self._count: int = self._db.execute("SELECT coalesce(sum(spans), 0) FROM chunks").fetchone()[0]
        self.dropped = 0
        """Spans removed to stay under the bound, since the store was opened."""

    def write(self, spans: Sequence[LightSpan]) -> None:
        """Keep ended spans, as one transaction. Raises `sqlite3.Error` when the disk refuses; nothing is kept then."""
        groups: dict[int, list[LightSpan]] = {}
        for span in spans:
            groups.setdefault(span.trace_id, []).append(span)
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            first: int = self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM chunks").fetchone()[0]
            chunks, mentions = [], []
            for number, (trace_id, group) in enumerate(groups.items(), first):
                aggregates = {str(span.attributes[_AGGREGATE]) for span in group if _AGGREGATE in span.attributes}
                body = _encoder.encode([_fields(span) for span in group])
                part = number // _CHUNKS_A_PART
                chunks.append((number, part, trace_id.to_bytes(16), len(group), body))
                mentions += [(part, aggregate, number) for aggregate in aggregates]
            self._db.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?)", chunks)
            self._db.executemany("INSERT INTO mentions VALUES (?, ?, ?)", mentions)
            self._count += len(spans)
            if self._count > self._max:
                self._drop_oldest(self._count - self._max + self._max // _ROOM)

    def spans_of(self, trace_id: str) -> list[SpanRecord]:
        """The spans held of a trace, in order of their start. Empty when there are none or the id is not one."""
        try:
            key = bytes.fromhex(trace_id)
        except ValueError:
            return []
        with self._reader() as db:
            bodies = db.execute(
                "SELECT body FROM chunks WHERE part IN (SELECT value FROM json_each(?)) AND trace = ?",
                (_parts(db), key),
            ).fetchall()
        spans = [span for (body,) in bodies for span in _decoder.decode(body)]
        return [self._record(key.hex(), span) for span in sorted(spans, key=lambda span: span.start_ns)]

    def traces_of(self, aggregate_id: str, *, limit: int = 20) -> list[str]:
        """Ids of the traces with a span about this aggregate, newest first."""
        with self._reader() as db:
            rows = db.execute(
                "SELECT trace FROM mentions JOIN chunks ON chunks.id = mentions.chunk"
                " WHERE mentions.part IN (SELECT value FROM json_each(?)) AND aggregate = ?"
                " GROUP BY trace ORDER BY max(chunk) DESC LIMIT ?",
                (_parts(db), aggregate_id, limit),
            ).fetchall()
        return [key.hex() for (key,) in rows]

    def count(self) -> int:
        """Spans held now."""
        return self._count

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError:
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, check_same_thread=False, timeout=5.0)
        try:
            db.execute("PRAGMA synchronous = OFF")
            layout = db.execute("PRAGMA user_version").fetchone()[0]
            if layout != _LAYOUT and db.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise sqlite3.DatabaseError("another layout")
            db.executescript(_SCHEMA)
        except BaseException:
            db.close()
            raise
        return db

    def _reader(self) -> "closing[sqlite3.Connection]":
        return closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=5.0))

    def _drop_oldest(self, spans: int) -> None:
        """Drop at least so many spans."""
        last = dropped = 0
        for number, held in self._db.execute("SELECT id, spans FROM chunks ORDER BY id"):
            last, dropped = number, dropped + held
            if dropped >= spans:
                break
        part = last // _CHUNKS_A_PART
        self._db.execute("DELETE FROM chunks WHERE id <= ?", (last,))
        self._db.execute("DELETE FROM mentions WHERE part < ? OR (part = ? AND chunk <= ?)", (part, part, last))
        self._count -= dropped
        self.dropped += dropped

    def _record(self, trace_id: str, span: _Stored) -> SpanRecord:
        return SpanRecord(
            trace_id=trace_id,
            span_id=f"{span.span_id:016x}",
            parent_id=f"{span.parent_id:016x}" if span.parent_id else "",
            service=self._service,
            name=span.name,
            kind=span.kind,
            start_ns=span.start_ns,
            duration_ns=span.duration_ns,
            status=span.status,
            attributes={key: str(value) for key, value in span.attributes.items()},
            links=tuple(span.links),
        )


def _fields(span: LightSpan) -> tuple[object, ...]:
    return (
        span.span_id,
        span.parent_id,
        span.name,
        span.kind,
        span.start_ns,
        span.duration_ns,
        span.status,
        redacted(span.attributes),
        span.links,
    )


def _parts(db: sqlite3.Connection) -> str:
    """The parts that are there, as a JSON array."""
    first, last = db.execute("SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM chunks").fetchone()
    return json.dumps([*range(first // _CHUNKS_A_PART, last // _CHUNKS_A_PART + 1)])
