"""Forget what nobody will ask for again, a bounded piece at a time.

Sent rows stay as long as they may have to be offered again; inbox rows outlive them, or a late re-offer would have its
effect twice.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sangkien.contracts.topology import ConsumerSpec
from sangkien.messaging.outbox import INBOX, SENT
from sangkien.store import Delete, Op, Store, Where

PIECE = 500

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIME_CHARACTERS = 10


async def sweep_once(
    store: Store, consumers: Iterable[ConsumerSpec], *, now: datetime, keep_sent: timedelta, keep_inbox: timedelta
) -> int:
    """Delete up to `PIECE` sent rows and up to `PIECE` inbox rows of each consumer; returns how many went.

    Event ids are ULIDs, so rows that may be old enough are found by id; when they were really sent or handled decides.
    """
    ops: list[Op] = []
    sent_before = now - keep_sent
    rows = await store.find(SENT, {"_id": {"lt": oldest_ulid(sent_before)}}, limit=PIECE)
    ops += [Delete(SENT, row["_id"]) for row in rows if datetime.fromisoformat(row["sent_at"]) < sent_before]
    done_before = now - keep_inbox
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
