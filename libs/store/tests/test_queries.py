"""The contract of reading: both stores find, order, page and add up alike."""

from enum import StrEnum
from typing import Any

import pytest
import pytest_asyncio

from sangkien.store import Insert, Invalid, Sort, Store, StoreError, Where


class State(StrEnum):
    FILED = "filed"


DOSSIERS: list[dict[str, Any]] = [
    {"_id": "a", "state": "filed", "filed_at": 30, "unit": {"id": "u1"}, "title": "Ánh sáng", "vnd": 1_080_000},
    {"_id": "b", "state": "filed", "filed_at": 10, "unit": {"id": "u2"}, "title": "an toàn", "vnd": 540_000},
    {"_id": "c", "state": "scored", "filed_at": 20, "unit": {"id": "u1"}, "title": "Đổi mới", "vnd": 3_000_000_000},
    {"_id": "d", "state": "scored", "filed_at": 20, "unit": None, "title": "z", "vnd": None},
    {"_id": "e", "filed_at": 20, "title": "B"},
    {"_id": "f", "state": None, "filed_at": None, "unit": {"id": "u1"}, "vnd": 540_000},
]


@pytest_asyncio.fixture
async def filled(store: Store) -> Store:
    await store.apply([Insert("dossiers", doc) for doc in DOSSIERS])
    return store


async def ids(store: Store, where: Where | None, sort: Sort = (), limit: int = 100) -> str:
    return "".join(doc["_id"] for doc in await store.find("dossiers", where, sort=sort, limit=limit))


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (None, "abcdef"),
        ({}, "abcdef"),
        ({"_id": "c"}, "c"),
        ({"ver": 1, "_id": {"gt": "d"}}, "ef"),
        ({"state": "filed"}, "ab"),
        ({"state": State.FILED}, "ab"),
        ({"state": "FILED"}, ""),
        ({"state": None}, "ef"),
        ({"unit.id": "u1"}, "acf"),
        ({"unit.id": None}, "de"),
        ({"state": "scored", "unit.id": "u1"}, "c"),
        ({"state": {"in": ["filed", "none", "filed"]}}, "ab"),
        ({"state": {"in": ["scored", None]}}, "cdef"),
        ({"state": {"in": []}}, ""),
        ({"filed_at": {"gt": 10, "lte": 20}}, "cde"),
        ({"filed_at": {"gte": 20}}, "acde"),
        ({"filed_at": {"lt": 20.5}}, "bcde"),
        ({"filed_at": {"gte": "1"}}, ""),
        ({"title": {"gt": 0}}, ""),
        ({"title": {"lt": "a"}}, "e"),
        ({"title": {"gte": "Á"}}, "ac"),
        ({"title": "Đổi mới"}, "c"),
    ],
)
async def test_find_returns_exactly_what_matches(filled: Store, where: Where | None, found: str) -> None:
    assert await ids(filled, where) == found
    assert await filled.count("dossiers", where) == len(found)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ((), "abcdef"),
        ([("_id", -1)], "fedcba"),
        ([("filed_at", 1)], "fbcdea"),
        ([("filed_at", -1)], "aedcbf"),
        ([("state", 1), ("filed_at", -1)], "efabdc"),
        ([("title", 1)], "febdac"),
        ([("unit.id", -1), ("filed_at", 1)], "bfcade"),
        ([("filed_at", -1), ("_id", 1)], "acdebf"),
    ],
)
async def test_find_and_page_agree_on_the_order(filled: Store, sort: Sort, order: str) -> None:
    assert await ids(filled, None, sort) == order
    assert await ids(filled, None, sort, limit=2) == order[:2]
    for size in (1, 2, 6, 7):
        assert await paged(filled, None, sort, size) == order


async def paged(store: Store, where: Where | None, sort: Sort, size: int) -> str:
    found, after = "", None
    while True:
        page = await store.page("dossiers", where, sort=sort, limit=size, after=after)
        found += "".join(doc["_id"] for doc in page.items)
        if page.next is None:
            return found
        after = page.next


async def test_paging_keeps_to_the_condition(filled: Store) -> None:
    assert await paged(filled, {"unit.id": "u1"}, [("filed_at", 1)], 1) == "fca"


async def test_paging_neither_repeats_nor_hides_when_documents_arrive_and_go(filled: Store) -> None:
    first = await filled.page("dossiers", sort=[("filed_at", 1)], limit=3)
    assert [doc["_id"] for doc in first.items] == ["f", "b", "c"]
    await filled.apply(
        [Insert("dossiers", {"_id": "0", "filed_at": 1}), Insert("dossiers", {"_id": "g", "filed_at": 25})]
    )
    second = await filled.page("dossiers", sort=[("filed_at", 1)], limit=3, after=first.next)
    assert [doc["_id"] for doc in second.items] == ["d", "e", "g"]
    third = await filled.page("dossiers", sort=[("filed_at", 1)], limit=3, after=second.next)
    assert ([doc["_id"] for doc in third.items], third.next) == (["a"], None)


async def test_a_full_last_page_has_no_next(filled: Store) -> None:
    page = await filled.page("dossiers", limit=6)
    assert (len(page.items), page.next) == (6, None)


async def test_an_empty_page_has_no_next(filled: Store) -> None:
    page = await filled.page("dossiers", {"state": "gone"})
    assert (page.items, page.next) == ([], None)


async def test_id_that_no_document_can_have_finds_nothing(store: Store) -> None:
    await store.apply([Insert("dossiers", {"_id": "an id"})])

    assert [await store.get("dossiers", id) for id in ("", "an id\0")] == [None, None]
    assert list(await store.get_many("dossiers", ["", "an id\0", "an id"])) == ["an id"]


@pytest.mark.parametrize("after", ["", "rubbish", "é", "WzFd"])
async def test_a_cursor_that_is_none_is_refused(filled: Store, after: str) -> None:
    with pytest.raises(Invalid, match="not a cursor"):
        await filled.page("dossiers", after=after)


async def test_a_cursor_of_another_order_is_refused(filled: Store) -> None:
    page = await filled.page("dossiers", sort=[("filed_at", 1)], limit=1)
    with pytest.raises(Invalid, match="another order"):
        await filled.page("dossiers", sort=[("filed_at", -1)], limit=1, after=page.next)


async def test_counts_group_null_with_missing(filled: Store) -> None:
    assert await filled.count_by("dossiers", "state") == {"filed": 2, "scored": 2, None: 2}
    assert await filled.count_by("dossiers", "unit.id", {"filed_at": {"gt": 10}}) == {"u1": 2, None: 2}
    assert await filled.count_by("dossiers", "state", {"state": "gone"}) == {}


async def test_sums_are_exact_integers(filled: Store) -> None:
    sums = await filled.sum_by("dossiers", "unit.id", "vnd")
    assert sums == {"u1": 3_001_620_000, "u2": 540_000, None: 0}
    assert {type(total) for total in sums.values()} == {int}


async def test_sums_ignore_text_and_refuse_floats(filled: Store) -> None:
    assert await filled.sum_by("dossiers", "state", "title") == {"filed": 0, "scored": 0, None: 0}
    await filled.apply([Insert("dossiers", {"_id": "x", "vnd": 0.5})])
    with pytest.raises(StoreError, match="not integers"):
        await filled.sum_by("dossiers", "state", "vnd")


async def test_get_many_takes_any_number_of_ids(store: Store) -> None:
    await store.apply([Insert("outbox", {"_id": f"{n:04d}", "at": n}) for n in range(1200)])
    wanted = [f"{n:04d}" for n in range(0, 2400, 2)]
    found = await store.get_many("outbox", [*wanted, "0000"])
    assert found == {f"{n:04d}": {"_id": f"{n:04d}", "at": n, "ver": 1} for n in range(0, 1200, 2)}
    assert await store.get_many("outbox", []) == {}
    assert await store.get_many("outbox", ["0002", "nothing", "0002"]) == {"0002": {"_id": "0002", "at": 2, "ver": 1}}


async def test_a_condition_takes_more_than_a_thousand_values(store: Store) -> None:
    await store.apply([Insert("outbox", {"_id": f"{n:04d}", "at": n}) for n in range(1200)])
    found = await store.find("outbox", {"at": {"in": list(range(100, 1300))}}, sort=[("at", -1)], limit=2000)
    assert [doc["at"] for doc in found] == list(range(1199, 99, -1))


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"Title": "x"}, "field path 'Title'"),
        ({"a b": "x"}, "field path 'a b'"),
        ({"$where": "1"}, r"field path '\$where'"),
        ({"x') or 1 --": "1"}, "field path"),
        ({"state": {}}, "condition on 'state' is empty"),
        ({"state": {"$gt": 1}}, "unknown operator"),
        ({"state": {"in": "filed"}}, "'in' takes a list"),
        ({"state": {"gt": None}}, "'gt' takes a number or a str"),
        ({"state": {"lt": True}}, "'lt' takes a number or a str"),
        ({"state": ["filed"]}, "list cannot be compared"),
        ({"vnd": float("nan")}, "NaN"),
        ({"vnd": 2**60}, "beyond"),
    ],
)
async def test_a_query_the_stores_cannot_both_answer_is_refused(filled: Store, where: Where, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        await filled.find("dossiers", where)


@pytest.mark.parametrize("limit", [0, -1, True, "5"])
async def test_a_limit_below_one_is_refused(filled: Store, limit: Any) -> None:
    with pytest.raises(Invalid, match="limit"):
        await filled.find("dossiers", limit=limit)
    with pytest.raises(Invalid, match="limit"):
        await filled.page("dossiers", limit=limit)


@pytest.mark.parametrize("sort", [[("state", 0)], [("state", 1), ("state", -1)], [("State", 1)]])
async def test_an_order_that_makes_no_sense_is_refused(filled: Store, sort: Sort) -> None:
    with pytest.raises(Invalid):
        await filled.find("dossiers", sort=sort)
