"""What the relay sends next: rows straight from the commits that made them, or read from the outbox.

The store stays the truth. Rows are taken from memory only where one process owns the store and only while everything
handed out before is known to have left. Twice a second the outbox is read all the same, for rows that nobody reported.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import islice

from sangkien.messaging.outbox import OUTBOX, Outgoing
from sangkien.store import Insert, Op, Store

BATCH = 500
READ_SECONDS = 0.5
DOUBT_SECONDS = 1.0
"""How long a commit whose end nobody saw may still be on its way. For so long only the store is believed."""
_MOST_REMEMBERED = 2_000


class Backlog:
    """The rows of one outbox that are to leave. `next` hands out a batch, `settled` says that all of it has left."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._remembered: deque[Outgoing] = deque()
        self._gapless = False
        """Whether the outbox holds what was handed out and what is remembered, and nothing else as far as we know."""
        self._out = False
        self._read: frozenset[str] = frozenset()
        self._read_again_at = self._believe_from = 0.0

    def add(self, committed: Sequence[Op]) -> None:
        """A unit was committed; its events are remembered, in the order in which commits are reported."""
        if not self._gapless:
            return
        for op in committed:
            # A row may be read before its commit is reported: reader and writer are two threads.
            if type(op) is Insert and op.coll == OUTBOX and op.doc["_id"] not in self._read:
                self._remembered.append(Outgoing(op.doc))
        if len(self._remembered) > _MOST_REMEMBERED:
            self._forget()

    def doubt(self) -> None:
        """The outbox holds, or soon may, rows that were not reported."""
        self._forget()
        self._believe_from = _now() + DOUBT_SECONDS

    async def next(self) -> list[Outgoing]:
        """Up to 500 rows, oldest first; the same again until `settled` is called. Raises StoreUnavailable."""
        if self._gapless and not self._out and _now() < self._read_again_at:
            rows = list(islice(self._remembered, BATCH))
            for _ in rows:
                self._remembered.popleft()
        else:
            rows = await self._stored()
        self._out = bool(rows)
        return rows

    def settled(self) -> None:
        """Nothing of what was handed out last is in the outbox any more."""
        self._out = False

    async def _stored(self) -> list[Outgoing]:
        self._remembered.clear()
        self._read = frozenset()
        self._gapless = self._store.exclusive and _now() >= self._believe_from
        self._read_again_at = _now() + READ_SECONDS
        rows = [Outgoing(document) for document in await self._store.find(OUTBOX, limit=BATCH)]
        if len(rows) == BATCH:
            self._forget()
        self._read = frozenset(row.id for row in rows)
        for row in [row for row in self._remembered if row.id in self._read]:
            self._remembered.remove(row)
        return rows

    def _forget(self) -> None:
        self._remembered.clear()
        self._gapless = False


def _now() -> float:
    return asyncio.get_running_loop().time()
