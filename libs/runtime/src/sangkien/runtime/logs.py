"""Logs: structlog to stderr, one JSON object a line, without personal data, without holding up who logs.

Logging a line only notes it down. A thread hides what is personal, encodes and writes, many lines at a time.
"""

import atexit
import logging
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

import msgspec
import structlog
from opentelemetry import trace

from sangkien.runtime.redaction import redacted, scrubbed
from sangkien.runtime.spans import LightSpan

Level = Literal["debug", "info", "warning", "error"]
Line = MutableMapping[str, Any]

_QUEUE = 20_000
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_FRAMES = 12
_BATCH_S = 0.1
_FLUSH_S = 2.0

_encode = msgspec.json.Encoder(enc_hook=str).encode


class _Writer:
    """The thread that owns stderr. It keeps the newest lines when it cannot keep up, and says how many it lost."""

    def __init__(self) -> None:
        self.render: Callable[[Line], str] = _as_json
        self.least = _LEVELS["info"]
        self._lines: deque[Line] = deque()
        self._some = threading.Event()
        self._writing = threading.Lock()
        self._lost = 0
        threading.Thread(target=self._run, name="log-writer", daemon=True).start()

    def put(self, line: Line) -> None:
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
                lines.append(_line("warning", "log_lines_lost", {"lines": self._lost}))
                self._lost = 0
            if lines:
                sys.stderr.write("".join([self.render(line) + "\n" for line in lines]))
                sys.stderr.flush()
        except (OSError, ValueError):
            pass  # stderr was closed: there is nowhere left to say so
        finally:
            self._writing.release()

    def _run(self) -> None:
        while True:
            self._some.wait()
            time.sleep(_BATCH_S)  # one write for many lines: waking up for each costs more than building it
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
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # its core writes to stderr by itself, and not in JSON
    if _writer is None:
        _writer = _Writer()
        atexit.register(flush_logs)
    _writer.render = _as_json if json else _as_text
    _writer.least = _LEVELS[level]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _describe_exception, _take],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_FromStandardLibrary()], level=max(_LEVELS[level], logging.INFO), force=True)
    for chatty in ("httpx", "nats", "faststream", "grpc._cython.cygrpc", "opentelemetry"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def log_line(level: Level, event: str, fields: dict[str, Any]) -> None:
    """Log the canonical line of a handled call or batch.

    Like structlog's `log.info(event, **fields)` at a quarter of its cost, without bound context. Before
    `configure_logging` the line is dropped.
    """
    if _writer is not None and _LEVELS[level] >= _writer.least:
        _writer.put(_line(level, event, fields))


def flush_logs() -> None:
    """Write every line logged so far. For the moment before a process ends itself without running exit handlers."""
    if _writer is not None:
        _writer.flush()


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


def _line(level: str, event: str, fields: Line) -> Line:
    line = {"at": time.time(), "level": level, "event": event, **fields}
    span = trace.get_current_span()
    if type(span) is LightSpan:
        line["trace_id"] = span.trace_id
        line.setdefault("service", span.starter.service)
    return line


def _take(_: object, method: str, event: Line) -> str:
    if _writer is not None:
        _writer.put(_line(method, event.pop("event"), event))
    return ""


def _describe_exception(_: object, __: str, event: Line) -> Line:
    info = event.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else sys.exc_info()[1] if info else None
    if error is not None:
        event.update(describe(error, error.__traceback__))
    return event


def _shown(line: Line) -> Line:
    line["at"] = datetime.fromtimestamp(line["at"], UTC)
    if isinstance(line.get("trace_id"), int):
        line["trace_id"] = f"{line['trace_id']:032x}"
    return {**redacted(line)}


def _as_json(line: Line) -> str:
    shown = _shown(line)
    try:
        return _encode(shown).decode()
    except Exception:  # noqa: BLE001 (a value JSON has no form for; its text will do)
        return _encode({key: str(value) for key, value in shown.items()}).decode()


def _as_text(line: Line) -> str:
    shown = _shown(line)
    head = f"{shown.pop('at'):%H:%M:%S.%f} {shown.pop('level'):7} {shown.pop('event')}"
    return " ".join([head, *(f"{key}={value}" for key, value in shown.items())])


class _FromStandardLibrary(logging.Handler):
    """Lines of libraries that log the standard way, in our form and with addresses and numbers scrubbed."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        fields: dict[str, Any] = {"logger": record.name}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            # Such a message repeats the exception's own, asyncio's for one: its first line says what was going on.
            text = text.partition("\n")[0]
            fields.update(describe(error, error.__traceback__))
        if _writer is not None:
            _writer.put(_line(record.levelname.lower(), scrubbed(text), fields))
