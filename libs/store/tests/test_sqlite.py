"""What only the SQLite store promises: one owner, nothing acknowledged is lost, one bad unit sinks no other."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sangkien.store import (
    Conflict,
    Duplicate,
    Index,
    Insert,
    Op,
    Replace,
    Schema,
    Store,
    StoreInUse,
    StoreUnavailable,
    open_store,
)
from sangkien.store.sqlite.writer import MOST_ON_THE_LOOP

SCHEMA = Schema(("dossiers", "outbox"), (Index("dossiers", ("state", "at")), Index("outbox", ("at",))))

OPENER = """
import asyncio, sys
from sangkien.store import StoreInUse, open_store
async def main():
    try:
        await open_store(sys.argv[1], database="node")
    except StoreInUse as refused:
        print(refused)
asyncio.run(main())
"""

WRITER = """
import asyncio, sys
from sangkien.store import Index, Insert, Schema, open_store
from sangkien.store.sqlite import writer
async def main():
    writer.MOST_ON_THE_LOOP = int(sys.argv[2])
    store = await open_store(sys.argv[1], database="node")
    await store.ensure(Schema(("dossiers", "outbox"), (Index("dossiers", ("state", "at")), Index("outbox", ("at",)))))
    async def write(writer):
        turn = 0
        while True:
            id = f"{writer}-{turn}"
            await store.apply([
                Insert("dossiers", {"_id": id, "state": "filed", "at": turn, "text": "x" * 2000}),
                Insert("outbox", {"_id": id, "at": turn}),
            ])
            sys.stdout.write(id + "\\n")
            sys.stdout.flush()
            turn += 1
    await asyncio.gather(*(write(n) for n in range(8)))
asyncio.run(main())
"""


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(f"sqlite://{tmp_path}", database="node")
    await store.ensure(SCHEMA)
    yield store
    await store.close()


async def test_the_store_knows_it_has_one_owner(store: Store) -> None:
    assert store.exclusive is True


async def test_a_second_process_is_refused_with_the_owner_named(store: Store, tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPENER, f"sqlite://{tmp_path}"]
    answer = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    assert answer.stdout == (
        f"{tmp_path}/node.db is in use by process {os.getpid()}: an SQLite store has one owner. "
        "Stop that process, choose another data directory, or use mongodb:// for several replicas.\n"
    )


async def test_a_second_owner_in_the_same_process_is_refused_until_the_first_closes(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(StoreInUse):
        await open_store(f"sqlite://{tmp_path}", database="node")
    await store.apply([Insert("dossiers", {"_id": "d1"})])
    await store.close()
    again = await open_store(f"sqlite://{tmp_path}", database="node")
    await again.ensure(SCHEMA)
    assert await again.get("dossiers", "d1") == {"_id": "d1", "ver": 1}
    await again.close()


# Blocking on the child is what this test is about: nothing else runs on the loop.
@pytest.mark.parametrize("most_on_the_loop", [MOST_ON_THE_LOOP, -1], ids=["by the loop", "by the thread"])
async def test_kill_9_while_writing_loses_nothing_acknowledged_and_halves_no_unit(
    tmp_path: Path, most_on_the_loop: int
) -> None:
    acknowledged: set[str] = set()
    command = [sys.executable, "-c", WRITER, f"sqlite://{tmp_path}", str(most_on_the_loop)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:  # noqa: ASYNC220
        assert writer.stdout is not None
        while len(acknowledged) < 500:
            acknowledged.add(writer.stdout.readline().decode().strip())
        os.kill(writer.pid, signal.SIGKILL)
        assert writer.wait() == -signal.SIGKILL
        *whole, _torn = writer.stdout.read().decode().split("\n")
        acknowledged.update(whole)
    with pytest.raises(ProcessLookupError):
        os.kill(writer.pid, 0)
    with sqlite3.connect(tmp_path / "node.db") as db:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
    db.close()

    store = await open_store(f"sqlite://{tmp_path}", database="node")
    await store.ensure(SCHEMA)
    kept = await store.get_many("dossiers", sorted(acknowledged))
    assert set(kept) == acknowledged
    dossiers = {doc["_id"] for doc in await store.find("dossiers", limit=1_000_000)}
    assert {doc["_id"] for doc in await store.find("outbox", limit=1_000_000)} == dossiers
    await store.close()


async def test_units_of_one_commit_fail_each_for_itself(store: Store, tmp_path: Path) -> None:
    await store.apply([Insert("dossiers", {"_id": "taken"}), Insert("dossiers", {"_id": "d0"})])
    units: list[list[Op]] = [
        [Insert("dossiers", {"_id": f"good{n}"}), Insert("outbox", {"_id": f"o{n}"})] for n in range(50)
    ]
    units[20] = [Insert("outbox", {"_id": "lost1"}), Insert("dossiers", {"_id": "taken"})]
    stale: list[Op] = [Insert("outbox", {"_id": "lost2"}), Replace("dossiers", {"_id": "d0"}, expect=5)]
    blocker = sqlite3.connect(tmp_path / "node.db", isolation_level=None)
    blocker.execute("begin immediate")  # the writer waits here, so that the units pile up behind it
    tasks = [asyncio.ensure_future(store.apply(unit)) for unit in [*units, stale]]
    await asyncio.sleep(0)
    blocker.execute("rollback")
    blocker.close()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        *[type(None)] * 20, Duplicate, *[type(None)] * 29, Conflict
    ]  # fmt: skip
    assert {doc["_id"] for doc in await store.find("outbox")} == {f"o{n}" for n in range(50)} - {"o20"}


async def test_a_store_that_cannot_write_says_so_and_recovers(store: Store, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "node.db") as db:
        db.execute("drop table outbox")
    db.close()
    with pytest.raises(StoreUnavailable, match="could not write"):
        await store.apply([Insert("dossiers", {"_id": "d1"}), Insert("outbox", {"_id": "o1"})])
    assert await store.get("dossiers", "d1") is None
    await store.ensure(SCHEMA)
    await store.apply([Insert("dossiers", {"_id": "d1"}), Insert("outbox", {"_id": "o1"})])
    assert await store.count("outbox") == 1


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    content = b"not a database, but something somebody may want back" * 100
    (tmp_path / "node.db").write_bytes(content)
    with pytest.raises(StoreUnavailable, match="cannot open"):
        await open_store(f"sqlite://{tmp_path}", database="node")
    assert (tmp_path / "node.db").read_bytes() == content


async def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="Not a directory"):
        await open_store(f"sqlite://{tmp_path}/file/data", database="node")


async def test_a_new_directory_is_closed_to_others(tmp_path: Path) -> None:
    store = await open_store(f"sqlite://{tmp_path}/my%20data", database="node")
    await store.close()
    assert (tmp_path / "my data").stat().st_mode & 0o777 == 0o700
