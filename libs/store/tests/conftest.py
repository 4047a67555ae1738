"""Both adapters behind one fixture: every test that takes ``store`` is part of the contract.

SQLite twice: written by the event loop, as on a quick disk, and by the thread, as on a slow one.
"""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient

from sangkien.store import Index, Schema, Store, open_store
from sangkien.store.sqlite import writer

SCHEMA = Schema(
    ("dossiers", "outbox", "registers"),
    (
        Index("dossiers", ("state", "filed_at")),
        Index("dossiers", ("unit.id",)),
        Index("dossiers", ("decision.register", "decision.number"), unique=True),
        Index("outbox", ("at",)),
    ),
)


@pytest_asyncio.fixture(params=["sqlite", "sqlite on a slow disk", "mongo"])
async def empty_store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Store]:
    """A store nothing has been declared in."""
    database = f"contract_{uuid.uuid4().hex}"
    if request.param != "mongo":
        if request.param != "sqlite":
            monkeypatch.setattr(writer, "MOST_ON_THE_LOOP", -1)
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
