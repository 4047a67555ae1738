"""The relay gets every row once: from memory while that is known to be all, and from the outbox whenever it is not."""

from typing import Any

from sangkien.messaging.backlog import BATCH, Backlog
from sangkien.store import Delete


async def test_reported_rows_are_handed_out_in_order_without_the_store(new_store: Any, withdrawn: Any) -> None:
    backlog, rows = Backlog(await new_store("intake")), withdrawn(3)  # not stored: only memory can have them
    assert await backlog.next() == []

    backlog.add([rows[0], Delete("inbox", "x")])
    backlog.add(rows[1:])

    assert [row.id for row in await backlog.next()] == [row.doc["_id"] for row in rows]
    backlog.settled()
    assert await backlog.next() == []


async def test_rows_that_did_not_leave_are_read_again_with_those_committed_since(
    new_store: Any, withdrawn: Any
) -> None:
    store, rows = await new_store("intake"), withdrawn(3)
    backlog = Backlog(store)
    assert await backlog.next() == []
    for number in (0, 1):
        await store.apply([rows[number]])
        backlog.add([rows[number]])
    handed = await backlog.next()
    await store.apply([rows[2]])
    backlog.add([rows[2]])

    again = await backlog.next()

    assert [row.id for row in handed] == [rows[0].doc["_id"], rows[1].doc["_id"]]
    assert [row.id for row in again] == [row.doc["_id"] for row in rows]


async def test_row_read_before_its_commit_was_reported_is_handed_out_once(new_store: Any, withdrawn: Any) -> None:
    store, rows = await new_store("intake"), withdrawn(1)
    backlog = Backlog(store)
    await store.apply(rows)
    assert [row.id for row in await backlog.next()] == [rows[0].doc["_id"]]

    backlog.add(rows)
    await store.apply([Delete("outbox", rows[0].doc["_id"])])
    backlog.settled()

    assert await backlog.next() == []


async def test_doubt_brings_rows_that_nobody_reported(new_store: Any, withdrawn: Any) -> None:
    store, rows = await new_store("intake"), withdrawn(2)
    backlog = Backlog(store)
    assert await backlog.next() == []
    await store.apply(rows)
    backlog.add(rows[1:])

    backlog.doubt()

    assert [row.id for row in await backlog.next()] == [row.doc["_id"] for row in rows]


async def test_more_than_a_batch_is_left_to_the_store(new_store: Any, withdrawn: Any) -> None:
    store, rows = await new_store("intake"), withdrawn(BATCH + 1)
    backlog = Backlog(store)
    await store.apply(rows)
    first = await backlog.next()
    backlog.add(rows[-1:])
    await store.apply([Delete("outbox", row.id) for row in first])
    backlog.settled()

    second = await backlog.next()

    assert [row.id for row in [*first, *second]] == [row.doc["_id"] for row in rows]
