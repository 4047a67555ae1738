"""The contract of opening, declaring and closing."""

import asyncio
from collections.abc import Callable

import pytest

from sangkien.store import (
    Duplicate,
    Index,
    Insert,
    Invalid,
    Schema,
    SchemaDrift,
    Store,
    StoreUnavailable,
    open_store,
)

PLAIN = Index("dossiers", ("state",))
UNIQUE = Index("dossiers", ("state",), unique=True)


async def test_ensure_again_keeps_what_is_stored(empty_store: Store) -> None:
    schema = Schema(("dossiers",), (PLAIN, Index("dossiers", ("unit.id", "number"), unique=True)))
    await empty_store.ensure(schema)
    await empty_store.apply([Insert("dossiers", {"_id": "d1", "state": "filed"})])
    await empty_store.ensure(schema)
    assert await empty_store.find("dossiers", {"state": "filed"}) == [{"_id": "d1", "state": "filed", "ver": 1}]


async def test_ensure_adds_to_what_is_there(empty_store: Store) -> None:
    await empty_store.ensure(Schema(("dossiers",), (PLAIN,)))
    await empty_store.ensure(Schema(("outbox",), (Index("outbox", ("at",), unique=True),)))
    await empty_store.apply([Insert("dossiers", {"_id": "d1"}), Insert("outbox", {"_id": "o1", "at": 1})])
    with pytest.raises(Duplicate):
        await empty_store.apply([Insert("outbox", {"_id": "o2", "at": 1})])


@pytest.mark.parametrize(("stored", "declared"), [(PLAIN, UNIQUE), (UNIQUE, PLAIN)])
async def test_an_index_declared_otherwise_than_stored_is_drift(
    empty_store: Store, stored: Index, declared: Index
) -> None:
    await empty_store.ensure(Schema(("dossiers",), (stored,)))
    with pytest.raises(SchemaDrift, match="dossiers:state"):
        await empty_store.ensure(Schema(("dossiers",), (declared,)))
    await empty_store.ensure(Schema(("dossiers",), (stored,)))


async def test_a_unique_index_is_refused_over_stored_doubles(empty_store: Store) -> None:
    await empty_store.ensure(Schema(("dossiers",)))
    await empty_store.apply([Insert("dossiers", {"_id": id, "state": "filed"}) for id in ("d1", "d2")])
    with pytest.raises(Duplicate) as caught:
        await empty_store.ensure(Schema(("dossiers",), (UNIQUE,)))
    assert (caught.value.coll, caught.value.id, caught.value.fields) == ("dossiers", None, ("state",))


async def test_a_cancelled_unit_leaves_the_store_working(store: Store) -> None:
    task = asyncio.ensure_future(store.apply([Insert("dossiers", {"_id": "d1"})]))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await store.apply([Insert("dossiers", {"_id": "d2"})])
    assert await store.get("dossiers", "d2") == {"_id": "d2", "ver": 1}


async def test_a_read_cancelled_at_any_moment_is_cancelled(store: Store) -> None:
    lost = []
    for moment in range(200):
        await store.get("dossiers", "d1")  # a connection is open: the driver leaves one behind that it was still making
        task = asyncio.ensure_future(store.get("dossiers", "d1"))
        for _ in range(moment):
            await asyncio.sleep(0)
        asked = task.cancel()
        await asyncio.wait([task])
        if asked and not task.cancelled():
            lost.append(moment)
    assert lost == []


async def test_closing_finishes_the_units_that_were_submitted(store: Store) -> None:
    tasks = [
        asyncio.ensure_future(store.apply([Insert("dossiers", {"_id": f"d{n}"}), Insert("outbox", {"_id": f"o{n}"})]))
        for n in range(20)
    ]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*tasks) == [None] * 20


async def test_a_closed_store_says_so_and_closes_twice(store: Store) -> None:
    await store.ping()
    await store.close()
    await store.close()
    calls: list[Callable[[], object]] = [
        store.ping,
        lambda: store.get("dossiers", "d1"),
        lambda: store.find("dossiers"),
        lambda: store.apply([Insert("dossiers", {"_id": "d1"})]),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable):
            await call()  # type: ignore[misc]


def test_schemas_join_without_doubles() -> None:
    joined = Schema(("a", "b"), (Index("a", ("x",)),)) + Schema(("b", "c"), (Index("c", ("y",)),))
    assert joined == Schema(("a", "b", "c"), (Index("a", ("x",)), Index("c", ("y",))))
    assert joined + joined == joined


@pytest.mark.parametrize("name", ["", "Dossiers", "a-b", "a.b", "$a", '"; drop table x', "a" * 64])
def test_a_collection_name_the_stores_cannot_share_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="collection name"):
        Schema((name,))


def test_an_index_must_belong_to_the_schema_and_name_fields() -> None:
    with pytest.raises(ValueError, match="not among"):
        Schema(("a",), (Index("b", ("x",)),))
    with pytest.raises(ValueError, match="at least one field"):
        Index("a", ())
    with pytest.raises(Invalid, match="field path"):
        Index("a", ("x y",))


@pytest.mark.parametrize("url", ["sqlite://relative/dir", "sqlite:", "postgres://h/db", "", "/var/lib/data"])
async def test_a_url_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="store URL"):
        await open_store(url, database="d")


async def test_a_broken_mongodb_url_is_refused_without_its_password() -> None:
    with pytest.raises(Invalid) as caught:
        await open_store("mongodb://clerk:s3cr3t@host:port/", database="d")
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("database", ["", "../x", "a/b", "a.b", "x" * 61])
async def test_a_database_name_that_would_lead_elsewhere_is_refused(database: str) -> None:
    with pytest.raises(Invalid, match="database name"):
        await open_store("sqlite:///nowhere", database=database)
