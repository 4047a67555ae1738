"""What only the MongoDB store promises: several owners, and errors instead of waiting for a server that is gone."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient

from sangkien.store import Conflict, Index, Insert, Replace, Schema, Store, StoreUnavailable, open_store

SCHEMA = Schema(("dossiers", "outbox"), (Index("dossiers", ("number",), unique=True), Index("outbox", ("at",))))


@pytest_asyncio.fixture
async def replicas(mongo_uri: str) -> AsyncIterator[tuple[Store, Store]]:
    database = f"replicas_{uuid.uuid4().hex}"
    first = await open_store(mongo_uri, database=database)
    second = await open_store(mongo_uri, database=database)
    yield first, second
    await first.close()
    await second.close()
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(mongo_uri, timeoutMS=60_000)
    async with client:
        await client.drop_database(database)


async def test_replicas_may_start_together_and_share_what_they_write(replicas: tuple[Store, Store]) -> None:
    first, second = replicas
    await asyncio.gather(*(store.ensure(SCHEMA) for store in replicas))
    assert [store.exclusive for store in replicas] == [False, False]
    await first.apply([Insert("dossiers", {"_id": "d1", "number": 1}), Insert("outbox", {"_id": "o1"})])
    read = await second.get("dossiers", "d1")
    assert read == {"_id": "d1", "number": 1, "ver": 1}
    await second.apply([Replace("dossiers", {"_id": "d1", "by": "second"}, 1), Insert("outbox", {"_id": "o2"})])
    with pytest.raises(Conflict):
        await first.apply([Replace("dossiers", {"_id": "d1", "by": "first"}, 1), Insert("outbox", {"_id": "o3"})])
    assert [doc["_id"] for doc in await first.find("outbox")] == ["o1", "o2"]


async def test_a_server_that_does_not_answer_is_unavailable() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        store = await open_store(f"mongodb://127.0.0.1:{port}/?timeoutMS=100", database="d")
        with pytest.raises(StoreUnavailable, match="MongoDB cannot be reached"):
            await store.ensure(SCHEMA)
        with pytest.raises(StoreUnavailable, match="MongoDB cannot be reached"):
            await store.ping()
        await store.close()
