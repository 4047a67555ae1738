from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sangkien.kernel import Refusal
from sangkien.rules import (
    NoRuleForJurisdiction,
    NoRuleOnDate,
    NoScoreSheets,
    ScoreOutOfRange,
    ScoresIncomplete,
    UnknownCriterion,
    evaluate,
    score_sheet,
)

HA_NOI = score_sheet("vn/ha-noi", "district", date(2023, 5, 8))
DA_NANG = score_sheet("vn/da-nang/education", "grassroots", date(2026, 4, 1))
VAN_MON = score_sheet("vn/bac-ninh/van-mon", "grassroots", date(2026, 4, 1))


def points(novelty: int, applicability: int, benefit: int) -> dict[str, int]:
    return {"novelty": novelty, "applicability": applicability, "benefit": benefit}


def van_mon(**changed: int) -> dict[str, int]:
    return {"A1": 15, "A2": 15, "B1": 12, "B2": 8, "C1": 12, "D1": 8, "D2": 8} | changed


def test_score_sheet_changed_in_the_middle_of_2023_and_lost_the_district_in_2025() -> None:
    before, on, last = date(2023, 8, 21), date(2023, 8, 22), date(2025, 6, 30)
    ids = [score_sheet("vn/ha-noi", "district", day).rule_set_id for day in (before, on, last)]
    assert ids == [
        "vn.ha-noi.sheet.before-qd-16-2023",
        "vn.ha-noi.sheet.qd-16-2023.with-districts",
        "vn.ha-noi.sheet.qd-16-2023.with-districts",
    ]
    assert score_sheet("vn/ha-noi", "city", date(2025, 7, 1)).rule_set_id == "vn.ha-noi.sheet.qd-16-2023"
    with pytest.raises(NoRuleOnDate) as refused:
        score_sheet("vn/ha-noi", "district", date(2025, 7, 1))
    assert refused.value.facts == {
        "subject": "score_sheet district",
        "on": "2025-07-01",
        "periods": "2012-04-25/2025-06-30",
    }


def test_score_sheet_of_hanoi_ships_as_a_template_nobody_verified() -> None:
    assert (HA_NOI.verified, HA_NOI.max_total) == (False, 100)
    assert HA_NOI.unverified == ("aggregation", "criteria", "floors", "min_total", "valid_to")


def test_score_sheet_is_refused_where_a_jurisdiction_has_none() -> None:
    with pytest.raises(NoRuleForJurisdiction) as refused:
        score_sheet("vn/hue", "city", date(2026, 4, 1))
    assert refused.value.facts == {"subject": "score_sheet city", "known": "vn/ha-noi"}


def test_evaluate_takes_the_mean_and_prints_tenths() -> None:
    found = evaluate(HA_NOI, [points(20, 15, 15), points(21, 15, 15), points(20, 15, 15)])
    assert (found.total_tenths, found.floors_failed, found.qualifies) == (503, (), True)
    assert found.criterion_tenths == {"novelty": 203, "applicability": 150, "benefit": 150}


def test_evaluate_rounds_half_up_before_it_compares() -> None:
    sheets = [points(20, 15, 15)] * 19 + [points(19, 15, 15)]  # 49.95 is printed, and judged, as 50.0
    assert (evaluate(HA_NOI, sheets).total_tenths, evaluate(HA_NOI, sheets).qualifies) == (500, True)
    lower = [points(20, 15, 15)] * 18 + [points(19, 15, 15)] * 2  # 49.9
    assert (evaluate(HA_NOI, lower).total_tenths, evaluate(HA_NOI, lower).qualifies) == (499, False)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=9))
def test_evaluate_gives_the_nearest_tenth_of_the_exact_mean(novelty: list[int]) -> None:
    exact = Fraction(sum(novelty) * 10, len(novelty))
    tenths = evaluate(HA_NOI, [points(one, 10, 10) for one in novelty]).criterion_tenths["novelty"]
    assert -Fraction(1, 2) < tenths - exact <= Fraction(1, 2)


def test_evaluate_refuses_a_high_total_with_a_criterion_below_its_floor() -> None:
    found = evaluate(DA_NANG, [points(40, 30, 9)])
    assert (found.total_tenths, found.floors_failed, found.qualifies, found.grade) == (790, ("benefit",), False, None)


@pytest.mark.parametrize(
    ("scores", "grade"),
    [
        (points(30, 28, 27), "A"),
        (points(29, 28, 28), None),  # 85 without the novelty an A needs is no B
        (points(29, 28, 27), "B"),
        (points(19, 25, 26), None),
        (points(10, 20, 20), "C"),
        (points(9, 21, 21), None),
    ],
)
def test_evaluate_gives_a_grade_only_with_its_side_condition(scores: dict[str, int], grade: str | None) -> None:
    assert evaluate(DA_NANG, [scores]).grade == grade


def test_evaluate_lets_only_a_disqualifying_floor_stop_where_floors_are_not_all_required() -> None:
    soft = evaluate(VAN_MON, [van_mon(B1=7)])
    hard = evaluate(VAN_MON, [van_mon(A2=9)])
    assert (soft.floors_failed, soft.qualifies) == (("B1",), True)
    assert (hard.floors_failed, hard.qualifies) == (("A2",), False)


@pytest.mark.parametrize(
    ("sheets", "error", "facts"),
    [
        ([], NoScoreSheets, {}),
        ([points(1, 1, 1), {"novelty": 1}], ScoresIncomplete, {"sheet": 2, "criteria": "applicability, benefit"}),
        (
            [points(1, 1, 1) | {"charm": 3}],
            UnknownCriterion,
            {"sheet": 1, "criteria": "novelty, applicability, benefit"},
        ),
        ([points(41, 1, 1)], ScoreOutOfRange, {"sheet": 1, "criterion": "novelty", "max": 40}),
        ([points(1, 1, -1)], ScoreOutOfRange, {"sheet": 1, "criterion": "benefit", "max": 30}),
    ],
)
def test_evaluate_refuses_sheets_that_do_not_fit(
    sheets: list[Mapping[str, int]], error: type[Refusal], facts: dict[str, str | int]
) -> None:
    with pytest.raises(error) as refused:
        evaluate(HA_NOI, sheets)
    assert refused.value.facts == facts
