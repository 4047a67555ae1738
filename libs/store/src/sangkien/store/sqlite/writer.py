"""The one thread that writes: it takes whatever units wait, and one commit makes all of them durable."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final

from sangkien.store.errors import Conflict, Duplicate, StoreUnavailable
from sangkien.store.sqlite.sql import delete_sql, insert_sql, replace_sql
from sangkien.store.sqlite.units import REPLACE, WIDTH, Batch, Unit

_STATEMENTS: Final[tuple[Callable[[str, int], str], ...]] = (delete_sql, replace_sql, insert_sql)
_batch = itemgetter(0)
MAX_STEPS: Final = 4096
MAX_ROWS: Final = 128

Work = Callable[[sqlite3.Connection], None]


class Task:
    """Work that wants a transaction of its own, such as creating indexes."""

    __slots__ = ("future", "work")

    def __init__(self, work: Work, future: asyncio.Future[None]) -> None:
        self.work, self.future = work, future


class Writer:
    """Owns the writing connection. ``submit`` is called on the event loop, everything else runs on the thread."""

    def __init__(self, db: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._db = db
        self._loop = loop
        self._queue: queue.SimpleQueue[Unit | Task | None] = queue.SimpleQueue()
        self._held: Unit | Task | None = None
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    def submit(self, item: Unit | Task) -> None:
        """Queue ``item``; its future is resolved on the event loop once it is durable or has failed."""
        self._queue.put(item)

    def stop(self) -> None:
        """Finish what is queued, then close the connection. Blocks."""
        self._queue.put(None)
        self._thread.join()
        self._db.close()

    def _run(self) -> None:
        while True:
            first = self._held or self._queue.get()
            self._held = None
            if first is None:
                return
            if isinstance(first, Task):
                outcome = self._guarded(lambda task=first: self._alone(task))  # type: ignore[misc]
                self._report([first], [outcome])
                continue
            units, more = self._gather(first)
            outcomes = self._write(units)
            self._report(units, outcomes)
            if not more:
                return

    def _gather(self, first: Unit) -> tuple[list[Unit], bool]:
        """The units to commit together, and False when the queue ended behind them."""
        units, steps = [first], len(first.steps)
        while steps < MAX_STEPS:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return units, False
            if isinstance(item, Task):
                self._held = item
                break
            units.append(item)
            steps += len(item.steps)
        return units, True

    def _write(self, units: list[Unit]) -> list[Exception | None]:
        """All units in one transaction: at a stroke, and if any of them cannot be done, one by one."""
        error = self._guarded(lambda: self._together(units))
        if error is None:
            return [None] * len(units)
        if isinstance(error, StoreUnavailable):
            return [StoreUnavailable(str(error)) for _ in units]
        outcomes: list[Exception | None] = []
        error = self._guarded(lambda: self._one_by_one(units, outcomes))
        return outcomes if error is None else [StoreUnavailable(str(error)) for _ in units]

    def _guarded(self, work: Callable[[], None]) -> Exception | None:
        """Run ``work`` in a transaction and commit; on any error roll back and return it, translated."""
        try:
            self._db.execute("begin immediate")
            work()
            self._db.execute("commit")
        except Exception as error:  # noqa: BLE001 - reported to every waiting caller
            try:
                if self._db.in_transaction:
                    self._db.execute("rollback")
            except sqlite3.Error as failed:
                return StoreUnavailable(f"SQLite could not roll back: {failed}")
            return _translate(error)
        return None

    def _alone(self, task: Task) -> None:
        task.work(self._db)

    def _together(self, units: list[Unit]) -> None:
        """Rows of many units share statements.

        Each statement then costs one hand-over of the interpreter lock, which the event loop wants as well. A unit
        that touches a document already taken starts a new round.
        """
        rows: dict[Batch, list[Any]] = {}
        taken: set[tuple[str, str]] = set()
        for unit in units:
            if not (unit.in_any_order and taken.isdisjoint(unit.keys)):
                self._flush(rows)
                rows, taken = {}, set()
                if not unit.in_any_order:
                    self._in_order(unit)
                    continue
            taken |= unit.keys
            for batch, values in unit.rows.items():
                known = rows.get(batch)
                if known is None:
                    rows[batch] = values.copy()
                else:
                    known += values
        self._flush(rows)

    def _flush(self, rows: dict[Batch, list[Any]]) -> None:
        execute = self._db.execute
        for (kind, coll), values in sorted(rows.items(), key=_batch):
            width, start = WIDTH[kind], 0
            while left := (len(values) - start) // width:
                count = _share(min(left, MAX_ROWS))
                end = start + count * width
                done = execute(_STATEMENTS[kind](coll, count), values[start:end]).rowcount
                if kind == REPLACE and done != count:
                    raise Conflict(coll, values[start])
                start = end

    def _one_by_one(self, units: list[Unit], outcomes: list[Exception | None]) -> None:
        for unit in units:
            self._db.execute("savepoint unit")
            try:
                self._in_order(unit)
            except sqlite3.OperationalError:  # the disk, not the unit: nothing in this transaction can be trusted
                raise
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one unit is that unit's answer
                self._db.execute("rollback to unit")
                outcomes.append(error)
            else:
                outcomes.append(None)
            self._db.execute("release unit")

    def _in_order(self, unit: Unit) -> None:
        for (kind, coll), row in unit.steps:
            try:
                done = self._db.execute(_STATEMENTS[kind](coll, 1), row).rowcount
            except sqlite3.IntegrityError as error:
                raise duplicate(coll, row[0], error) from None
            if kind == REPLACE and done != 1:
                raise Conflict(coll, row[0])

    def _report(self, items: list[Any], outcomes: list[Exception | None]) -> None:
        def resolve() -> None:
            for item, outcome in zip(items, outcomes, strict=True):
                if item.future.done():  # its caller was cancelled
                    continue
                if outcome is None:
                    item.future.set_result(None)
                else:
                    item.future.set_exception(outcome)

        # A closed loop has nobody left to tell, and what was committed stays committed.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(resolve)


def _share(rows: int) -> int:
    """How many of `rows` go into the next statement: its three highest bits, which leaves little for another.

    A statement costs two hand-overs of the interpreter lock. Some two dozen sizes are few enough to stay prepared.
    """
    return rows >> max(0, rows.bit_length() - 3) << max(0, rows.bit_length() - 3)


def duplicate(coll: str, id: str | None, error: sqlite3.IntegrityError) -> Duplicate:
    """SQLite's message names the index (``index 'coll:a,b'``) or the key column (``coll.id``)."""
    name = str(error).partition("index '")[2].rstrip("'")
    return Duplicate(coll, id, tuple(name.partition(":")[2].split(",")) if name else ("_id",))


def _translate(error: Exception) -> Exception:
    if isinstance(error, sqlite3.OperationalError):
        return StoreUnavailable(f"SQLite could not write: {error}")
    return error
