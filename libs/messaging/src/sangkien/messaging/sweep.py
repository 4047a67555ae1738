"""Forget what nobody will ask for again, a bounded piece at a time.

Sent rows stay as long as they may have to be offered again; inbox rows outlive them, or a late re-offer would have its
effect twice.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from sangkien.contracts.topology import ConsumerSpec
from sangkien.messaging.outbox import INBOX, SENT
from sangkien.runtime import utc_now
from sangkien.store import Delete, Op, Store, StoreError, Where

PAUSE_SECONDS = 60.0
PIECE = 500
PIECES = 20

_log = structlog.get_logger("sangkien.messaging.sweep")

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIME_CHARACTERS = 10


@dataclass(frozen=True, slots=True)
class Retention:
    """How long rows are kept once they are done with. The inbox must outlive what can still be offered again."""

    sent: timedelta = timedelta(days=7)
    inbox: timedelta = timedelta(days=14)

    def __post_init__(self) -> None:
        if self.inbox <= self.sent:
            raise ValueError("inbox rows must be kept longer than sent rows, or a late re-offer has its effect twice")


async def sweep_on(store: Store, consumers: Sequence[ConsumerSpec], retention: Retention) -> None:
    """Sweep every minute until cancelled, at most `PIECES` pieces a time. A store that is away is waited for."""
    while True:
        await asyncio.sleep(PAUSE_SECONDS)
        try:
            for _ in range(PIECES):
                if await sweep_once(store, consumers, retention, now=utc_now()) < PIECE:
                    break
        except StoreError as error:
            _log.warning("sweep_put_off", error_type=type(error).__name__)


async def sweep_once(store: Store, consumers: Sequence[ConsumerSpec], retention: Retention, *, now: datetime) -> int:
    """Delete up to `PIECE` sent rows and up to `PIECE` inbox rows of each consumer; returns how many went.

    Event ids are ULIDs, so rows that may be old enough are found by id; when they were really sent or handled decides.
    """
    ops: list[Op] = []
    sent_before = now - retention.sent
    rows = await store.find(SENT, {"_id": {"lt": oldest_ulid(sent_before)}}, limit=PIECE)
    ops += [Delete(SENT, row["_id"]) for row in rows if datetime.fromisoformat(row["sent_at"]) < sent_before]
    done_before = now - retention.inbox
    for consumer in consumers:
        bounds: Where = {"_id": {"gte": f"{consumer.name}:", "lt": f"{consumer.name}:{oldest_ulid(done_before)}"}}
        rows = await store.find(INBOX, bounds, limit=PIECE)
        ops += [Delete(INBOX, row["_id"]) for row in rows if datetime.fromisoformat(row["at"]) < done_before]
    await store.apply(ops)
    return len(ops)


def oldest_ulid(at: datetime) -> str:
    """The time part of a ULID made at `at`: every earlier id sorts below it, every later one above."""
    milliseconds = max(0, int(at.timestamp() * 1000))
    characters = []
    for _ in range(_TIME_CHARACTERS):
        milliseconds, digit = divmod(milliseconds, 32)
        characters.append(_CROCKFORD[digit])
    return "".join(reversed(characters))
