"""Who writes, and when: units that come in the same turn of the event loop share one commit, and so do those that wait.

Where the disk is quick and the unit small, the event loop writes by itself: a commit then takes a fifth of a
millisecond, while a hop to a thread and back takes five in a busy process, for at each statement the thread waits for
the interpreter lock. Large units, tasks, and everything while the disk is slow go to a thread, and the loop goes on.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from typing import Any, Final

from sangkien.store.errors import StoreUnavailable
from sangkien.store.sqlite.transactions import PATIENCE_SECONDS, Busy, Transactions, Work
from sangkien.store.sqlite.units import Unit

MAX_STEPS: Final = 4096
MOST_ON_THE_LOOP: Final = 400
"""Steps of one commit on the event loop: some two milliseconds."""
SLOW_SECONDS: Final = 0.002
_SLOW_IN_A_ROW: Final = 3
"""One slow commit may be a checkpoint."""
_PAUSE_SECONDS: Final = 1.0


class Task:
    """Work that wants a transaction of its own, such as creating indexes."""

    __slots__ = ("future", "work")

    def __init__(self, work: Work, future: asyncio.Future[None]) -> None:
        self.work, self.future = work, future


class Writer:
    """Owns the writing connection. All but the thread's own methods and `stop` are called on the event loop."""

    def __init__(self, db: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._transactions = Transactions(db)
        self._loop = loop
        self._soon: list[Unit] = []
        self._away = 0
        """Items with the thread. While there are any, the connection is the thread's."""
        self._slow = 0
        self._thread_until = 0.0
        self._queue: queue.SimpleQueue[Unit | Task | None] = queue.SimpleQueue()
        self._held: Unit | Task | None = None
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    def submit(self, item: Unit | Task) -> None:
        """Queue ``item``; its future is resolved on the event loop once it is durable or has failed."""
        if (
            self._away
            or isinstance(item, Task)
            or len(item.steps) > MOST_ON_THE_LOOP
            or self._loop.time() < self._thread_until
        ):
            self.hand_over()
            self._give(item)
        else:
            self._soon.append(item)
            if len(self._soon) == 1:
                self._loop.call_soon(self._write_here)

    def hand_over(self) -> None:
        """Leave to the thread what was to be written soon."""
        for unit in self._soon:
            self._give(unit)
        self._soon = []

    def stop(self) -> None:
        """Finish what the thread was given, then close the connection. Blocks."""
        self._queue.put(None)
        self._thread.join()
        self._transactions.close()

    def _give(self, item: Unit | Task) -> None:
        self._away += 1
        self._queue.put(item)

    def _write_here(self) -> None:
        units = self._soon
        if not units:
            return  # the thread has them
        if sum(len(unit.steps) for unit in units) > MOST_ON_THE_LOOP:
            self.hand_over()
            return
        try:
            outcomes = self._transactions.write(units, patience=0)
        except Busy:
            self.hand_over()
            return
        self._soon = []
        self._learn(self._transactions.commit_seconds)
        _resolve(units, outcomes)

    def _learn(self, commit_seconds: float) -> None:
        """After a few slow commits the loop is not to wait for the disk; a second later one commit is tried again."""
        self._slow = self._slow + 1 if commit_seconds > SLOW_SECONDS else 0
        if self._slow >= _SLOW_IN_A_ROW:
            self._slow = _SLOW_IN_A_ROW - 1
            self._thread_until = self._loop.time() + _PAUSE_SECONDS

    def _run(self) -> None:
        while True:
            first = self._held or self._queue.get()
            self._held = None
            if first is None:
                return
            if isinstance(first, Task):
                self._report([first], [self._transactions.alone(first.work, patience=PATIENCE_SECONDS)])
                continue
            units, more = self._gather(first)
            try:
                outcomes = self._transactions.write(units, patience=PATIENCE_SECONDS)
            except Busy as error:
                outcomes = [StoreUnavailable(str(error)) for _ in units]
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

    def _report(self, items: list[Any], outcomes: list[Exception | None]) -> None:
        def resolve() -> None:
            self._away -= len(items)
            _resolve(items, outcomes)

        # A closed loop has nobody left to tell, and what was committed stays committed.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(resolve)


def _resolve(items: list[Any], outcomes: list[Exception | None]) -> None:
    for item, outcome in zip(items, outcomes, strict=True):
        if item.future.done():  # its caller was cancelled
            continue
        if outcome is None:
            item.future.set_result(None)
        else:
            item.future.set_exception(outcome)
