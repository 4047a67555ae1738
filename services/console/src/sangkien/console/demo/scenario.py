"""A scenario: what a district's own report says of its year. Figures to be reached, never told to a service."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sangkien.rules import Holder, quote

MOST_AUTHORS = 3
"""Of one made-up dossier."""
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

    @property
    def recognised(self) -> int:
        return sum(each.recognised for each in self.rounds)

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
    """A shipped scenario by name, or one from a file. Raises ScenarioError, and what `sangkien.rules.quote` refuses."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ScenarioError(f"{name}: không đọc được tệp · the file cannot be read: {error}") from error
    else:
        shipped = _SHIPPED / f"{name}.yaml"
        if not shipped.is_file():
            known = ", ".join(
                sorted(e.name.removesuffix(".yaml") for e in _SHIPPED.iterdir() if e.name.endswith(".yaml"))
            )
            raise ScenarioError(
                f"{name}: không có kịch bản này; có sẵn {known}; tệp thì ghi cả đuôi .yaml · there is no such scenario;"
                f" shipped: {known}; a file is named with its ending"
            )
        text = shipped.read_text(encoding="utf-8")
    try:
        return _read(yaml.load(text, _Loader))  # noqa: S506 (a safe loader)
    except ValidationError as error:
        raise ScenarioError(f"{name}: kịch bản sai hoặc thiếu · wrong or missing:\n{_told(error)}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise ScenarioError(f"{name}: không phải YAML · is not YAML: {error}") from error


def titles() -> dict[str, list[str]]:
    """Real published titles by group, `education` and `other`."""
    lines = (_SHIPPED / "titles.tsv").read_text(encoding="utf-8").splitlines()[1:]
    found: dict[str, list[str]] = {"education": [], "other": []}
    for line in lines:
        group, _, title = line.partition("\t")
        found[group].append(title)
    return found


class _Part(BaseModel):
    """A part of the file: what is not named here is for people to read. Strict: a count in quotes is no count."""

    model_config = ConfigDict(strict=True, frozen=True)


_Count = Annotated[int, Field(ge=0)]
_Text = Annotated[str, Field(min_length=1)]


class _District(_Part):
    slug: _Text
    name: _Text
    valid_to: date | None = None


class _Council(_Part):
    name: _Text
    set_up_by: _Text
    on: date
    reformed_by: str = ""
    reformed_on: date | None = None


class _Round(_Part):
    name: _Text
    group: str = ""
    filed: _Count
    recognised: _Count


class _Totals(_Part):
    filed: _Count | None = None
    recognised: _Count | None = None


class _City(_Part):
    recognised: _Count = 0


class _Milestone(_Part):
    on: date


class _Reward(_Part):
    decision: Annotated[str, Field(pattern=r"^\d+/")]
    on: date
    form: _Text
    collectives: _Count
    individuals: _Count


class _Title(_Part):
    title: _Text
    unit: _Text
    round: Annotated[int, Field(ge=1)]


class _File(_Part):
    district: _District
    standing_body: str = "Văn phòng"
    council: _Council
    rounds: Annotated[list[_Round], Field(min_length=1)]
    totals: _Totals = _Totals()
    city: _City = _City()
    milestones: list[_Milestone] = []
    reward: _Reward
    titles: list[_Title] = []


def _read(raw: object) -> Scenario:
    file = _File.model_validate(raw)
    council, reward = file.council, file.reward
    first = min((each.on for each in file.milestones), default=council.on)
    scenario = Scenario(
        slug=file.district.slug,
        district=file.district.name,
        district_valid_to=file.district.valid_to,
        standing_body=file.standing_body,
        council=council.name,
        set_up_by=council.set_up_by,
        set_up_on=council.on,
        reformed_by=council.reformed_by,
        reformed_on=council.reformed_on,
        rounds=_rounds(file.rounds, first=first, council_on=council.on, last=reward.on - timedelta(days=20)),
        city_recognised=file.city.recognised,
        reward_decision=reward.decision,
        reward_on=reward.on,
        reward_form=reward.form,
        collectives=reward.collectives,
        individuals=reward.individuals,
        titles=tuple(GivenTitle(each.title, each.unit, each.round) for each in file.titles),
    )
    _check(scenario, file.totals)
    return scenario


def _rounds(given: list[_Round], *, first: date, council_on: date, last: date) -> tuple[RoundPlan, ...]:
    """Sessions evenly between the council's founding and the last day that leaves time for the decisions."""
    earliest = max(first, council_on) + timedelta(days=40)
    if last < earliest + timedelta(days=30 * len(given)):
        raise ScenarioError(
            "quyết định khen thưởng quá sát ngày lập hội đồng, không đủ thời gian cho các đợt · the reward decision"
            " comes too soon after the council was set up to hold every round"
        )
    opens, plans = first, []
    for number, each in enumerate(given, start=1):
        session = earliest + (last - earliest) * number // len(given)
        closes = session - timedelta(days=14)
        plans.append(RoundPlan(each.name, each.group, each.filed, each.recognised, opens, closes, session))
        opens = closes + timedelta(days=1)
    return tuple(plans)


def _check(scenario: Scenario, totals: _Totals) -> None:
    names = [each.name for each in scenario.rounds]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ScenarioError(f"hai đợt cùng tên · two rounds are called {', '.join(twice)}")
    for each in scenario.rounds:
        if each.recognised > each.filed:
            raise ScenarioError(
                f"{each.name}: công nhận nhiều hơn nộp · {each.recognised} recognised of {each.filed} filed cannot be"
            )
    if scenario.city_recognised > scenario.recognised:
        raise ScenarioError(
            f"thành phố không thể công nhận {scenario.city_recognised} khi quận công nhận {scenario.recognised}"
            " · the city cannot recognise more than the district did"
        )
    for name in ("filed", "recognised"):
        stated, counted = getattr(totals, name), getattr(scenario, name)
        if stated is not None and stated != counted:
            raise ScenarioError(
                f"totals.{name}: ghi {stated}, cộng các đợt được {counted} · it says {stated}, the rounds add up to"
                f" {counted}"
            )
    most = scenario.recognised * MOST_AUTHORS
    if scenario.individuals > most:
        raise ScenarioError(
            f"reward.individuals: {scenario.recognised} sáng kiến được công nhận có nhiều nhất {most} tác giả · "
            f"{scenario.recognised} recognised initiatives have at most {most} authors to reward"
        )
    holders: dict[Holder, int] = {"collective": scenario.collectives, "individual": scenario.individuals}
    for holder, count in holders.items():
        if count:
            quote(scenario.reward_form, holder, scenario.reward_on)


def _told(error: ValidationError) -> str:
    """Where, and what of it: every finding on a line of its own."""
    return "\n".join(f"{'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in error.errors())
