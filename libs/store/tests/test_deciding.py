from collections.abc import Sequence

import pytest

from sangkien.kernel import Refusal
from sangkien.store import Document, Insert, Replace, Store
from sangkien.store.deciding import ALREADY, Already, ChangedMeanwhile, Decision, decide_each, decided_again


class TooOld(Refusal):
    code = "test_too_old"
    kind = "invalid"


class Raising:
    """Raises every dossier's `n` by one; meddles once for the ids it is told to, as a rival would."""

    def __init__(self, store: Store, *, rivals: Sequence[str] = (), always: Sequence[str] = ()) -> None:
        self.store = store
        self._rivals = set(rivals)
        self._always = set(always)
        self.calls: list[int] = []

    async def __call__(self, ids: Sequence[str]) -> Sequence[Decision]:
        self.calls.append(len(ids))
        found = await self.store.get_many("dossiers", ids)
        for id in self._rivals.intersection(ids) | self._always.intersection(ids):
            await self.store.apply([Replace("dossiers", found[id] | {"n": found[id]["n"] + 100}, found[id]["ver"])])
        self._rivals.difference_update(ids)
        return [self._decide(found[id]) for id in ids]

    def _decide(self, document: Document) -> Decision:
        if document["n"] == -1:
            return TooOld()
        if document["n"] == 0:
            return ALREADY
        return [Replace("dossiers", document | {"n": document["n"] + 1}, document["ver"])]


async def put(store: Store, **numbers: int) -> None:
    await store.apply([Insert("dossiers", {"_id": id, "n": n}) for id, n in numbers.items()])


async def numbers(store: Store) -> dict[str, int]:
    return {d["_id"]: d["n"] for d in await store.find("dossiers")}


async def test_batch_is_one_unit_and_a_refused_item_sinks_no_other(store: Store) -> None:
    await put(store, a=1, b=-1, c=0, d=4)
    raising = Raising(store)

    outcomes = await decide_each(["a", "b", "c", "d"], raising, store.apply)

    assert [type(o) for o in outcomes] == [type(None), TooOld, type(ALREADY), type(None)]
    assert await numbers(store) == {"a": 2, "b": -1, "c": 0, "d": 5}
    assert raising.calls == [4]


async def test_item_a_rival_changed_is_decided_again_on_what_is_stored(store: Store) -> None:
    await put(store, a=1, b=1, c=1, d=1)

    outcomes = await decide_each(["a", "b", "c", "d"], Raising(store, rivals=["c"]), store.apply)

    assert outcomes == [None] * 4
    assert await numbers(store) == {"a": 2, "b": 2, "c": 102, "d": 2}


async def test_item_that_keeps_changing_is_given_up_alone(store: Store) -> None:
    await put(store, a=1, b=1)

    outcomes = await decide_each(["a", "b"], Raising(store, always=["b"]), store.apply)

    assert [type(o) for o in outcomes] == [type(None), ChangedMeanwhile]
    assert (await numbers(store))["a"] == 2


async def counted(store: Store, raising: Raising) -> int:
    """Decide dossier `a` once and commit it; how often it has been decided by then."""
    (ops,) = await raising(["a"])
    assert not isinstance(ops, Refusal | Already)
    await store.apply(ops)
    return len(raising.calls)


async def test_single_decision_is_made_again_on_what_a_rival_stored(store: Store) -> None:
    await put(store, a=1)
    raising = Raising(store, rivals=["a"])

    assert await decided_again(lambda: counted(store, raising)) == 2
    assert await numbers(store) == {"a": 102}


async def test_single_decision_that_never_gets_its_turn_is_refused_with_nothing_written(store: Store) -> None:
    await put(store, a=1)
    raising = Raising(store, always=["a"])

    with pytest.raises(ChangedMeanwhile):
        await decided_again(lambda: counted(store, raising))
    assert await numbers(store) == {"a": 1 + 100 * len(raising.calls)}
