"""The SQLite adapter: WAL, synchronous=FULL, one writing connection, a few reading ones, one owning process."""
# ruff: noqa: S608 (names in statements are checked, values bound)

import asyncio
import os
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import msgspec

from sangkien.store.checks import can_be_id, check_declared, check_path
from sangkien.store.errors import SchemaDrift, StoreError, StoreUnavailable
from sangkien.store.port import Document, Op, Page, Schema, Sort, Where
from sangkien.store.query import check_limit, cut_page, decode_cursor, parse_sort, parse_where
from sangkien.store.sqlite.lock import take_lock
from sangkien.store.sqlite.sql import (
    SELECT,
    TABLE,
    beyond_sql,
    expression,
    index_name,
    index_sql,
    json_list,
    order_sql,
    where_sql,
)
from sangkien.store.sqlite.transactions import duplicate
from sangkien.store.sqlite.units import Unit, prepare
from sangkien.store.sqlite.writer import Task, Writer
from sangkien.store.tracing import unit_span

_decode = msgspec.json.Decoder().decode

READERS: Final = 2
POINT_READS: Final = 64
WRITER_KIB: Final = 2048
"""Pages the writing connection keeps: what a large unit makes dirty and the upper levels of what it writes to."""
POINT_KIB: Final = 1024
READER_KIB: Final = 512
"""Every commit empties the caches of reading connections, so more than a query needs would be filled for nothing."""
_OLDEST: Final = (3, 35, 0)


class SqliteStore:
    """One file that one process owns. Keeps the promises of ``sangkien.store.Store``."""

    exclusive = True

    def __init__(self, path: Path, lock: int, loop: asyncio.AbstractEventLoop) -> None:
        self._path = path
        self._lock = lock
        self._loop = loop
        self._collections: set[str] = set()
        self._closed = False
        writing = _connect(path, cache_kib=WRITER_KIB)
        writing.execute("pragma busy_timeout=0")  # the writer waits by itself, for as long as where it runs allows
        self._point = _connect(path, cache_kib=POINT_KIB)
        self._writer = Writer(writing, loop)
        self._local = threading.local()
        self._reading: list[sqlite3.Connection] = []
        self._pool = ThreadPoolExecutor(READERS, "sqlite-reader")

    @classmethod
    def open(cls, directory: Path, database: str, loop: asyncio.AbstractEventLoop) -> "SqliteStore":
        """Own ``<directory>/<database>.db``, made if it is missing. Blocks; raises StoreInUse, StoreUnavailable."""
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = take_lock(directory / f"{database}.lock")
        except OSError as error:
            raise StoreUnavailable(f"cannot use {directory} for an SQLite store: {error.strerror}") from error
        try:
            return cls(directory / f"{database}.db", lock, loop)
        except BaseException as error:
            os.close(lock)
            if isinstance(error, sqlite3.Error):
                raise StoreUnavailable(f"cannot open {directory / database}.db: {error}") from error
            raise

    @property
    def path(self) -> Path:
        """The file this store owns, and with it whatever else is named after it."""
        return self._path

    async def ensure(self, schema: Schema) -> None:
        future: asyncio.Future[None] = self._loop.create_future()
        self._submit(Task(lambda db: _create(db, schema), future))
        await future
        self._collections.update(schema.collections)

    async def get(self, coll: str, id: str) -> Document | None:
        return (await self.get_many(coll, (id,))).get(id)

    async def get_many(self, coll: str, ids: Sequence[str]) -> dict[str, Document]:
        self._check(coll)
        wanted = [id for id in ids if can_be_id(id)]
        if len(wanted) == 1:
            sql, args = f"{SELECT} where id=?".format(coll=coll), (wanted[0],)
        else:
            sql = f"{SELECT} where id in (select value from json_each(?))".format(coll=coll)
            args = (json_list(wanted),)
        # A few reads by key are run right here: a hop to a thread and back costs six times the read itself.
        docs = self._rows(self._point, sql, args) if len(wanted) <= POINT_READS else await self._read(sql, args)
        return {doc["_id"]: doc for doc in map(_document, docs)}

    async def find(self, coll: str, where: Where | None = None, *, sort: Sort = (), limit: int = 100) -> list[Document]:
        return await self._select(coll, where, sort, check_limit(limit), None)

    async def page(
        self, coll: str, where: Where | None = None, *, sort: Sort = (), limit: int = 100, after: str | None = None
    ) -> Page:
        items = await self._select(coll, where, sort, check_limit(limit) + 1, after)
        return cut_page(items, limit, parse_sort(sort))

    async def count(self, coll: str, where: Where | None = None) -> int:
        self._check(coll)
        condition, args = where_sql(parse_where(where))
        rows = await self._read(f'select count(*) from "{coll}" where {condition}', args)
        return int(rows[0][0])

    async def count_by(self, coll: str, field: str, where: Where | None = None) -> dict[Any, int]:
        return dict(await self._group(coll, field, "count(*)", where))

    async def sum_by(self, coll: str, field: str, amount: str, where: Where | None = None) -> dict[Any, int]:
        value = expression(check_path(amount))
        total = f"coalesce(sum(case when typeof({value})<>'text' then {value} end),0)"
        sums = dict(await self._group(coll, field, total, where))
        if not all(type(number) is int for number in sums.values()):
            raise StoreError(f"{coll}: {amount} holds numbers that are not integers; their sum would not be exact")
        return sums

    async def apply(self, ops: Sequence[Op]) -> None:
        steps = prepare(ops, self._collections)
        if not steps:
            return
        with unit_span("sqlite", self._path.stem, ops):
            future: asyncio.Future[None] = self._loop.create_future()
            self._submit(Unit(steps, future))
            await future

    async def ping(self) -> None:
        await self._read("select 1 from sqlite_schema limit 1", ())

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._writer.hand_over()
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._pool.shutdown()
        for db in (*self._reading, self._point):
            db.close()
        self._writer.stop()
        os.close(self._lock)

    def _check(self, coll: str) -> None:
        if self._closed:
            raise self._gone()
        check_declared(coll, self._collections)

    def _gone(self) -> StoreUnavailable:
        return StoreUnavailable(f"the store {self._path.stem} is closed")

    def _submit(self, item: Unit | Task) -> None:
        if self._closed:
            raise self._gone()
        self._writer.submit(item)

    async def _select(
        self, coll: str, where: Where | None, sort: Sort, limit: int, after: str | None
    ) -> list[Document]:
        self._check(coll)
        order = parse_sort(sort)
        condition, args = where_sql(parse_where(where))
        if after is not None:
            beyond, more = beyond_sql(order, decode_cursor(order, after))
            condition, args = f"{condition} and {beyond}", args + more
        sql = f"{SELECT} where {condition} order by {order_sql(order)} limit ?".format(coll=coll)
        rows = await self._read(sql, [*args, limit])
        return [_document(row) for row in rows]

    async def _group(self, coll: str, field: str, total: str, where: Where | None) -> list[tuple[Any, int]]:
        self._check(coll)
        condition, args = where_sql(parse_where(where))
        key = expression(check_path(field))
        return await self._read(f'select {key}, {total} from "{coll}" where {condition} group by 1', args)

    async def _read(self, sql: str, args: Sequence[Any]) -> list[Any]:
        if self._closed:
            raise self._gone()
        return await self._loop.run_in_executor(self._pool, self._read_in_pool, sql, args)

    def _read_in_pool(self, sql: str, args: Sequence[Any]) -> list[Any]:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = _connect(self._path, cache_kib=READER_KIB)
            self._reading.append(db)
        return self._rows(db, sql, args)

    def _rows(self, db: sqlite3.Connection, sql: str, args: Sequence[Any]) -> list[Any]:
        """All rows at once: a statement left half read would keep the log from being recycled."""
        try:
            return db.execute(sql, args).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable(f"SQLite could not read: {error}") from error


def _document(row: tuple[int, bytes]) -> Document:
    doc: Document = _decode(row[1])
    doc["ver"] = row[0]
    return doc


def _connect(path: Path, *, cache_kib: int) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    for pragma in (
        "journal_mode=wal",
        "synchronous=full",
        "busy_timeout=5000",
        f"cache_size=-{cache_kib}",
        "temp_store=memory",
        "journal_size_limit=67108864",
    ):
        db.execute(f"pragma {pragma}")
    return db


def _create(db: sqlite3.Connection, schema: Schema) -> None:
    for coll in schema.collections:
        db.execute(TABLE.format(coll=coll))
    for index in schema.indexes:
        query = "select sql from sqlite_schema where type='index' and name=?"
        stored = db.execute(query, (index_name(index),)).fetchone()
        if stored is None:
            try:
                db.execute(index_sql(index))
            except sqlite3.IntegrityError as error:
                raise duplicate(index.coll, None, error) from None
        elif stored[0] != index_sql(index):
            raise SchemaDrift(f"index {index_name(index)} is stored as {stored[0]!r}, declared as {index_sql(index)!r}")


__all__ = ["SqliteStore"]
