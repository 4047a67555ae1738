"""The store is the record, not the broker: find what the broker lost, and offer it again (DESIGN §6.5).

JetStream acknowledges before it syncs, so a crash may cost it the tail of a stream, and a restored or empty broker
costs it more. A stream's last sequence alone does not tell: newer events may have refilled the numbers. What tells is
the event stored at the sequence we were given for it.

Lost rows go back to the outbox, the highest sequence first: wherever that is cut off, the next check finds the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from sangkien.messaging import cloudevents as ce
from sangkien.messaging.lease import Lease
from sangkien.messaging.outbox import SENT, Outgoing
from sangkien.store import Conflict, Delete, Document, Op, Store, Where

CHUNK = 500

_log = structlog.get_logger("sangkien.messaging.reoffer")


class StreamMissing(Exception):
    """The broker has no such stream (any more)."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check established.

    `created` is the stream's identity: when it was made, in µs since the epoch. `top` is the highest remembered
    sequence that it truly holds, `returned` how many rows went back to the outbox.
    """

    created: int
    top: int
    returned: int


class Reoffer:
    """Compares one stream with the rows remembered as sent."""

    def __init__(self, store: Store, js: JetStreamContext, stream: str, lease: Lease) -> None:
        self._store = store
        self._js = js
        self._stream = stream
        self._lease = lease

    async def check(self) -> Verified:
        """Put back into the outbox whatever the broker no longer holds.

        Raises StreamMissing, StoreUnavailable, Conflict when the lease was lost, and nats errors.
        """
        created = await self._created()
        returned = await self._return({"created": {"gt": created}}) + await self._return({"created": {"lt": created}})
        newest = await self._newest({"created": created})
        top = int(newest["seq"]) if newest else 0
        if newest and not await self.holds(newest["_id"], top):
            top = await self._last_match(created, top)
            returned += await self._return({"created": created, "seq": {"gt": top}})
        if returned:
            _log.warning("events_offered_again", stream=self._stream, count=returned, last_match=top)
        return Verified(created, top, returned)

    async def holds(self, event_id: str, seq: int) -> bool:
        """Whether the stream's message `seq` is that event. Raises nats errors."""
        try:
            message = await self._js.get_msg(self._stream, seq=seq)
        except NotFoundError:
            return False
        return (message.headers or {}).get(ce.ID) == event_id

    async def evict(self, created: int, claims: dict[int, str]) -> list[Op]:
        """Operations that clear the way for `claims` (sequence → event id, as the broker just acknowledged them).

        A row that claims such a sequence for another event was lost: it goes back to the outbox.
        """
        ops: list[Op] = []
        where: Where = {"created": created, "seq": {"in": list(claims)}}
        for row in await self._store.find(SENT, where, limit=len(claims)):
            ops += self._back(row) if row["_id"] != claims[row["seq"]] else [Delete(SENT, row["_id"])]
        again = await self._store.get_many(SENT, list(claims.values()))
        return [*ops, *(Delete(SENT, id) for id in again)]

    async def _created(self) -> int:
        try:
            info = await self._js.stream_info(self._stream)
        except NotFoundError:
            raise StreamMissing(self._stream) from None
        if info.created is None:
            raise StreamMissing(self._stream)
        return int(info.created.timestamp() * 1_000_000)

    async def _newest(self, where: Where) -> Document | None:
        rows = await self._store.find(SENT, where, sort=[("seq", -1)], limit=1)
        return rows[0] if rows else None

    async def _last_match(self, created: int, mismatch: int) -> int:
        """The highest remembered sequence below `mismatch` that the stream truly holds, 0 for none.

        A tail is lost as a whole, so halving finds where it begins.
        """
        low, high = 0, mismatch
        while high - low > 1:
            middle = (low + high) // 2
            row = await self._newest({"created": created, "seq": {"gt": low, "lte": middle}})
            if row is None or await self.holds(row["_id"], row["seq"]):
                low = middle
            else:
                high = int(row["seq"])
        return low

    async def _return(self, where: Where) -> int:
        returned = 0
        while rows := await self._store.find(SENT, where, sort=[("created", -1), ("seq", -1)], limit=CHUNK):
            await self._apply([op for row in rows for op in self._back(row)])
            returned += len(rows)
        return returned

    async def _apply(self, ops: Sequence[Op]) -> None:
        try:
            await self._store.apply([*self._lease.renewal(), *ops])
        except Conflict:
            self._lease.lost()
            raise
        self._lease.renewed()

    def _back(self, row: Document) -> list[Op]:
        return [Delete(SENT, row["_id"]), Outgoing.from_sent(row).again()]
