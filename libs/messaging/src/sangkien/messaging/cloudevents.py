"""Our CloudEvents profile: attributes travel as `ce-*` headers, the body is the event's JSON and nothing else.

The published NATS binding (CloudEvents 1.0.2) knows structured mode only; the header names follow the binary mode that
its later drafts describe. `ce-type` is the original subject, so a replayed message is read like the first one.
`correlation_id` is what FastStream tools look at; it repeats the aggregate's id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

SPEC_VERSION = "ce-specversion"
ID = "ce-id"
TYPE = "ce-type"
SOURCE = "ce-source"
TIME = "ce-time"
SUBJECT = "ce-subject"
AGGREGATE_VERSION = "x-aggregate-version"
TRACEPARENT = "traceparent"
CORRELATION = "correlation_id"
CONTENT_TYPE = "content-type"
MESSAGE_ID = "Nats-Msg-Id"
EXPECTED_STREAM = "Nats-Expected-Stream"

Headers = dict[str, str]


def encoded(headers: Headers) -> bytes:
    """Headers as NATS writes them, one a line. A line break in a value becomes a blank, so that it makes no header."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
        return encoded({name: " ".join(value.splitlines()) for name, value in headers.items()})
    return lines.encode()


class MissingHeader(ValueError):
    """A message lacks what makes it an event of ours, or a header does not hold what it should. `header` names it."""

    def __init__(self, header: str) -> None:
        super().__init__(f"header {header} is missing or unreadable")
        self.header = header


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the headers say of an event. `traceparent` is the publisher's span, "" when there is none."""

    id: str
    type: str
    aggregate_id: str
    aggregate_version: int
    at: datetime
    traceparent: str


def read_envelope(headers: Mapping[str, str]) -> Envelope:
    """Raises MissingHeader."""
    return Envelope(
        id=_required(headers, ID),
        type=_required(headers, TYPE),
        aggregate_id=_required(headers, SUBJECT),
        aggregate_version=_number(headers, AGGREGATE_VERSION),
        at=_time(headers, TIME),
        traceparent=headers.get(TRACEPARENT, ""),
    )


def _required(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise MissingHeader(name)
    return value


def _number(headers: Mapping[str, str], name: str) -> int:
    try:
        return int(_required(headers, name))
    except ValueError:
        raise MissingHeader(name) from None


def _time(headers: Mapping[str, str], name: str) -> datetime:
    try:
        at = datetime.fromisoformat(_required(headers, name))
    except ValueError:
        raise MissingHeader(name) from None
    if at.tzinfo is None:
        raise MissingHeader(name)
    return at
