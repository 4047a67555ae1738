"""Both adapters behind one fixture: every test that takes ``store`` is part of the contract."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient

from sangkien.store import Index, Schema, Store, open_store

SCHEMA = Schema(
    ("dossiers", "outbox", "registers"),
    (
        Index("dossiers", ("state", "filed_at")),
        Index("dossiers", ("unit.id",)),
        Index("dossiers", ("decision.register", "decision.number"), unique=True),
        Index("outbox", ("at",)),
    ),
)


@pytest_asyncio.fixture(params=["sqlite", "mongo"])
async def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A store nothing has been declared in."""
    database = f"contract_{uuid.uuid4().hex}"
    if request.param == "sqlite":
        store = await open_store(f"sqlite://{tmp_path}", database=database)
        yield store
        await store.close()
        return
    uri = request.getfixturevalue("mongo_uri")
    store = await open_store(uri, database=database)
    yield store
    await store.close()
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(uri, timeoutMS=60_000)
    async with client:
        await client.drop_database(database)


@pytest_asyncio.fixture
async def store(empty_store: Store) -> Store:
    """A store with SCHEMA in place."""
    await empty_store.ensure(SCHEMA)
    return empty_store
