"""One unit of work on MongoDB: a single write, or a transaction of bulk writes."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import pymongo
from pymongo import DeleteOne, InsertOne, ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from sangkien.store.errors import Conflict, StoreError
from sangkien.store.mongo.failures import bulk_refusal, duplicate, id_of, meaning
from sangkien.store.port import Delete, Document, Insert, Op, Replace

Database = AsyncDatabase[Document]

_RANKS: Final = {Delete: 0, Replace: 1, Insert: 2}


class _Lost(Exception):
    """Fewer documents matched than were to be replaced."""


async def write_one(db: Database, op: Op) -> None:
    """One op needs no transaction: the server writes a single document atomically, and the driver retries safely."""
    coll = db[op.coll]
    if isinstance(op, Insert):
        try:
            await coll.insert_one({**op.doc, "ver": 1})
        except DuplicateKeyError as error:
            raise duplicate(op, error.details) from None
    elif isinstance(op, Replace):
        try:
            done = await coll.replace_one(*_replacement(op))
        except DuplicateKeyError as error:
            raise duplicate(op, error.details) from None
        if done.matched_count != 1:
            raise Conflict(op.coll, id_of(op))
    else:
        await coll.delete_one({"_id": op.id})


async def write_all(db: Database, ops: Sequence[Op]) -> None:
    """All of ``ops`` in one transaction, which the driver retries with backoff until the client's timeout.

    Two units that write the same document meet as a WriteConflict; the later one is tried again, and then finds the
    version moved: that is when it is known to be a Conflict.
    """
    batches = _batches(ops)

    async def work(session: AsyncClientSession) -> None:
        for batch in batches:
            await _bulk(db, batch, session)

    try:
        with pymongo.timeout(db.client.options.timeout):
            async with db.client.start_session() as session:
                await session.with_transaction(work)
    except _Lost:
        raise await _loser(db, ops) or _first(ops) from None
    except PyMongoError as error:
        if error.has_error_label("TransientTransactionError"):
            raise await _loser(db, ops) or meaning(error) from None
        raise


async def _bulk(db: Database, batch: list[Op], session: AsyncClientSession) -> None:
    requests = [_request(op) for op in batch]
    try:
        result = await db[batch[0].coll].bulk_write(requests, session=session)
    except BulkWriteError as error:
        raise bulk_refusal(batch, error) or error from None
    if result.matched_count != sum(isinstance(op, Replace) for op in batch):
        raise _Lost


def _batches(ops: Sequence[Op]) -> list[list[Op]]:
    """Neighbours of one kind in one collection make one message to the server.

    Where no document occurs twice, ops are brought together first: deletes and replaces ahead of inserts, as they may
    free a unique key, and a stale replace is to be found before a taken key.
    """
    if len({(op.coll, id_of(op)) for op in ops}) == len(ops):
        ops = sorted(ops, key=_place)
    return [list(group) for _, group in groupby(ops, key=_place)]


def _place(op: Op) -> tuple[int, str]:
    return _RANKS[type(op)], op.coll


def _request(op: Op) -> Any:
    if isinstance(op, Insert):
        return InsertOne({**op.doc, "ver": 1})
    if isinstance(op, Replace):
        return ReplaceOne(*_replacement(op))
    return DeleteOne({"_id": op.id})


def _replacement(op: Replace) -> tuple[Document, Document]:
    return {"_id": op.doc["_id"], "ver": op.expect}, {**op.doc, "ver": op.expect + 1}


async def _loser(db: Database, ops: Sequence[Op]) -> StoreError | None:
    """The Conflict for the first replace whose document is not at the expected version, None if all are."""
    for op in ops:
        if isinstance(op, Replace):
            found = await db[op.coll].find_one({"_id": op.doc["_id"]}, {"ver": 1})
            if found is None or found["ver"] != op.expect:
                return Conflict(op.coll, id_of(op))
    return None


def _first(ops: Sequence[Op]) -> StoreError:
    """The first replaced document, for a loser that changed back before it could be named."""
    op = next(op for op in ops if isinstance(op, Replace))
    return Conflict(op.coll, id_of(op))
