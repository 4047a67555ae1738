"""What a receipt says of a chain and of single messages."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sangkien.exchange.domain.outgoing import VERDICT_UNKNOWN, Outgoing, OutState, outgoing_id
from sangkien.exchange.domain.patience import FIRST_SILENCE_S, FIRST_WAIT_S, LONGEST_WAIT_S, Patience
from sangkien.exchange.domain.receipts import FULL_WAITING, Standing, Verdicts, sending_word, standing

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def message(n: int, state: OutState = OutState.OFFERED) -> Outgoing:
    return Outgoing(f"id{n}", f"m{n}", "hanoi", "t", f"t:{n}", 1, "", NOW, state, epoch=1, n=n)


@pytest.mark.parametrize(
    ("receipt_n", "our_hash", "confirmed", "expected"),
    [
        (5, "a", 3, Standing.AGREES),
        (5, "a", 5, Standing.AGREES),
        (5, "a", 7, Standing.WENT_BACK),
        (5, "b", 3, Standing.AHEAD),
        (9, None, 3, Standing.AHEAD),
    ],
)
def test_a_receipt_stands_to_the_chain(
    receipt_n: int, our_hash: str | None, confirmed: int, expected: Standing
) -> None:
    found = standing(receipt_n=receipt_n, receipt_head="a", sealed=8, our_hash=our_hash, confirmed=confirmed)

    assert found is expected


def test_a_receipt_tells_the_fate_of_each_message() -> None:
    verdicts = Verdicts(4, 40, {2: "not_allowed"}, frozenset({3}))

    after = [verdicts.of(message(n), NOW) for n in range(1, 5)]

    assert [one.state for one in after] == [
        OutState.DELIVERED,
        OutState.REFUSED,
        OutState.RECEIPTED,
        OutState.DELIVERED,
    ]
    assert after[1].reason == "not_allowed"
    assert [one.position for one in after] == [0, 0, 0, 40]


def test_what_ended_stays_as_it_is() -> None:
    ends = [message(1, OutState.DELIVERED), message(1, OutState.REFUSED)]

    assert [Verdicts(1, 1, {1: "late"}, frozenset()).of(one, NOW) for one in ends] == ends


def test_a_full_list_of_waiting_numbers_says_nothing_of_those_above_it() -> None:
    verdicts = Verdicts(5_000, 0, {}, frozenset(range(1, FULL_WAITING + 1)))

    assert verdicts.of(message(FULL_WAITING + 1), NOW).state is OutState.RECEIPTED


def test_a_full_list_of_refusals_leaves_older_messages_undecided_until_it_is_shorter() -> None:
    full = Verdicts(500, 0, dict.fromkeys(range(300, 400), "no"), frozenset())

    undecided = full.of(message(299), NOW)
    decided = Verdicts(500, 0, {300: "no"}, frozenset()).of(undecided, NOW)

    assert (undecided.state, undecided.reason) == (OutState.RECEIPTED, VERDICT_UNKNOWN)
    assert (decided.state, decided.reason) == (OutState.DELIVERED, "")


@given(n=st.integers(0, 200), waiting=st.sets(st.integers(1, 200), max_size=60))
def test_delivered_spans_hold_every_delivered_number(n: int, waiting: set[int]) -> None:
    verdicts = Verdicts(n, 0, {}, frozenset(one for one in waiting if one <= n))

    held = {one for above, up_to in verdicts.delivered_spans() for one in range(above + 1, up_to + 1)}

    assert held >= set(range(1, n + 1)) - verdicts.waiting
    if len(verdicts.delivered_spans()) < 20:
        assert held == set(range(1, n + 1)) - verdicts.waiting


@pytest.mark.parametrize(
    ("state", "age", "position", "reconciling", "word"),
    [
        ("open", 1, 9, False, "open"),
        ("open", 11, 9, False, "stamps_overdue"),
        ("open", 11, 5, False, "open"),  # nothing waits for a stamp
        ("paused", 11, 9, False, "paused"),
        ("suspended", 1, 9, True, "reconciling"),
    ],
)
def test_one_word_says_what_stands_in_the_way(
    state: str, age: int, position: int, reconciling: bool, word: str
) -> None:
    found = sending_word(
        reconciling=reconciling,
        state=state,
        at=NOW,
        position=position,
        stamped_last=5,
        stamped_at=NOW - timedelta(minutes=age),
    )

    assert found == word


def test_patience_ends_sooner_with_a_hub_that_speaks_and_lengthens_with_every_attempt() -> None:
    patience = Patience()
    patience.offered(100.0, first=True)

    assert patience.over(100.0 + FIRST_WAIT_S + 0.1) == ""
    assert patience.over(100.0 + FIRST_SILENCE_S + 0.1) == "silence"
    patience.heard(102.0)
    assert patience.over(100.0 + FIRST_WAIT_S + 0.1) == "gap"

    patience.tried(104.0)
    patience.heard(106.0)
    assert patience.over(104.0 + FIRST_WAIT_S + 0.1) == ""
    assert patience.over(104.0 + 2 * FIRST_WAIT_S + 0.1) == "gap"
    for attempt in range(20):
        patience.tried(200.0 + attempt)
    patience.heard(300.0)
    assert patience.over(219.0 + LONGEST_WAIT_S + 0.1) == "gap"


def test_a_key_is_one_document_a_receiver_and_for_the_hub_one_a_life() -> None:
    ids = {
        outgoing_id("hanoi", "t:1"),
        outgoing_id("hanoi", "t:1"),
        outgoing_id("hue", "t:1"),
        outgoing_id("hub", "t:1", life=1),
        outgoing_id("hub", "t:1", life=2),
    }

    assert len(ids) == 4
