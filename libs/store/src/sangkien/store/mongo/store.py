"""The MongoDB adapter: PyMongo's AsyncMongoClient, w=majority, journalled, transactions for units of several ops."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pymongo
from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from bson.int64 import Int64
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import CollectionInvalid, DuplicateKeyError, OperationFailure, PyMongoError

from sangkien.store.checks import (
    can_be_id,
    check_declared,
    check_document,
    check_id,
    check_path,
    check_version,
)
from sangkien.store.errors import Duplicate, Invalid, SchemaDrift, StoreError, StoreUnavailable
from sangkien.store.mongo.failures import translated
from sangkien.store.mongo.queries import (
    Filter,
    IndexSpec,
    beyond_filter,
    index_specs,
    names_of,
    where_filter,
)
from sangkien.store.mongo.units import write_all, write_one
from sangkien.store.port import Delete, Document, Index, Insert, Op, Page, Replace, Schema, Sort, Where
from sangkien.store.query import check_limit, cut_page, decode_cursor, parse_sort, parse_where
from sangkien.store.tracing import unit_span

IDS_AT_ONCE: Final = 100
BUILD_SECONDS: Final = 600.0
_TIMEOUTS: Final = {"timeoutMS": 10_000, "connectTimeoutMS": 5_000}
_EXISTS: Final = 48  # NamespaceExists
_DRIFT: Final = (85, 86)  # IndexOptionsConflict, IndexKeySpecsConflict


class _PlainInt(TypeDecoder):
    """MongoDB's 64-bit integers as int: the driver's own type is not one that JSON or the port accept."""

    bson_type = Int64

    def transform_bson(self, value: Any) -> int:
        return int(value)


class MongoStore:
    """One database of a replica set, shared by any number of processes. Keeps ``sangkien.store.Store``'s promises.

    Durability is not up to the URL: writes are acknowledged by a majority and journalled, reads see nothing that an
    election could take back. Every call ends within ten seconds, or within the ``timeoutMS`` that the URL names.
    """

    exclusive = False

    def __init__(self, url: str, database: str) -> None:
        given = {name.lower() for name in parse_qs(urlsplit(url).query)}
        timeouts: dict[str, Any] = {name: value for name, value in _TIMEOUTS.items() if name.lower() not in given}
        try:
            self._client: AsyncMongoClient[Document] = AsyncMongoClient(
                url, w="majority", journal=True, readConcernLevel="majority", appname=database, **timeouts
            )
        except (PyMongoError, ValueError):  # their texts may quote the password
            raise Invalid("the MongoDB URL is not valid: check its escapes and options") from None
        codec: CodecOptions[Document] = CodecOptions(type_registry=TypeRegistry([_PlainInt()]))
        self._database = database
        self._db = self._client.get_database(database, codec_options=codec)
        self._collections: set[str] = set()
        self._closed = False
        self._units_open = 0
        self._no_units_open = asyncio.Event()
        self._no_units_open.set()

    @property
    def database(self) -> AsyncDatabase[Document]:
        """The driver's database, on this store's connections, for what lies beside the documents."""
        return self._db

    async def ensure(self, schema: Schema) -> None:
        with translated():
            have = set(await self._db.list_collection_names())
            for coll in schema.collections:
                if coll not in have:
                    await self._create(coll)
            for index in schema.indexes:
                await self._index(index)
        self._collections.update(schema.collections)

    async def get(self, coll: str, id: str) -> Document | None:
        with translated():
            return await self._coll(coll).find_one({"_id": id}) if can_be_id(id) else None

    async def get_many(self, coll: str, ids: Sequence[str]) -> dict[str, Document]:
        wanted = list(dict.fromkeys(id for id in ids if can_be_id(id)))
        out: dict[str, Document] = {}
        with translated():
            for start in range(0, len(wanted), IDS_AT_ONCE):
                chunk = wanted[start : start + IDS_AT_ONCE]
                async for doc in self._coll(coll).find({"_id": {"$in": chunk}}):
                    out[doc["_id"]] = doc
        return out

    async def find(self, coll: str, where: Where | None = None, *, sort: Sort = (), limit: int = 100) -> list[Document]:
        return await self._select(coll, where, sort, check_limit(limit), None)

    async def page(
        self, coll: str, where: Where | None = None, *, sort: Sort = (), limit: int = 100, after: str | None = None
    ) -> Page:
        items = await self._select(coll, where, sort, check_limit(limit) + 1, after)
        return cut_page(items, limit, parse_sort(sort))

    async def count(self, coll: str, where: Where | None = None) -> int:
        with translated():
            return await self._coll(coll).count_documents(where_filter(parse_where(where)))

    async def count_by(self, coll: str, field: str, where: Where | None = None) -> dict[Any, int]:
        return await self._group(coll, field, 1, where)

    async def sum_by(self, coll: str, field: str, amount: str, where: Where | None = None) -> dict[Any, int]:
        sums = await self._group(coll, field, f"${check_path(amount)}", where)
        if not all(type(number) is int for number in sums.values()):
            raise StoreError(f"{coll}: {amount} holds numbers that are not integers; their sum would not be exact")
        return sums

    async def apply(self, ops: Sequence[Op]) -> None:
        for op in ops:
            self._check(op)
        if not ops:
            return
        with unit_span("mongodb", self._database, ops), translated(), self._unit():
            await (write_one(self._db, ops[0]) if len(ops) == 1 else write_all(self._db, ops))

    async def ping(self) -> None:
        with translated():
            await self._client.admin.command("ping")

    async def close(self) -> None:
        self._closed = True
        # A transaction cut off here would hold its documents on the server until that gives it up, a minute later.
        await self._no_units_open.wait()
        await self._client.close()

    @contextmanager
    def _unit(self) -> Iterator[None]:
        if self._closed:
            raise StoreUnavailable(f"the store {self._database} is closed")
        self._units_open += 1
        self._no_units_open.clear()
        try:
            yield
        finally:
            self._units_open -= 1
            if not self._units_open:
                self._no_units_open.set()

    def _coll(self, name: str) -> AsyncCollection[Document]:
        check_declared(name, self._collections)
        return self._db[name]

    def _check(self, op: Op) -> None:
        check_declared(op.coll, self._collections)
        if isinstance(op, Insert):
            check_document(op.coll, op.doc)
        elif isinstance(op, Replace):
            check_version(op.coll, check_document(op.coll, op.doc), op.expect)
        elif isinstance(op, Delete):
            check_id(op.coll, op.id)
        else:
            raise Invalid(f"{type(op).__name__} is not Insert, Replace or Delete")

    async def _select(
        self, coll: str, where: Where | None, sort: Sort, limit: int, after: str | None
    ) -> list[Document]:
        order = parse_sort(sort)
        wanted: Filter = where_filter(parse_where(where))
        if after is not None:
            wanted = {"$and": [wanted, beyond_filter(order, decode_cursor(order, after))]}
        with translated():
            return await self._coll(coll).find(wanted).sort(list(order.fields)).limit(limit).to_list()

    async def _group(self, coll: str, field: str, total: Any, where: Where | None) -> dict[Any, int]:
        stages = [
            {"$match": where_filter(parse_where(where))},
            {"$group": {"_id": f"${check_path(field)}", "n": {"$sum": total}}},
        ]
        with translated():
            return {row["_id"]: row["n"] async for row in await self._coll(coll).aggregate(stages)}

    async def _create(self, coll: str) -> None:
        try:
            await self._db.create_collection(coll)
        except CollectionInvalid:
            return
        except OperationFailure as error:
            if error.code != _EXISTS:  # another replica of the service was faster
                raise

    async def _index(self, index: Index) -> None:
        specs = {spec.name: spec for spec in index_specs(index)}
        names = names_of(index)
        listed = await self._db[index.coll].list_indexes()
        stored = {spec.name: spec for spec in [IndexSpec.stored(raw) async for raw in listed] if spec.name in names}
        # The binding index is built first, so one without the other is either half built or was never meant to bind.
        unbound = index.unique and bool(stored) and not any(spec.unique for spec in stored.values())
        if unbound or any(specs.get(name) != spec for name, spec in stored.items()):
            raise SchemaDrift(f"index {index.coll}:{','.join(index.fields)} is stored with another definition")
        for spec in specs.values():
            if spec.name not in stored:
                await self._build(index, spec)

    async def _build(self, index: Index, spec: IndexSpec) -> None:
        options: dict[str, Any] = {"name": spec.name, "unique": spec.unique}
        if spec.partial is not None:
            options["partialFilterExpression"] = spec.partial
        try:
            with pymongo.timeout(BUILD_SECONDS):  # over a full collection, longer than a call may otherwise take
                await self._db[index.coll].create_index([(field, 1) for field in spec.fields], **options)
        except DuplicateKeyError:
            raise Duplicate(index.coll, None, index.fields) from None
        except OperationFailure as error:
            if error.code in _DRIFT:
                raise SchemaDrift(f"index {index.coll}:{spec.name} clashes with a stored one") from None
            raise
