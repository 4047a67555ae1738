"""Which files a node misses, as dossiers come and are mended."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from sangkien.contracts.crossing import AttachedFile
from sangkien.exchange.adapters.intake_files import IntakeFiles
from sangkien.exchange.adapters.stored import StoredLedger, StoredOutgoings
from sangkien.exchange.adapters.stored_files import FILES_SCHEMA, StoredFiles
from sangkien.exchange.application.post_messages import PostMessages
from sangkien.exchange.entrypoints.fetching import FetchFiles
from sangkien.runtime import new_id
from sangkien.store import Store, open_store

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class World:
    new_id = staticmethod(new_id)

    def now(self) -> datetime:
        return NOW

    def today(self) -> date:
        return NOW.date()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite://{tmp_path}", database="exchange")
    await opened.ensure(FILES_SCHEMA)
    yield opened
    await opened.close()


def nowhere() -> grpc.aio.Channel:
    raise AssertionError("noting asks nobody")


async def test_file_is_missed_as_long_as_some_dossier_names_it(store: Store) -> None:
    files, outgoings = StoredFiles(store), StoredOutgoings(store)
    post = PostMessages(outgoings, StoredLedger(store), World())
    fetching = FetchFiles(files, IntakeFiles(nowhere), outgoings, World(), post, store.apply, patience=timedelta(1))

    async def named(dossier: str, letters: str) -> str:
        """The files that are missed once the dossier names these."""
        attached = [AttachedFile(sha256=letter * 64, size=10, name="a.pdf") for letter in letters]
        await store.apply(await fetching.note("phuctan", dossier, attached))
        return "".join(sorted(one.sha256[0] for one in await files.missing()))

    said = [("D1", "ab"), ("D1", "ab"), ("D2", "b"), ("D1", "c"), ("D2", ""), ("D1", "ac"), ("D3", "f"), ("D3", "")]
    missed = [await named(*one) for one in said]

    assert missed == ["ab", "ab", "ab", "bc", "c", "ac", "acf", "ac"]
    assert (await files.counts())["phuctan"].missing == 2
