"""The pytest plugin `sangkien`: fixtures with real servers and stores, available to every test without an import."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings

from sangkien.store import Store, open_store
from sangkien.testkit.nats_server import NatsServer
from sangkien.testkit.store_fixtures import mongo_uri

# A server is started by fork while gRPC's threads run; gRPC's own fork handlers then at times end the child before it
# becomes the server. gRPC reads this when it is first used.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

settings.register_profile("untimed", deadline=None)  # no test asserts how long anything took
settings.load_profile("untimed")

__all__ = ["mongo_store", "mongo_uri", "nats_server", "own_nats_server", "sqlite_store"]


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One server for the whole session; use names of your own on it, and leave it running."""
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def own_nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A fresh server of one test, which may kill, wipe or set it back."""
    with NatsServer(tmp_path / "nats") as server:
        yield server


@pytest.fixture
async def sqlite_store(tmp_path: Path) -> AsyncIterator[Store]:
    """A fresh SQLite store of one test."""
    store = await open_store(f"sqlite://{tmp_path / 'store'}", database="test")
    yield store
    await store.close()


@pytest.fixture
async def mongo_store(mongo_uri: str) -> AsyncIterator[Store]:
    """A database of its own on the MongoDB server of the session; dropped with that server."""
    store = await open_store(mongo_uri, database=f"test_{uuid4().hex[:16]}")
    yield store
    await store.close()
