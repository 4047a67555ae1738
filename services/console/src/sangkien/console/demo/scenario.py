"""A scenario: what a district's own report says of its year. Figures to be reached, never told to a service."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

_SHIPPED = files("sangkien.console") / "scenarios"


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads the key `on` as true; here only `true` and `false` are booleans, as in YAML 1.2."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class ScenarioError(Exception):
    """The scenario cannot be played. The text says where and why."""


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """One round of the district's council: how many are filed, and how many the council recognises."""

    name: str
    group: str
    filed: int
    recognised: int
    opens_on: date
    closes_on: date
    session_on: date

    @property
    def education(self) -> bool:
        """Whether the round is for schools, by the words of its group."""
        return "giáo dục" in self.group.lower()

    @property
    def decided_on(self) -> date:
        return self.session_on + timedelta(days=5)


@dataclass(frozen=True, slots=True)
class GivenTitle:
    """A title the report prints, with its unit and the number of its round, from 1."""

    title: str
    unit: str
    round: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """A year. Dates the report does not give are laid between those it does."""

    slug: str
    district: str
    district_valid_to: date | None
    standing_body: str
    council: str
    set_up_by: str
    set_up_on: date
    reformed_by: str
    reformed_on: date | None
    rounds: tuple[RoundPlan, ...]
    city_recognised: int
    reward_decision: str
    reward_on: date
    reward_form: str
    collectives: int
    individuals: int
    titles: tuple[GivenTitle, ...]

    @property
    def filed(self) -> int:
        return sum(each.filed for each in self.rounds)

    def scaled(self, copies: int) -> "Scenario":
        """The year with `copies` times as many of everything that is counted."""
        if copies < 1:
            raise ScenarioError("--scale takes a whole number from 1")
        rounds = tuple(replace(r, filed=r.filed * copies, recognised=r.recognised * copies) for r in self.rounds)
        return replace(
            self,
            rounds=rounds,
            city_recognised=self.city_recognised * copies,
            collectives=self.collectives * copies,
            individuals=self.individuals * copies,
        )


def load_scenario(name: str) -> Scenario:
    """A shipped scenario by name, or one from a file. Raises ScenarioError."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise ScenarioError(f"there is no file {name}")
        text = path.read_text(encoding="utf-8")
    else:
        shipped = _SHIPPED / f"{name}.yaml"
        if not shipped.is_file():
            known = ", ".join(
                sorted(e.name.removesuffix(".yaml") for e in _SHIPPED.iterdir() if e.name.endswith(".yaml"))
            )
            raise ScenarioError(f"there is no scenario {name}; shipped are: {known}. A file is named with its ending")
        text = shipped.read_text(encoding="utf-8")
    try:
        return _read(yaml.load(text, _Loader))  # noqa: S506 (a safe loader)
    except (KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
        raise ScenarioError(f"{name}: {type(error).__name__} at {error}") from error


def titles() -> dict[str, list[str]]:
    """Real published titles by group, `education` and `other`."""
    lines = (_SHIPPED / "titles.tsv").read_text(encoding="utf-8").splitlines()[1:]
    found: dict[str, list[str]] = {"education": [], "other": []}
    for line in lines:
        group, _, title = line.partition("\t")
        found[group].append(title)
    return found


def _read(raw: dict[str, Any]) -> Scenario:
    council, reward = raw["council"], raw["reward"]
    first = min((m["on"] for m in raw.get("milestones", [])), default=council["on"])
    rounds = _rounds(raw["rounds"], first=first, council_on=council["on"], last=reward["on"] - timedelta(days=20))
    reward_decision = str(reward["decision"])
    if not reward_decision.partition("/")[0].isdigit():
        raise ScenarioError(
            f"reward.decision is {reward_decision!r}; expected a number and a suffix, e.g. 3034/QĐ-UBND"
        )
    scenario = Scenario(
        slug=raw["district"]["slug"],
        district=raw["district"]["name"],
        district_valid_to=raw["district"].get("valid_to"),
        standing_body=raw.get("standing_body", "Văn phòng"),
        council=council["name"],
        set_up_by=council["set_up_by"],
        set_up_on=council["on"],
        reformed_by=council.get("reformed_by", ""),
        reformed_on=council.get("reformed_on"),
        rounds=rounds,
        city_recognised=raw.get("city", {}).get("recognised", 0),
        reward_decision=reward_decision,
        reward_on=reward["on"],
        reward_form=reward["form"],
        collectives=reward["collectives"],
        individuals=reward["individuals"],
        titles=tuple(GivenTitle(t["title"], t["unit"], t["round"]) for t in raw.get("titles", [])),
    )
    _check(scenario, raw)
    return scenario


def _rounds(raw: list[dict[str, Any]], *, first: date, council_on: date, last: date) -> tuple[RoundPlan, ...]:
    """Sessions evenly between the council's founding and the last day that leaves time for the decisions."""
    earliest = max(first, council_on) + timedelta(days=40)
    if last < earliest + timedelta(days=30 * len(raw)):
        raise ScenarioError("the reward decision comes too soon after the council was set up to hold every round")
    opens, plans = first, []
    for number, each in enumerate(raw, start=1):
        session = earliest + (last - earliest) * number // len(raw)
        closes = session - timedelta(days=14)
        plans.append(
            RoundPlan(each["name"], each.get("group", ""), each["filed"], each["recognised"], opens, closes, session)
        )
        opens = closes + timedelta(days=1)
    return tuple(plans)


def _check(scenario: Scenario, raw: dict[str, Any]) -> None:
    for each in scenario.rounds:
        if not 0 <= each.recognised <= each.filed:
            raise ScenarioError(f"{each.name}: {each.recognised} recognised of {each.filed} filed cannot be")
    if scenario.city_recognised > sum(each.recognised for each in scenario.rounds):
        raise ScenarioError("the city cannot recognise more than the district did")
    totals = raw.get("totals", {})
    if totals.get("filed", scenario.filed) != scenario.filed:
        raise ScenarioError(f"totals.filed says {totals['filed']}, the rounds add up to {scenario.filed}")
