"""Who writes to an SQLite file: the event loop while the disk is quick, a thread otherwise, and never both at once."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sangkien.store import Insert
from sangkien.store.sqlite import writer as writer_module
from sangkien.store.sqlite.sql import TABLE
from sangkien.store.sqlite.units import Unit, prepare
from sangkien.store.sqlite.writer import MOST_ON_THE_LOOP, Task, Writer

LOOP, THREAD = "loop", "thread"


class Desk:
    """A writer on a real file, whose rows each note who wrote them."""

    def __init__(self, path: Path) -> None:
        self.written: list[tuple[str, str]] = []
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("pragma journal_mode=wal")
        self.db.execute("pragma busy_timeout=0")
        self.db.execute(TABLE.format(coll="rows"))
        self.db.create_function("noted", 1, self._note)
        self.db.execute('create temp trigger t after insert on "rows" begin select noted(new.id); end')
        self.loop = asyncio.get_running_loop()
        self.loops_thread = threading.get_ident()
        self.writer = Writer(self.db, self.loop)

    def _note(self, id: str) -> None:
        self.written.append((id, LOOP if threading.get_ident() == self.loops_thread else THREAD))

    def insert(self, *ids: str) -> asyncio.Future[None]:
        future = self.loop.create_future()
        self.writer.submit(Unit(prepare([Insert("rows", {"_id": id}) for id in ids], {"rows"}), future))
        return future

    def task(self, id: str) -> asyncio.Future[None]:
        def work(db: sqlite3.Connection) -> None:
            db.execute('insert into "rows" values (?, 1, ?)', (id, "{}"))

        future = self.loop.create_future()
        self.writer.submit(Task(work, future))
        return future


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path / "node.db")
    yield desk
    desk.writer.hand_over()
    await asyncio.to_thread(desk.writer.stop)


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every commit counts as slow, and the loop leaves it to the thread for longer than any test takes."""
    monkeypatch.setattr(writer_module, "SLOW_SECONDS", -1.0)
    monkeypatch.setattr(writer_module, "_PAUSE_SECONDS", 3_600.0)


async def test_units_of_one_turn_are_written_by_the_loop(desk: Desk) -> None:
    await asyncio.gather(desk.insert("a"), desk.insert("b", "c"))
    assert desk.written == [("a", LOOP), ("b", LOOP), ("c", LOOP)]


@pytest.mark.usefixtures("slow_disk")
async def test_on_a_slow_disk_the_thread_takes_over(desk: Desk) -> None:
    for id in "abcde":
        await desk.insert(id)
    assert desk.written == [("a", LOOP), ("b", LOOP), ("c", LOOP), ("d", THREAD), ("e", THREAD)]


@pytest.mark.usefixtures("slow_disk")
async def test_the_loop_tries_again_after_a_pause(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "_PAUSE_SECONDS", 0.0)
    for id in "abcde":
        await desk.insert(id)
    assert {who for _, who in desk.written} == {LOOP}


async def test_what_is_large_goes_to_the_thread_and_all_keeps_its_order(desk: Desk) -> None:
    large = [f"l{n:03}" for n in range(MOST_ON_THE_LOOP + 1)]
    await asyncio.gather(desk.insert("a"), desk.task("b"), desk.insert("c"), desk.insert(*large), desk.insert("d"))
    await desk.insert("e")
    assert desk.written == [(id, THREAD) for id in ["a", "b", "c", *large, "d"]] + [("e", LOOP)]


async def test_another_writer_is_waited_for_on_the_thread(desk: Desk, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "node.db", isolation_level=None)
    other.execute("begin immediate")
    waiting = desk.insert("a")
    await asyncio.sleep(0)  # the loop finds the file taken
    other.execute("rollback")
    other.close()
    await waiting
    assert desk.written == [("a", THREAD)]
