"""Raw ceilings of this machine: what broker and disk do when nothing of ours stands in between."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import nats

from sangkien.runtime import new_id
from sangkien.testkit.nats_server import NatsServer

GROUP = 500
IN_FLIGHT = 2_000


async def publishes_per_s(folder: Path, events: int, size: int) -> float:
    """Events a second published to an empty stream, pipelined and deduplicated by id, each acknowledged."""
    with NatsServer(folder) as server:
        client = await nats.connect(server.url)
        js = client.jetstream(publish_async_max_pending=IN_FLIGHT)
        await js.add_stream(name="RAW", subjects=["raw"])
        body, ids = b"x" * size, [new_id() for _ in range(events)]
        began = time.perf_counter()
        await asyncio.gather(*[await js.publish_async("raw", body, headers={"Nats-Msg-Id": id}) for id in ids])
        seconds = time.perf_counter() - began
        await client.close()
    return events / seconds


def commits_per_s(file: Path, rows: int, size: int, group: int = GROUP) -> float:
    """Rows a second inserted into one SQLite file, WAL and synchronous=FULL, `group` rows a transaction."""
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("pragma journal_mode=wal")
        db.execute("pragma synchronous=full")
        db.execute("create table rows(id text primary key not null, ver integer not null, body text not null)")
        values = [(new_id(), 1, "x" * size) for _ in range(rows)]
        began = time.perf_counter()
        for start in range(0, rows, group):
            db.execute("begin immediate")
            db.executemany("insert into rows values (?, ?, ?)", values[start : start + group])
            db.execute("commit")
        return rows / (time.perf_counter() - began)
