"""Scenario files: what cannot be played is refused before anything starts."""

from copy import deepcopy
from dataclasses import replace
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
    ],
)
def test_scenario_that_cannot_be_played_is_refused_by_name(tmp_path: Path, where: str, value: Any, named: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        load_scenario(written(tmp_path, where, value))

    assert named in str(refused.value)


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
