"""Units and tasks in transactions: what runs on the writing connection, on whichever thread has it at the moment."""

import sqlite3
import time
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final

from sangkien.store.errors import Conflict, Duplicate, StoreUnavailable
from sangkien.store.sqlite.sql import delete_sql, insert_sql, replace_sql
from sangkien.store.sqlite.units import REPLACE, WIDTH, Batch, Unit

_STATEMENTS: Final[tuple[Callable[[str, int], str], ...]] = (delete_sql, replace_sql, insert_sql)
_batch = itemgetter(0)
MAX_ROWS: Final = 128
_EVEN: Final = 32
PATIENCE_SECONDS: Final = 5.0
"""How long another program that writes to the file is waited for. It has no business there; a person may look in."""
_LOOK_AGAIN_SECONDS: Final = 0.02

Work = Callable[[sqlite3.Connection], None]


class Busy(Exception):
    """Another program is writing to the file at this moment."""


class Transactions:
    """Runs units and tasks. One thread at a time may use it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.commit_seconds = 0.0
        """How long the last commit took, which is mostly how long the disk takes to be sure."""

    def close(self) -> None:
        self._db.close()

    def write(self, units: list[Unit], *, patience: float) -> list[Exception | None]:
        """All units in one transaction: at a stroke, and if any of them cannot be done, one by one.

        One outcome a unit. Raises Busy, with nothing written.
        """
        error = self._guarded(lambda: self._together(units), patience)
        if error is None:
            return [None] * len(units)
        if isinstance(error, StoreUnavailable):
            return [StoreUnavailable(str(error)) for _ in units]
        outcomes: list[Exception | None] = []
        error = self._guarded(lambda: self._one_by_one(units, outcomes), patience)
        return outcomes if error is None else [StoreUnavailable(str(error)) for _ in units]

    def alone(self, work: Work, *, patience: float) -> Exception | None:
        """Work in a transaction of its own; what went wrong, None when nothing did."""
        try:
            return self._guarded(lambda: work(self._db), patience)
        except Busy as error:
            return StoreUnavailable(str(error))

    def _guarded(self, work: Callable[[], None], patience: float) -> Exception | None:
        """Run ``work`` in a transaction and commit; on any error roll back and return it, translated. Raises Busy."""
        try:
            self._begin(patience)
            work()
            began = time.perf_counter()
            self._db.execute("commit")
            self.commit_seconds = time.perf_counter() - began
        except Busy:
            raise
        except Exception as error:  # noqa: BLE001 - reported to every waiting caller
            try:
                if self._db.in_transaction:
                    self._db.execute("rollback")
            except sqlite3.Error as failed:
                return StoreUnavailable(f"SQLite could not roll back: {failed}")
            return _translate(error)
        return None

    def _begin(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while True:
            try:
                self._db.execute("begin immediate")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() >= deadline:
                    raise Busy(f"SQLite could not write: {error}") from None
                time.sleep(_LOOK_AGAIN_SECONDS)
            else:
                return

    def _together(self, units: list[Unit]) -> None:
        """Rows of many units share statements.

        Each statement costs two hand-overs of the interpreter lock, which other threads want as well. A unit that
        touches a document already taken starts a new round.
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


def _share(rows: int) -> int:
    """How many of `rows` go into the next statement: its three highest bits, above `_EVEN` the highest alone.

    These sizes are few enough to stay prepared. Each keeps the values it was last given until it is given others, so
    that there are only two large ones: they, and not the statements, are what preparing costs in memory.
    """
    bits = rows.bit_length() - (1 if rows > _EVEN else 3)
    return rows >> max(0, bits) << max(0, bits)


def duplicate(coll: str, id: str | None, error: sqlite3.IntegrityError) -> Duplicate:
    """SQLite's message names the index (``index 'coll:a,b'``) or the key column (``coll.id``)."""
    name = str(error).partition("index '")[2].rstrip("'")
    return Duplicate(coll, id, tuple(name.partition(":")[2].split(",")) if name else ("_id",))


def _translate(error: Exception) -> Exception:
    if isinstance(error, sqlite3.OperationalError):
        return StoreUnavailable(f"SQLite could not write: {error}")
    return error
