"""Logs: structlog to stderr, one JSON object a line, without personal data, without waiting for the terminal.

A line is built where it is logged and written by a thread, so a slow stderr never holds up the event loop.
"""

import atexit
import logging
import sys
import threading
import traceback
from collections import deque
from collections.abc import MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import msgspec
import structlog
from opentelemetry import trace

from sangkien.runtime.redaction import redacted, scrubbed
from sangkien.runtime.spans import LightSpan

_QUEUE = 100_000
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_FRAMES = 12
_FLUSH_S = 2.0

EventDict = MutableMapping[str, Any]
_encode = msgspec.json.Encoder(enc_hook=str).encode


class _Writer:
    """The thread that owns stderr. It keeps the newest lines when it cannot keep up, and says how many it lost."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._some = threading.Event()
        self._writing = threading.Lock()
        self._lost = 0
        threading.Thread(target=self._run, name="log-writer", daemon=True).start()

    def put(self, line: bytes) -> None:
        if len(self._lines) >= _QUEUE:
            self._lines.popleft()
            self._lost += 1
        self._lines.append(line)
        if not self._some.is_set():
            self._some.set()

    def flush(self) -> None:
        if not self._writing.acquire(timeout=_FLUSH_S):
            return  # stderr is blocked; whoever wants to end must be able to
        try:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if self._lost:
                lines.append(_encode({"event": "log_lines_lost", "level": "warning", "lines": self._lost}))
                self._lost = 0
            if lines:
                stream = sys.stderr
                stream.write(b"\n".join(lines).decode() + "\n")
                stream.flush()
        except (OSError, ValueError):
            pass  # stderr was closed: there is nowhere left to say so
        finally:
            self._writing.release()

    def _run(self) -> None:
        while True:
            self._some.wait()
            self._some.clear()
            self.flush()


_writer: _Writer | None = None


def configure_logging(level: str = "info", *, json: bool = True) -> None:
    """Send structlog and the standard library's logging to stderr, from `level` (debug, info, warning, error) up.

    `json=False` is for people at a terminal. Values under personal keys are replaced by "[hidden]"; an exception is
    logged as its type and the places it passed, never its message. Lines inside a span carry its trace id and service.
    Calling it again changes level and form. Raises `ValueError` for an unknown level.
    """
    global _writer  # noqa: PLW0603 (a process has one stderr)
    if level not in _LEVELS:
        raise ValueError(f"log level {level!r} is none of {', '.join(_LEVELS)}")
    if _writer is None:
        _writer = _Writer()
        atexit.register(flush_logs)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _add_origin,
            _describe_exception,
            _redact,
            _render_json if json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
            _enqueue,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _FromStandardLibrary(json=json)
    logging.basicConfig(handlers=[handler], level=max(_LEVELS[level], logging.INFO), force=True)
    for chatty in ("httpx", "nats", "faststream", "grpc._cython.cygrpc", "opentelemetry"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def flush_logs() -> None:
    """Write every line logged so far. For the moment before a process ends itself without running exit handlers."""
    if _writer is not None:
        _writer.flush()


def _add_origin(_: object, method: str, event: EventDict) -> EventDict:
    event["level"] = method
    event["at"] = datetime.now(UTC)
    span = trace.get_current_span()
    if type(span) is LightSpan:
        event["trace_id"] = f"{span.trace_id:032x}"
        event.setdefault("service", span.starter.service)
    return event


def _describe_exception(_: object, __: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    if not info:
        return event
    error = info if isinstance(info, BaseException) else sys.exc_info()[1]
    if error is not None:
        event.update(describe(error, error.__traceback__))
    return event


def describe(error: BaseException, where: TracebackType | None) -> dict[str, Any]:
    """An exception as log fields: its type and the last places it passed. Its message may quote a person's data."""
    frames = traceback.extract_tb(where)[-_FRAMES:]
    described: dict[str, Any] = {
        "error_type": type(error).__name__,
        "error_at": [f"{frame.filename.rsplit('/sangkien/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if error.__cause__ is not None:
        described["error_cause"] = type(error.__cause__).__name__
    return described


def _redact(_: object, __: str, event: EventDict) -> EventDict:
    return {**redacted(event)}


def _render_json(_: object, __: str, event: EventDict) -> bytes:
    return _encode({"at": event.pop("at"), "level": event.pop("level"), "event": event.pop("event"), **event})


def _enqueue(_: object, __: str, line: Any) -> str:
    if _writer is not None:
        _writer.put(line if isinstance(line, bytes) else line.encode())
    return ""


class _FromStandardLibrary(logging.Handler):
    """Lines of libraries that log the standard way, in our form and with addresses and numbers scrubbed."""

    def __init__(self, *, json: bool) -> None:
        super().__init__()
        self._json = json

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        event: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "event": scrubbed(text),
            "logger": record.name,
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            # Such a message repeats the exception's own, asyncio's for one: its first line says what was going on.
            event["event"] = event["event"].partition("\n")[0]
            event.update(describe(error, error.__traceback__))
        if self._json:
            _enqueue(None, "", _encode(event))
        else:
            fields = " ".join(f"{key}={value}" for key, value in event.items() if key not in ("event", "level", "at"))
            _enqueue(None, "", f"{event['at']:%H:%M:%S} [{event['level']}] {event['event']} {fields}")
