"""The outbox: events are rows of the unit that made them true, and leave for the broker afterwards (DESIGN §6).

Collections of this library, in every service's own store:

- `outbox`: rows not yet acknowledged by the broker; `_id` is the event id.
- `outbox_sent`: the same rows with the stream sequence (`seq`) the broker gave them and the identity of the stream
  (`created`), kept for days so that they can be offered again. No two rows may claim one sequence of one stream: that
  the broker gave a number twice is how a lost tail shows.
- `inbox`: one row for each consumer and event whose effect is committed.
- `relay`: the relay's lease, and which consumers existed before.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sangkien.contracts.events import Event
from sangkien.messaging import cloudevents as ce
from sangkien.store import Document, Index, Insert, Schema

OUTBOX = "outbox"
SENT = "outbox_sent"
INBOX = "inbox"
RELAY = "relay"

MESSAGING_SCHEMA = Schema(
    (OUTBOX, SENT, INBOX, RELAY),
    (Index(SENT, ("created", "seq"), unique=True),),
)

MAX_BODY_BYTES = 256_000
"""What an event may weigh. Events carry ids; a broker takes 1 MiB a message by default, and a relay sends hundreds."""


class EventTooLarge(ValueError):
    """The event's body would be refused by every broker: the command that made it must not be accepted."""

    def __init__(self, event_type: str, size: int) -> None:
        super().__init__(f"{event_type} is {size} bytes, more than {MAX_BODY_BYTES}: keep bulk in the store")


def outbox_row(
    event: Event,
    *,
    event_id: str,
    aggregate_id: str,
    aggregate_version: int,
    at: datetime,
    traceparent: str = "",
) -> Insert:
    """The row that publishes `event` once the unit it is part of is committed.

    `event_id` is a ULID and unique for ever: broker and consumers recognise repeats by it. `aggregate_version` lets a
    consumer drop what is older than it has applied. `at` is when it happened, aware. `traceparent` names the span the
    event continues, "" for none. Raises EventTooLarge, and ValueError for ids that cannot travel in a header.
    """
    if at.tzinfo is None:
        raise ValueError("the time of an event must be aware")
    for value in (event_id, aggregate_id):
        if not value or not value.isascii() or not value.isprintable():
            raise ValueError("event and aggregate ids are printable ASCII, and not empty")
    body = event.to_bytes()
    if len(body) > MAX_BODY_BYTES:
        raise EventTooLarge(event.TYPE, len(body))
    return Insert(
        OUTBOX,
        {
            "_id": event_id,
            "type": event.TYPE,
            "aggregate_id": aggregate_id,
            "aggregate_version": aggregate_version,
            "at": at.isoformat(),
            "traceparent": traceparent,
            "body": body.decode(),
        },
    )


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A stored outbox row on its way to the broker."""

    document: Document

    @property
    def id(self) -> str:
        """The event id."""
        return str(self.document["_id"])

    @property
    def type(self) -> str:
        """The event type, which is the subject."""
        return str(self.document["type"])

    @property
    def aggregate_id(self) -> str:
        """What the event is about."""
        return str(self.document["aggregate_id"])

    @property
    def traceparent(self) -> str:
        """The span that recorded the event, "" when there was none."""
        return str(self.document["traceparent"])

    @property
    def body(self) -> bytes:
        """The event's JSON, byte for byte as it was recorded."""
        return str(self.document["body"]).encode()

    def headers(self, *, source: str, stream: str, message_id: str, traceparent: str) -> ce.Headers:
        """What travels beside the body; `source` is `/<node>/<service>`."""
        row = self.document
        headers = {
            ce.SPEC_VERSION: "1.0",
            ce.ID: self.id,
            ce.TYPE: self.type,
            ce.SOURCE: source,
            ce.TIME: row["at"],
            ce.SUBJECT: row["aggregate_id"],
            ce.AGGREGATE_VERSION: str(row["aggregate_version"]),
            ce.CORRELATION: row["aggregate_id"],
            ce.CONTENT_TYPE: "application/json",
            ce.MESSAGE_ID: message_id,
            ce.EXPECTED_STREAM: stream,
        }
        if traceparent:
            headers[ce.TRACEPARENT] = traceparent
        return headers

    def sent(self, *, seq: int, created: int, sent_at: str) -> Insert:
        """The row as it is remembered once the broker holds it under `seq` of the stream made at `created` (µs)."""
        return Insert(SENT, {**self.document, "seq": seq, "created": created, "sent_at": sent_at})

    @classmethod
    def from_sent(cls, document: Document) -> Self:
        """The row as it was before it was sent."""
        return cls({k: v for k, v in document.items() if k not in ("seq", "created", "sent_at", "ver")})

    def again(self) -> Insert:
        """Put the row back among those to be sent."""
        return Insert(OUTBOX, self.document)
