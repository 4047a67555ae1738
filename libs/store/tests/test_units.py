"""The contract of writing: one unit happens whole or not at all, and a version is won once."""

import asyncio
from typing import Any

import pytest

from sangkien.store import Conflict, Delete, Duplicate, Insert, Invalid, Op, Replace, Store


async def test_insert_gives_version_one_and_returns_the_document_unchanged(store: Store) -> None:
    doc = {
        "_id": "d1",
        "title": "Cải tiến quy trình sản xuất – đổi mới",
        "emoji": "🏅",
        "shares": [{"person": "p1", "percent": 60}, {"person": "p2", "percent": 40}],
        "unit": {"id": "u1", "path": []},
        "amount": 2**53,
        "debit": -(2**53),
        "rate": 0.25,
        "open": True,
        "closed_at": None,
        "by key": {"Ấp 1": 1},
    }
    await store.apply([Insert("dossiers", doc)])
    assert await store.get("dossiers", "d1") == {**doc, "ver": 1}


async def test_replace_raises_the_version_whatever_the_document_says_of_it(store: Store) -> None:
    await store.apply([Insert("dossiers", {"_id": "d1", "ver": 40, "n": 1})])
    read = await store.get("dossiers", "d1")
    assert read == {"_id": "d1", "n": 1, "ver": 1}
    await store.apply([Replace("dossiers", {"_id": "d1", "ver": 99, "m": 2}, expect=1)])
    assert await store.get("dossiers", "d1") == {"_id": "d1", "m": 2, "ver": 2}


async def test_large_integers_come_back_as_plain_ints_that_can_be_written_again(store: Store) -> None:
    await store.apply([Insert("dossiers", {"_id": "d1", "vnd": 75_060_000_000})])
    read = await store.get("dossiers", "d1")
    assert read is not None
    assert type(read["vnd"]) is int
    await store.apply([Replace("dossiers", read, read["ver"])])
    assert await store.get("dossiers", "d1") == {"_id": "d1", "vnd": 75_060_000_000, "ver": 2}


async def test_delete_removes_and_a_second_delete_does_nothing(store: Store) -> None:
    await store.apply([Insert("dossiers", {"_id": "d1"})])
    await store.apply([Delete("dossiers", "d1")])
    await store.apply([Delete("dossiers", "d1")])
    assert await store.get("dossiers", "d1") is None


async def test_an_empty_unit_does_nothing(store: Store) -> None:
    await store.apply([])
    assert await store.count("dossiers") == 0


async def test_steps_of_a_unit_run_in_order_on_one_document(store: Store) -> None:
    await store.apply([Insert("outbox", {"_id": "o1", "at": 1})])
    await store.apply(
        [
            Delete("outbox", "o1"),
            Insert("outbox", {"_id": "o1", "at": 2}),
            Replace("outbox", {"_id": "o1", "at": 3}, expect=1),
        ]
    )
    assert await store.get("outbox", "o1") == {"_id": "o1", "at": 3, "ver": 2}


async def test_a_taken_id_refuses_the_whole_unit(store: Store) -> None:
    await store.apply([Insert("dossiers", {"_id": "d1", "n": 1})])
    with pytest.raises(Duplicate) as caught:
        await store.apply([Insert("outbox", {"_id": "o1"}), Insert("dossiers", {"_id": "d1", "n": 2})])
    assert (caught.value.coll, caught.value.id, caught.value.fields) == ("dossiers", "d1", ("_id",))
    assert await store.get("outbox", "o1") is None
    assert await store.get("dossiers", "d1") == {"_id": "d1", "n": 1, "ver": 1}


@pytest.mark.parametrize("alone", [True, False])
async def test_a_taken_unique_key_is_named_without_its_values(store: Store, alone: bool) -> None:
    await store.apply([Insert("dossiers", {"_id": "d1", "decision": {"register": "Q", "number": 7}})])
    ops: list[Op] = [Insert("dossiers", {"_id": "d2", "decision": {"register": "Q", "number": 7}})]
    with pytest.raises(Duplicate) as caught:
        await store.apply(ops if alone else [Insert("outbox", {"_id": "o1"}), *ops])
    error = caught.value
    assert (error.coll, error.id, error.fields) == ("dossiers", "d2", ("decision.register", "decision.number"))
    assert str(error) == "dossiers/d2: another document holds the same decision.register, decision.number"
    assert error.__cause__ is None
    assert await store.count("outbox") == 0


async def test_a_replace_can_run_into_a_unique_key_too(store: Store) -> None:
    await store.apply(
        [
            Insert("dossiers", {"_id": "d1", "decision": {"register": "Q", "number": 7}}),
            Insert("dossiers", {"_id": "d2"}),
        ]
    )
    with pytest.raises(Duplicate) as caught:
        await store.apply([Replace("dossiers", {"_id": "d2", "decision": {"register": "Q", "number": 7}}, expect=1)])
    assert caught.value.id == "d2"
    assert await store.get("dossiers", "d2") == {"_id": "d2", "ver": 1}


async def test_unique_keys_bind_only_documents_that_hold_every_field(store: Store) -> None:
    drafts: list[dict[str, Any]] = [
        {"_id": "a", "decision": {"register": "Q", "number": None}},
        {"_id": "b", "decision": {"register": "Q", "number": None}},
        {"_id": "c", "decision": {"register": "Q"}},
        {"_id": "d", "decision": {"register": "Q"}},
        {"_id": "e"},
        {"_id": "f"},
    ]
    await store.apply([Insert("dossiers", doc) for doc in drafts])
    assert await store.count("dossiers") == 6


@pytest.mark.parametrize("stored", [{"_id": "d1", "n": 1}, None])
@pytest.mark.parametrize("alone", [True, False])
async def test_a_stale_or_gone_version_refuses_the_whole_unit(
    store: Store, stored: dict[str, Any] | None, alone: bool
) -> None:
    if stored:
        await store.apply([Insert("dossiers", stored)])
        await store.apply([Replace("dossiers", stored, expect=1)])
    ops: list[Op] = [Replace("dossiers", {"_id": "d1", "n": 2}, expect=1)]
    with pytest.raises(Conflict) as caught:
        await store.apply(ops if alone else [Insert("outbox", {"_id": "o1"}), *ops])
    assert (caught.value.coll, caught.value.id) == ("dossiers", "d1")
    assert await store.get("outbox", "o1") is None
    assert await store.get("dossiers", "d1") == ({**stored, "ver": 2} if stored else None)


async def test_of_several_replaces_the_stale_one_is_named(store: Store) -> None:
    await store.apply([Insert("dossiers", {"_id": id}) for id in ("d1", "d2", "d3")])
    await store.apply([Replace("dossiers", {"_id": "d2"}, expect=1)])
    with pytest.raises(Conflict) as caught:
        await store.apply([Replace("dossiers", {"_id": id, "late": True}, expect=1) for id in ("d1", "d2", "d3")])
    assert caught.value.id == "d2"
    assert await store.count("dossiers", {"late": True}) == 0


async def test_a_unit_that_is_stale_and_meets_a_taken_key_is_told_it_is_stale(store: Store) -> None:
    taken = {"register": "Q", "number": 1}
    await store.apply([Insert("registers", {"_id": "Q"}), Insert("dossiers", {"_id": "d1", "decision": taken})])
    with pytest.raises(Conflict):
        await store.apply([Insert("dossiers", {"_id": "d2", "decision": taken}), Replace("registers", {"_id": "Q"}, 7)])


async def test_a_unit_may_hand_a_unique_key_from_one_document_to_another(store: Store) -> None:
    key = {"register": "Q", "number": 1}
    await store.apply([Insert("dossiers", {"_id": "d1", "decision": key})])
    await store.apply([Delete("dossiers", "d1"), Insert("dossiers", {"_id": "d2", "decision": key})])
    await store.apply([Replace("dossiers", {"_id": "d2"}, 1), Insert("dossiers", {"_id": "d3", "decision": key})])
    assert await store.find("dossiers") == [{"_id": "d2", "ver": 2}, {"_id": "d3", "decision": key, "ver": 1}]


async def test_eight_writers_race_for_one_counter_and_no_number_is_lost_or_given_twice(store: Store) -> None:
    await store.apply([Insert("registers", {"_id": "Q/2026", "last": 0})])

    async def issue(writer: int, turn: int) -> None:
        while True:
            counter = await store.get("registers", "Q/2026")
            assert counter is not None
            number = counter["last"] + 1
            decision = {"_id": f"{writer}-{turn}", "decision": {"register": "Q", "number": number}}
            try:
                await store.apply(
                    [Insert("dossiers", decision), Replace("registers", {**counter, "last": number}, counter["ver"])]
                )
            except Conflict:
                continue
            return

    async def write(writer: int) -> None:
        for turn in range(5):
            await issue(writer, turn)

    async with asyncio.TaskGroup() as writers:
        for writer in range(8):
            writers.create_task(write(writer))
    issued = await store.find("dossiers", sort=[("decision.number", 1)])
    assert [doc["decision"]["number"] for doc in issued] == list(range(1, 41))
    assert await store.get("registers", "Q/2026") == {"_id": "Q/2026", "last": 40, "ver": 41}


async def test_units_side_by_side_succeed_and_fail_each_for_itself(store: Store) -> None:
    await store.apply([Insert("dossiers", {"_id": "taken"}), Insert("dossiers", {"_id": "d0"})])
    outcomes = await asyncio.gather(
        *(store.apply([Insert("dossiers", {"_id": f"good{n}"}), Insert("outbox", {"_id": f"o{n}"})]) for n in range(6)),
        store.apply([Insert("outbox", {"_id": "lost1"}), Insert("dossiers", {"_id": "taken"})]),
        store.apply([Insert("outbox", {"_id": "lost2"}), Replace("dossiers", {"_id": "d0"}, expect=5)]),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None)] * 6 + [Duplicate, Conflict]
    assert [doc["_id"] for doc in await store.find("outbox")] == [f"o{n}" for n in range(6)]


async def test_a_unit_of_thousands_is_written_whole(store: Store) -> None:
    await store.apply([Insert("dossiers", {"_id": f"{n:05d}", "n": n}) for n in range(3000)])
    await store.apply([Replace("dossiers", {"_id": f"{n:05d}", "n": -n}, expect=1) for n in range(0, 3000, 2)])
    await store.apply([Delete("dossiers", f"{n:05d}") for n in range(1, 3000, 2)])
    assert await store.count("dossiers") == 1500
    assert await store.sum_by("dossiers", "ver", "n") == {2: -sum(range(0, 3000, 2))}


@pytest.mark.parametrize(
    ("doc", "said"),
    [
        ({"n": 1}, "_id must be a non-empty str"),
        ({"_id": ""}, "_id must be a non-empty str"),
        ({"_id": 7}, "_id must be a non-empty str"),
        ({"_id": "d", "unit": {"score": float("nan")}}, "field unit.score: NaN"),
        ({"_id": "d", "n": 2**53 + 1}, "field n: integer beyond"),
        ({"_id": "d", "list": [{"$set": 1}]}, "field list: key '$set'"),
        ({"_id": "d", "a": {"b.c": 1}}, "field a: key 'b.c'"),
        ({"_id": "d", "a": {7: 1}}, "field a: keys must be str"),
        ({"_id": "d", "when": object()}, "field when: object is not JSON-safe"),
        ({"_id": "d", "raw": b"x"}, "field raw: bytes is not JSON-safe"),
        ({"_id": "d", "text": "\ud800"}, "d"),
    ],
)
async def test_a_document_the_stores_cannot_both_hold_is_refused_with_its_field(
    store: Store, doc: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said.replace("$", r"\$")):
        await store.apply([Insert("outbox", {"_id": "o1"}), Insert("dossiers", doc)])
    assert await store.count("outbox") == 0


async def test_a_document_nested_without_end_is_refused(store: Store) -> None:
    doc: dict[str, Any] = {"_id": "d"}
    doc["self"] = doc
    with pytest.raises(Invalid, match="nested deeper"):
        await store.apply([Insert("dossiers", doc)])


@pytest.mark.parametrize("expect", [0, "1", 2**70, True])
async def test_an_impossible_version_is_refused(store: Store, expect: Any) -> None:
    with pytest.raises(Invalid, match="expected version"):
        await store.apply([Replace("dossiers", {"_id": "d1"}, expect)])


async def test_an_undeclared_collection_is_refused(store: Store) -> None:
    with pytest.raises(Invalid, match="'dosiers' is not declared"):
        await store.apply([Insert("dosiers", {"_id": "d1"})])
    with pytest.raises(Invalid, match="'dosiers' is not declared"):
        await store.get("dosiers", "d1")
