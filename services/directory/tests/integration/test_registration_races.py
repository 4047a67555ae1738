"""Two replicas of directory on one store, as on MongoDB, register the same at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from sangkien.directory.adapters import organisation_store
from sangkien.directory.adapters.organisation_store import NAMESAKES, ORGANISATIONS, StoredOrganisations
from sangkien.directory.application.batches import Registered
from sangkien.directory.application.register_organisations import NewOrganisation, RegisterOrganisations
from sangkien.directory.application.resolve_units import ResolveUnits
from sangkien.runtime import new_id
from sangkien.store import Op, Store, open_store

WARDS = [NewOrganisation("PHUONG_XA", name, "", "", "", "", ()) for name in ("Phường Điện Biên", "Phường Trúc Bạch")]


@pytest.fixture(params=["sqlite", "mongo"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite://{tmp_path}" if request.param == "sqlite" else request.getfixturevalue("mongo_uri")
    chosen = await open_store(url, database=f"directory_{new_id()}")
    await chosen.ensure(organisation_store.SCHEMA)
    yield chosen
    await chosen.close()


def no_events(events: Iterable[object]) -> list[Op]:
    return []


def replica(store: Store, changed: Callable[[Any], None] = lambda _: None) -> RegisterOrganisations:
    return RegisterOrganisations(
        StoredOrganisations(store), store.apply, no_events, lambda: f"local:{new_id()}", changed
    )


async def test_replicas_register_an_organisation_once(store: Store) -> None:
    answers = await asyncio.gather(*(replica(store)(WARDS) for _ in range(6)))
    registered = [[each for each in answer if isinstance(each, Registered)] for answer in answers]
    ids = [[each.id for each in answer] for answer in registered]
    assert ids == [ids[0]] * 6
    assert sum(not each.already for answer in registered for each in answer) == 2
    assert (await store.count(ORGANISATIONS), await store.count(NAMESAKES)) == (2, 2)


async def test_replica_finds_what_another_registered_a_moment_ago(store: Store) -> None:
    units = ResolveUnits(StoredOrganisations(store), shared=True, monotonic=lambda: 0.0)
    await units.load()
    await replica(store)(WARDS)
    matches = await units(["p. dien bien"], None)
    assert [each.name for each in matches] == ["Phường Điện Biên"]
