"""Which of a service's replicas relays its outbox. A store one process owns needs no lease: its lock is one."""

from contextlib import suppress
from datetime import timedelta

from sangkien.messaging.outbox import RELAY
from sangkien.runtime import new_id, utc_now
from sangkien.store import Conflict, Document, Duplicate, Insert, Op, Replace, Store

LEASE = timedelta(seconds=6)
LEASE_ID = "lease"


class Lease:
    """A document with an owner and an end, renewed by compare-and-set.

    What only the holder may do carries `renewal()` in its unit of work: a holder that was overtaken meanwhile then
    meets Conflict and has done nothing. `term` counts how often this process took the lease anew.
    """

    def __init__(self, store: Store, *, length: timedelta = LEASE) -> None:
        self._store = store
        self._length_ms = int(length.total_seconds() * 1000)
        self._owner = new_id()
        self._version = 0
        self._until_ms = 0
        self.term = 0

    async def hold(self) -> bool:
        """Take or renew the lease; False while another process holds it. Raises StoreUnavailable."""
        if self._store.exclusive:
            return True
        now = _now_ms()
        if self._version and self._until_ms - now > self._length_ms // 2:
            return True
        found = await self._store.get(RELAY, LEASE_ID)
        if found is None:
            return await self._take(Insert(RELAY, self._document(now)), version=1)
        ours = found["owner"] == self._owner
        if not ours and found["until_ms"] > now:
            self._version = 0
            return False
        if not ours:
            self._version = 0
        return await self._take(Replace(RELAY, self._document(now), found["ver"]), version=found["ver"] + 1)

    def renewal(self) -> list[Op]:
        """What a unit of work of the holder has to contain; follow a successful one with `renewed`."""
        return [Replace(RELAY, self._document(_now_ms()), self._version)] if self._version else []

    def renewed(self) -> None:
        """The unit with the last `renewal` was committed."""
        if self._version:
            self._version += 1
            self._until_ms = _now_ms() + self._length_ms

    def lost(self) -> None:
        """A unit with `renewal` met Conflict: somebody else holds the lease."""
        self._version = 0

    async def release(self) -> None:
        """Let another process take over at once. Raises StoreUnavailable."""
        if not self._version:
            return
        document: Document = {"_id": LEASE_ID, "owner": self._owner, "until_ms": 0}
        with suppress(Conflict):  # it is somebody else's already
            await self._store.apply([Replace(RELAY, document, self._version)])
        self._version = 0

    async def _take(self, op: Op, *, version: int) -> bool:
        anew = not self._version
        try:
            await self._store.apply([op])
        except (Conflict, Duplicate):
            self._version = 0
            return False
        self._version = version
        self._until_ms = _now_ms() + self._length_ms
        self.term += anew
        return True

    def _document(self, now_ms: int) -> Document:
        return {"_id": LEASE_ID, "owner": self._owner, "until_ms": now_ms + self._length_ms}


def _now_ms() -> int:
    return int(utc_now().timestamp() * 1000)
