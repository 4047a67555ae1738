"""Scenario files: what cannot be played is refused before anything starts."""

import json
from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from sangkien.console.demo.cast import Casting
from sangkien.console.demo.scenario import ScenarioError, load_scenario
from sangkien.kernel import Refusal

YEAR: dict[str, Any] = yaml.safe_load("""
district: {slug: a, name: Quận A}
council: {name: Hội đồng, set_up_by: 1/QĐ-UBND, "on": 2023-05-08}
rounds:
  - {name: Đợt 1, filed: 9, recognised: 5}
  - {name: Đợt 2, filed: 0, recognised: 0}
totals: {filed: 9, recognised: 5}
city: {recognised: 2}
reward: {decision: 3/QĐ-UBND, "on": 2023-12-20, form: giay-khen-quan, collectives: 1, individuals: 2}
""")


def written(tmp_path: Path, where: str = "", value: Any = None) -> str:
    """The year with one place changed, as a file."""
    year = deepcopy(YEAR)
    if where:
        *parents, last = [int(part) if part.isdigit() else part for part in where.split(".")]
        place: Any = year
        for part in parents:
            place = place[part]
        place[last] = value
    path = tmp_path / "nam.yaml"
    path.write_text(yaml.safe_dump(year, allow_unicode=True), encoding="utf-8")
    return str(path)


def test_scenario_may_hold_a_round_in_which_nothing_was_filed(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path))

    assert [(each.filed, each.recognised) for each in scenario.rounds] == [(9, 5), (0, 0)]


@pytest.mark.parametrize(
    ("where", "value", "named"),
    [
        ("rounds", [], "rounds: "),
        ("rounds.0.filed", "nhiều", "rounds.0.filed: "),
        ("rounds.0.filed", -1, "rounds.0.filed: "),
        ("rounds.0.filed", 4, "Đợt 1"),
        ("rounds.1.name", "Đợt 1", "Đợt 1"),
        ("council", None, "council: "),
        ("totals.recognised", 6, "totals.recognised: "),
        ("city.recognised", 6, "thành phố"),
        ("reward.individuals", -5, "reward.individuals: "),
        ("reward.individuals", 300, "reward.individuals: "),
        ("reward.decision", "ba", "reward.decision: "),
        ("reward.decision", "0/QĐ-UBND", "reward.decision: "),
        ("reward.on", "2023-02-30", "reward.on: không phải một ngày có trong lịch"),
        ("reward.on", "2023-05-31", "quá sát ngày lập hội đồng"),
        ("reward.currency", "USD", "reward.currency: "),
        ("council.on", "2012-04-24", "council.on: "),
        ("council.reformed_on", "2023-10-04", "reformed_by"),
        ("district.valid_to", "2023-12-19", "district.valid_to: "),
        ("titles", [{"title": "Tên sáng kiến", "unit": "Đơn vị", "round": 3}], "không có đợt · there is no round 3"),
        ("titles", [{"title": "Tên", "unit": "Đơn vị", "round": 1}], "titles.0.title: phải có ít nhất 5 ký tự"),
        ("titles", [{"title": "Tên sáng kiến", "unit": "Đơn vị", "round": 2}], "ghi 1 tên sáng kiến cho 0 hồ sơ"),
    ],
)
def test_scenario_that_cannot_be_played_is_refused_by_name(tmp_path: Path, where: str, value: Any, named: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        load_scenario(written(tmp_path, where, value))

    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("where", "value", "remarks"),
    [
        ("reward.per_individual_vnd", 540_000, ()),
        (
            "reward.per_individual_vnd",
            450_000,
            (
                (
                    "reward.per_individual_vnd: kịch bản ghi 450.000\u00a0đ, theo quy định là 540.000\u00a0đ"
                    " · the file says 450.000\u00a0đ, the rules say 540.000\u00a0đ"
                ),
            ),
        ),
        ("reviewers", 1, ("Không dùng đến · Has no effect: reviewers",)),
        ("rounds.1.recognized", 0, ("Không dùng đến · Has no effect: rounds.1.recognized",)),
    ],
)
def test_scenario_is_told_what_of_it_has_no_effect_or_is_not_the_rules(
    tmp_path: Path, where: str, value: Any, remarks: tuple[str, ...]
) -> None:
    assert load_scenario(written(tmp_path, where, value)).remarks == remarks


@pytest.mark.parametrize(
    ("name", "on", "tier"),
    [
        ("Quận A", "2023-05-08", "district"),
        ("Phường A", "2023-05-08", "grassroots"),
        ("Quận A", "2025-03-03", "grassroots"),  # the district tier ends before the reward
        ("Xã A", "2026-01-12", "grassroots"),
    ],
)
def test_council_sits_at_a_tier_that_there_is_all_year(tmp_path: Path, name: str, on: str, tier: str) -> None:
    year = yaml.safe_load(Path(written(tmp_path)).read_text(encoding="utf-8"))
    year["district"]["name"], year["council"]["on"], year["reward"]["on"] = name, on, f"{on[:4]}-11-20"
    path = tmp_path / "nam"  # a file by any name, as JSON
    path.write_text(json.dumps(year, default=str), encoding="utf-8")

    scenario = load_scenario(str(path))

    assert (scenario.tier, len(scenario.remarks)) == (tier, int(name.startswith("Quận") and tier != "district"))


def test_sessions_of_a_short_year_follow_each_other_before_the_reward(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path, "reward.on", "13/6/2023"))

    assert [(each.opens_on, each.closes_on, each.session_on) for each in scenario.rounds] == [
        (date(2023, 5, 8), date(2023, 5, 9), date(2023, 5, 23)),
        (date(2023, 5, 10), date(2023, 5, 10), date(2023, 5, 24)),
    ]


@pytest.mark.parametrize("scale", [0, 111_112])
def test_scenario_of_no_or_too_many_copies_is_refused(tmp_path: Path, scale: int) -> None:
    with pytest.raises(ScenarioError):
        load_scenario(written(tmp_path)).scaled(scale)


def test_year_with_an_act_after_today_is_refused(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path))

    scenario.check_past(date(2023, 12, 20))
    with pytest.raises(ScenarioError, match=r"^20/12/2023 chưa tới"):
        scenario.check_past(date(2023, 12, 19))


def test_scenario_with_an_unknown_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        load_scenario(written(tmp_path, "reward.form", "giay-khen-xom"))

    assert refused.value.code == "unknown_form"


@pytest.mark.parametrize("individuals", [53, 300, 3 * 198])
@pytest.mark.parametrize("seed", range(5))
def test_cast_has_the_authors_to_reward_whichever_dossiers_are_recognised(individuals: int, seed: int) -> None:
    scenario = replace(load_scenario("ba-dinh-2023"), individuals=individuals)
    cast = Casting(scenario, seed).cast()

    assert [len(drafts) for drafts in cast.rounds] == [plan.filed for plan in scenario.rounds]
    fewest = [
        sum(sorted(len(each.authors) for each in drafts)[: plan.recognised])
        for drafts, plan in zip(cast.rounds, scenario.rounds, strict=True)
    ]
    assert sum(fewest) >= individuals
    for draft in (each for drafts in cast.rounds for each in drafts):
        assert (len({author.name for author in draft.authors}), sum(draft.shares)) == (len(draft.shares), 100)
