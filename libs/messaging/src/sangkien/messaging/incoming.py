"""What a service's message handlers see of the bus."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sangkien.contracts.events import Event
from sangkien.contracts.topology import ConsumerSpec
from sangkien.store import Op


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event as it was delivered to one consumer.

    `aggregate_version` orders the events of one `aggregate_id`; delivery order is not promised. `at` is when it
    happened at the publisher. `traceparent` is the span of this delivery: pass it to `outbox_row`, so that what follows
    stays in the trace. `deliveries` counts from 1.
    """

    id: str
    type: str
    event: Event
    aggregate_id: str
    aggregate_version: int
    at: datetime
    traceparent: str
    body: bytes
    deliveries: int


Handler = Callable[[Sequence[Incoming]], Awaitable[Sequence[Op]]]
"""Reads what it needs and returns the operations of its effect; the bus commits them in one unit with the inbox rows.

It never writes itself and may be called again with the same messages, alone or in other company, until the commit
succeeds. No event of a call has been handled before. Errors decide what becomes of a message (see `delivery`): a
`Refusal` is final, `Later` waits, an unreachable store or service is tried again for ever, anything else is a bug.
"""


class Later(Exception):
    """The event depends on something this service has not seen yet: deliver it again after a while.

    `event_ids` names the messages of the call that have to wait, the others are handled without them; empty means that
    the whole call has to.
    """

    def __init__(self, *event_ids: str) -> None:
        super().__init__(f"waiting for something not seen yet: {', '.join(event_ids) or 'all'}")
        self.event_ids = event_ids


class UnderWay(Later):
    """Like `Later`, for what this service itself is still doing: it waits however long that takes."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which durable consumer feeds which handler, with at most `batch` messages at a time."""

    consumer: ConsumerSpec
    handler: Handler
    batch: int = 200
