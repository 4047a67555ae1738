"""Operators see what was put aside, and sending it out again is safe to click twice."""

from collections.abc import Sequence
from typing import Any

import pytest
from nats.aio.client import Client

from sangkien.contracts.topology import TOPOLOGY, Topology
from sangkien.messaging import (
    DeadLetterNotFound,
    DeadLetters,
    DeadLetterUnroutable,
    Incoming,
    Lag,
    Subscription,
    failures,
)
from sangkien.store import Insert, Op
from sangkien.testkit import eventually


class Mendable:
    """A handler with a bug that a release removes."""

    def __init__(self) -> None:
        self.broken = True

    async def __call__(self, messages: Sequence[Incoming]) -> list[Op]:
        if self.broken:
            raise ZeroDivisionError
        return [Insert("effects", {"_id": m.id, "trace": m.traceparent[:35]}) for m in messages]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "LONGEST_DELAY_SECONDS", 0.02)


async def dead(bus: Any, count: int) -> Any:
    async def letters() -> Any:
        found = await bus.dead_letters.list()
        return found if len(found) == count else None

    return await eventually(letters)


async def test_replay_reaches_the_one_consumer_that_gave_up(
    new_store: Any, start_bus: Any, into_review: Any, withdrawn: Any, nc: Client
) -> None:
    intake, review, reporting = [await new_store(name) for name in ("intake", "review", "reporting")]
    handler, journal = Mendable(), Mendable()
    journal.broken = False
    bus = await start_bus("review", review, into_review(handler))
    await start_bus("reporting", reporting, Subscription(TOPOLOGY.consumer("reporting__intake"), journal))
    publisher = await start_bus("intake", intake)
    (row,) = withdrawn(traceparent=f"00-{5:032x}-{6:016x}-01")
    await intake.apply([row])
    publisher.wake_relay()
    (letter,) = await dead(bus, 1)

    handler.broken = False
    await bus.dead_letters.replay(letter.seq)

    await eventually(lambda: review.count("effects"), value=1)
    assert await review.find("effects") == [{"_id": row.doc["_id"], "trace": f"00-{5:032x}", "ver": 1}]
    assert await bus.dead_letters.list() == []
    await eventually(bus.consumer_lag, value={"review__intake": Lag(0, 0, 0)})
    journalled = (await nc.jetstream().consumer_info("EV_INTAKE", "reporting__intake")).delivered
    assert journalled is not None
    assert (await reporting.count("effects"), journalled.consumer_seq) == (1, 1)


async def test_replaying_twice_has_one_effect_and_says_so(
    new_store: Any, start_bus: Any, into_review: Any, withdrawn: Any, nc: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake, review = await new_store("intake"), await new_store("review")
    handler = Mendable()
    bus = await start_bus("review", review, into_review(handler))
    publisher = await start_bus("intake", intake)
    await intake.apply(withdrawn())
    publisher.wake_relay()
    (letter,) = await dead(bus, 1)
    handler.broken = False
    letters = bus.dead_letters

    async def cut_off(*_: Any) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(bus.jetstream, "delete_msg", cut_off)
        with pytest.raises(ConnectionResetError):
            await letters.replay(letter.seq)
    assert (await letters.get(letter.seq)).event_id == letter.event_id
    await letters.replay(letter.seq)
    with pytest.raises(DeadLetterNotFound) as refusal:
        await letters.replay(letter.seq)

    assert (refusal.value.code, refusal.value.facts) == ("dead_letter_not_found", {"seq": letter.seq})
    await eventually(bus.consumer_lag, value={"review__intake": Lag(0, 0, 0)})
    assert await review.count("effects") == 1


async def test_replay_that_fails_again_is_a_dead_letter_of_the_same_event(
    new_store: Any, start_bus: Any, into_review: Any, withdrawn: Any
) -> None:
    intake, review = await new_store("intake"), await new_store("review")
    handler = Mendable()
    bus = await start_bus("review", review, into_review(handler))
    publisher = await start_bus("intake", intake)
    await intake.apply(withdrawn())
    publisher.wake_relay()
    (first,) = await dead(bus, 1)
    await bus.dead_letters.replay(first.seq)

    async def another() -> Any:
        return [letter for letter in await bus.dead_letters.list() if letter.seq != first.seq]

    (second,) = await eventually(another)
    handler.broken = False
    await bus.dead_letters.replay(second.seq)

    assert (second.event_id, second.event_type, second.reason) == (first.event_id, first.event_type, "bug")
    await eventually(lambda: review.count("effects"), value=1)


async def test_list_pages_and_filters_by_service(
    new_store: Any, start_bus: Any, into_review: Any, withdrawn: Any, nc: Client
) -> None:
    intake, review = await new_store("intake"), await new_store("review")
    bus = await start_bus("review", review, into_review(Mendable()))
    publisher = await start_bus("intake", intake)
    await intake.apply(withdrawn(5))
    publisher.wake_relay()
    everything = await dead(bus, 5)

    letters = bus.dead_letters
    first = await letters.list("review", limit=2)
    rest = await letters.list("review", limit=10, after=first[-1].seq)
    assert [*first, *rest] == everything
    assert await letters.list("rev") == []
    assert await letters.list("intake") == []
    letter = await letters.get(everything[0].seq)
    assert (letter.service, letter.consumer, letter.origin_stream) == ("review", "review__intake", "EV_INTAKE")


async def test_letter_of_a_consumer_nobody_declares_is_kept(
    new_store: Any, start_bus: Any, into_review: Any, withdrawn: Any, nc: Client
) -> None:
    intake, review = await new_store("intake"), await new_store("review")
    bus = await start_bus("review", review, into_review(Mendable()))
    publisher = await start_bus("intake", intake)
    await intake.apply(withdrawn())
    publisher.wake_relay()
    (letter,) = await dead(bus, 1)
    smaller = DeadLetters(nc.jetstream(), Topology(TOPOLOGY.streams, ()))

    with pytest.raises(DeadLetterUnroutable):
        await smaller.replay(letter.seq)

    assert await smaller.list() == [letter]


async def test_missing_letter_and_missing_stream_are_told_apart_from_nothing(nc: Client) -> None:
    letters = DeadLetters(nc.jetstream(), TOPOLOGY)

    assert await letters.list() == []
    with pytest.raises(DeadLetterNotFound):
        await letters.get(1)
