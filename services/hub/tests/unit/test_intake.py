"""Who is taken when many wait."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sangkien.hub.application.intake import (
    MOST_BYTES_IN_UNIT,
    MOST_BYTES_WAITING,
    MOST_IN_UNIT,
    MOST_OF_ONE,
    Bucket,
    Queues,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def messages(node: str, count: int) -> list[Any]:
    """The queues never look into a message."""
    return [(node, number) for number in range(count)]


async def test_one_message_of_a_quiet_node_is_in_the_first_unit() -> None:
    queues = Queues(lambda _: 1)
    queues.put("noisy", messages("noisy", 10_000))
    queues.put("quiet", messages("quiet", 1))
    unit: list[Any] = list(await queues.gather())
    assert Counter(node for node, _ in unit) == {"noisy": MOST_OF_ONE, "quiet": 1}


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 400), min_size=1))
async def test_everything_is_taken_once_in_each_nodes_order_and_nobody_waits_two_rounds(counts: dict[str, int]) -> None:
    queues = Queues(lambda _: 1)
    for node, count in counts.items():
        queues.put(node, messages(node, count))
    taken: dict[str, list[int]] = {node: [] for node in counts}
    passed_over: Counter[str] = Counter()
    while any(len(taken[node]) < count for node, count in counts.items()):
        waiting = {node for node, count in counts.items() if len(taken[node]) < count}
        unit: list[Any] = list(await queues.gather())
        assert len(unit) <= MOST_IN_UNIT
        for node, number in unit:
            taken[node].append(number)
        seen = {node for node, _ in unit}
        passed_over = Counter({node: passed_over[node] + 1 for node in waiting - seen})
        assert all(rounds <= 1 for rounds in passed_over.values())
    assert taken == {node: list(range(count)) for node, count in counts.items()}


def test_a_crowd_is_half_of_what_one_node_may_have_in_a_unit() -> None:
    queues = Queues(lambda _: 1)
    queues.put("a", messages("a", MOST_OF_ONE // 2 - 1))
    before = queues.crowded
    queues.put("a", messages("a", 1))
    assert (before, queues.crowded) == (False, True)


async def test_forgotten_messages_are_not_taken() -> None:
    queues = Queues(lambda _: 1)
    queues.put("a", messages("a", 3))
    queues.put("b", messages("b", 1))
    queues.forget("a")
    unit: list[Any] = list(await queues.gather())
    assert unit == [("b", 0)]
    assert await queues.room("a") == 2 * MOST_OF_ONE


async def test_large_messages_come_few_at_a_time_and_nothing_is_fetched_above_the_most_that_may_wait() -> None:
    queues = Queues(lambda _: MOST_BYTES_IN_UNIT // 4)
    queues.put("large", messages("large", 4 * MOST_BYTES_WAITING // MOST_BYTES_IN_UNIT + 1))
    room = asyncio.ensure_future(queues.room("small"))
    await asyncio.sleep(0)
    before = room.done()

    unit: list[Any] = list(await queues.gather())

    assert (before, unit, await room) == (False, messages("large", 4), 2 * MOST_OF_ONE)


def test_spent_quota_is_waited_for_and_an_idle_hour_gives_a_burst_and_no_more() -> None:
    bucket = Bucket(rate=10.0, burst=50.0, left=50.0, at=NOW)
    bucket.spend(50, NOW)
    assert bucket.wait_s() == 0.0
    bucket.spend(20, NOW)
    assert bucket.wait_s() == 2.0
    bucket.spend(50, NOW + timedelta(hours=1))
    assert bucket.wait_s() == 0.0
    bucket.spend(10, NOW + timedelta(hours=1))
    assert bucket.wait_s() == 1.0
