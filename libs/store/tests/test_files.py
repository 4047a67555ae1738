"""The contract of file stores, on a folder and on MongoDB."""

import asyncio
import hashlib
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from sangkien.kernel import Refusal
from sangkien.store import Store, open_store
from sangkien.store.files import (
    MOST_PART,
    MOST_READ,
    FileGone,
    FileHashDiffers,
    FileNameMalformed,
    FilePartMalformed,
    FileSizeDiffers,
    FileStore,
    Progress,
    StorageFull,
    Swept,
    open_files,
)
from sangkien.store.mongo import MongoStore

CONTENT = random.Random(7).randbytes(3 * MOST_PART + 1_000)
NAME = hashlib.sha256(CONTENT).hexdigest()
SIZE = len(CONTENT)
PARTS = range(0, SIZE, MOST_PART)

UPLOADER = """
import asyncio, sys
from sangkien.store import open_store
from sangkien.store.files import open_files
url, database, path, name = sys.argv[1:]
async def main():
    content = open(path, "rb").read()
    files = open_files(await open_store(url, database=database))
    for offset in range(0, len(content) - 600_000, 300_000):
        answer = await files.put_part(name, len(content), offset, content[offset : offset + 300_000])
        print(answer.received, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest_asyncio.fixture
async def files(empty_store: Store) -> AsyncIterator[FileStore]:
    yield open_files(empty_store)


async def put(files: FileStore, offset: int, content: bytes = CONTENT, name: str = NAME) -> Progress:
    return await files.put_part(name, len(content), offset, content[offset : offset + MOST_PART])


async def put_all(files: FileStore, content: bytes) -> str:
    name = hashlib.sha256(content).hexdigest()
    said = [await put(files, offset, content, name) for offset in range(0, len(content), MOST_PART)]
    assert said[-1] == Progress(len(content), complete=True)
    return name


async def held(files: FileStore, name: str = NAME, offset: int = 0, length: int = 0) -> bytes:
    pieces = [piece async for piece in files.read(name, offset=offset, length=length)]
    assert all(0 < len(piece) <= MOST_READ for piece in pieces)
    return b"".join(pieces)


async def refused(call: object) -> type[Refusal]:
    with pytest.raises(Refusal) as caught:
        await call  # type: ignore[misc]
    return type(caught.value)


def naming(*names: str) -> Callable[[Sequence[str]], Awaitable[Collection[str]]]:
    async def named(asked: Sequence[str]) -> Collection[str]:
        return [name for name in asked if name in names]

    return named


async def test_parts_in_order_make_a_file_that_is_read_from_any_place(files: FileStore) -> None:
    assert await files.progress(NAME) == Progress(0, complete=False)
    said = [await put(files, offset) for offset in PARTS]

    assert said == [Progress(min(at + MOST_PART, SIZE), complete=at == PARTS[-1]) for at in PARTS]
    assert await files.progress(NAME) == Progress(SIZE, complete=True)
    assert await files.sizes([NAME, "0" * 64]) == {NAME: SIZE}
    assert await held(files) == CONTENT
    for offset, length in ((MOST_PART - 1, 2), (MOST_PART, MOST_PART + 1), (SIZE - 5, 0), (SIZE - 5, 100), (SIZE, 0)):
        assert await held(files, offset=offset, length=length) == CONTENT[offset:][: length or None]
    assert await put(files, 0) == Progress(SIZE, complete=True)


async def test_part_that_is_here_or_leaves_a_gap_changes_nothing(files: FileStore) -> None:
    await put(files, 0)

    assert await put(files, 2 * MOST_PART) == Progress(MOST_PART, complete=False)
    assert await put(files, 0) == Progress(MOST_PART, complete=False)
    overlapping = await files.put_part(NAME, SIZE, 1_000, CONTENT[1_000 : 1_000 + MOST_PART])
    assert overlapping == Progress(MOST_PART + 1_000, complete=False)
    for offset in range(MOST_PART + 1_000, SIZE, MOST_PART):
        await put(files, offset)
    assert await held(files) == CONTENT


async def test_nothing_is_whole_before_its_hash_was_found_right(files: FileStore) -> None:
    wrong = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    for offset in PARTS[:-1]:
        await put(files, offset, wrong)

    assert await refused(held(files)) is FileGone
    assert await refused(put(files, PARTS[-1], wrong)) is FileHashDiffers
    assert await files.progress(NAME) == Progress(0, complete=False)
    assert await files.sizes([NAME]) == {}
    for offset in PARTS:
        await put(files, offset)
    assert await held(files) == CONTENT


async def test_what_cannot_be_a_part_is_refused_and_another_size_spoils_no_upload(files: FileStore) -> None:
    await put(files, 0)
    for call, why in (
        (files.put_part("../" + NAME[3:], SIZE, 0, b"x"), FileNameMalformed),
        (files.put_part(NAME.upper(), SIZE, 0, b"x"), FileNameMalformed),
        (files.put_part(NAME, SIZE, 0, bytes(MOST_PART + 1)), FilePartMalformed),
        (files.put_part(NAME, 0, 0, b""), FilePartMalformed),
        (files.put_part(NAME, SIZE, SIZE - 1, b"xy"), FilePartMalformed),
        (files.put_part(NAME, 3, 0, b"abc"), FileHashDiffers),
        (files.progress("../../etc/passwd"), FileNameMalformed),
    ):
        assert await refused(call) is why
    for offset in PARTS[1:]:
        await put(files, offset)
    assert await held(files) == CONTENT
    assert await refused(files.put_part(NAME, SIZE + 1, 0, b"x")) is FileSizeDiffers


async def test_clients_that_send_one_file_at_once_make_one_whole_file(files: FileStore) -> None:
    async def client(step: int) -> Progress:
        at = Progress(0, complete=False)
        while not at.complete:
            at = await files.put_part(NAME, SIZE, at.received, CONTENT[at.received : at.received + step])
        return at

    ends = await asyncio.gather(*(client(step) for step in (MOST_PART, 100_000, 333_333)))

    assert ends == [Progress(SIZE, complete=True)] * 3
    assert await held(files) == CONTENT


async def test_sweeping_takes_what_is_old_and_unnamed_alone(files: FileStore) -> None:
    named, unnamed, renewed = [await put_all(files, bytes([n]) * 300_000) for n in range(3)]
    await put(files, 0)
    moment = datetime.now(UTC)
    kept = await files.sweep(
        partial_before=moment - timedelta(days=7), whole_before=moment - timedelta(days=30), named=naming()
    )
    before_now = datetime.now(UTC)
    assert await files.sizes([renewed], renew=True) == {renewed: 300_000}
    swept = await files.sweep(
        partial_before=before_now + timedelta(hours=1), whole_before=before_now, named=naming(named)
    )

    assert (kept, swept) == (Swept(0, 0), Swept(1, 1))
    assert sorted(await files.sizes([named, unnamed, renewed])) == sorted([named, renewed])
    assert await files.progress(NAME) == Progress(0, complete=False)
    assert await held(files, named) == bytes(300_000)


@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
async def test_upload_goes_on_after_its_process_was_killed(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite://{tmp_path}" if kind == "sqlite" else request.getfixturevalue("mongo_uri")
    where = (url, f"killed_{random.Random(str(tmp_path)).randbytes(8).hex()}")
    (tmp_path / "content").write_bytes(CONTENT)
    with subprocess.Popen(  # noqa: ASYNC220 (killed and waited for within this function)
        [sys.executable, "-c", UPLOADER, *where, str(tmp_path / "content"), NAME], stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(3)]
        child.kill()
        assert child.wait() == -9

    store = await open_store(where[0], database=where[1])
    try:
        files = open_files(store)
        at = await files.progress(NAME)
        assert told == [300_000, 600_000, 900_000]
        assert (900_000 <= at.received < SIZE, at.complete) == (True, False)
        while not at.complete:
            at = await files.put_part(NAME, SIZE, at.received, CONTENT[at.received : at.received + MOST_PART])
        assert await held(files) == CONTENT
    finally:
        if isinstance(store, MongoStore):
            await store.database.client.drop_database(where[1])
        await store.close()


async def test_upload_killed_before_its_last_answer_is_finished_when_asked_for(tmp_path: Path) -> None:
    store = await open_store(f"sqlite://{tmp_path}", database="late")
    files = open_files(store)
    (tmp_path / "late.files" / "partial").mkdir(parents=True)
    (tmp_path / "late.files" / "partial" / f"{NAME}-{SIZE}").write_bytes(CONTENT)

    assert await files.progress(NAME) == Progress(SIZE, complete=True)
    assert await held(files) == CONTENT
    assert [path.name for path in (tmp_path / "late.files" / "partial").iterdir()] == []
    await store.close()


async def test_full_disk_refuses_the_part_and_keeps_what_it_had(tmp_path: Path) -> None:
    store = await open_store(f"sqlite://{tmp_path}", database="full")
    await put(open_files(store), 0)
    full = open_files(store, reserve=2**62)

    assert await refused(put(full, MOST_PART)) is StorageFull
    assert await full.progress(NAME) == Progress(MOST_PART, complete=False)
    assert await put(open_files(store), MOST_PART) == Progress(2 * MOST_PART, complete=False)
    await store.close()
