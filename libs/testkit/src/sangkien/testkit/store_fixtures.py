"""Fixtures for tests that need a real store server."""

from collections.abc import Iterator

import pytest

from sangkien.testkit.mongo_server import mongo_server


@pytest.fixture(scope="session")
def mongo_uri() -> Iterator[str]:
    """URI of a MongoDB replica set for the whole session; fails, never skips, when there is none.

    A server named by MONGO_TEST_URI is shared: use database names of your own and drop them.
    """
    with mongo_server() as uri:
        yield uri
