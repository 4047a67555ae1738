from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sangkien.kernel import (
    Aggregate,
    DateRange,
    Refusal,
    ShareMalformed,
    ShareOutOfRange,
    SharesNot100,
    check_shares,
    format_share,
    multiply_hundredths,
    parse_share,
    round_up_to,
)


class RoundClosed(Refusal):
    code = "round_closed"
    kind = "precondition"


@dataclass
class Dossier(Aggregate):
    title: str


def test_refusal_says_code_field_and_facts_in_order() -> None:
    refusal = RoundClosed(field="round_id", round="2023-1", late_days=3)
    assert str(refusal) == "round_closed round_id round=2023-1 late_days=3"
    assert (refusal.field, refusal.facts) == ("round_id", {"round": "2023-1", "late_days": 3})


def test_refusal_without_field_is_its_code() -> None:
    assert str(RoundClosed()) == "round_closed"


def test_aggregate_gives_each_event_once_in_order() -> None:
    dossier, other = Dossier("a"), Dossier("b")
    dossier.record("filed")
    dossier.record("accepted")
    assert (dossier.pull_events(), dossier.pull_events(), other.pull_events()) == (["filed", "accepted"], [], [])
    assert dossier.version == 0


def test_multiply_hundredths_is_exact_and_never_drops_a_fraction() -> None:
    assert multiply_hundredths(1_490_000, 30) == 447_000
    with pytest.raises(ValueError, match="not a whole number"):
        multiply_hundredths(1, 15)


@given(st.integers(0, 10**12), st.integers(1, 10**6))
def test_round_up_to_gives_the_smallest_multiple_not_below(amount: int, step: int) -> None:
    rounded = round_up_to(amount, step)
    assert (rounded % step, 0 <= rounded - amount < step) == (0, True)


@pytest.mark.parametrize(("amount", "step"), [(-1, 10_000), (1, 0), (1, -5)])
def test_round_up_to_refuses_what_has_no_answer(amount: int, step: int) -> None:
    with pytest.raises(ValueError, match="cannot round"):
        round_up_to(amount, step)


@pytest.mark.parametrize(
    ("text", "share"),
    [("33,3%", 3330), ("33.33", 3333), (" 40 % ", 4000), ("100", 10_000), ("0,05", 5), ("100,00%", 10_000)],
)
def test_parse_share_reads_what_people_write(text: str, share: int) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["", "%", "33,333", "-5", "100,01", "101", "1e2", "một nửa", "33,", "٣٠"])
def test_parse_share_refuses_without_repeating_the_input(text: str) -> None:
    with pytest.raises(ShareMalformed) as refused:
        parse_share(text)
    assert (refused.value.field, refused.value.facts) == ("share", {})


@given(st.integers(0, 10_000))
def test_format_share_is_read_back_unchanged(share: int) -> None:
    assert parse_share(format_share(share)) == share


def test_check_shares_accepts_an_exact_hundred() -> None:
    check_shares([3334, 3333, 3333])


@pytest.mark.parametrize(("shares", "total"), [([5000, 4000], "90%"), ([3333, 3333, 3333], "99,99%"), ([], "0%")])
def test_check_shares_names_the_sum_it_found(shares: list[int], total: str) -> None:
    with pytest.raises(SharesNot100) as refused:
        check_shares(shares)
    assert refused.value.facts == {"sum": total}


@pytest.mark.parametrize(("shares", "position"), [([10_000, 0], 2), ([-1, 10_001], 1), ([10_001], 1)])
def test_check_shares_names_the_author_out_of_range(shares: list[int], position: int) -> None:
    with pytest.raises(ShareOutOfRange) as refused:
        check_shares(shares)
    assert refused.value.facts == {"position": position}


def test_date_range_includes_both_ends() -> None:
    force = DateRange(date(2024, 1, 1), date(2025, 6, 30))
    days = [date(2023, 12, 31), date(2024, 1, 1), date(2025, 6, 30), date(2025, 7, 1)]
    assert [force.contains(day) for day in days] == [False, True, True, False]
    assert DateRange(date(2025, 7, 1)).contains(date.max)


def test_date_range_overlaps_on_a_single_shared_day() -> None:
    old, new = DateRange(date(2024, 1, 1), date(2025, 6, 30)), DateRange(date(2025, 6, 30))
    assert (old.overlaps(new), new.overlaps(old)) == (True, True)
    assert old.overlaps(DateRange(date(2025, 7, 1))) is False


def test_date_range_refuses_to_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        DateRange(date(2025, 7, 1), date(2025, 6, 30))
