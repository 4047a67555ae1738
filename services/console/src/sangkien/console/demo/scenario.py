"""A scenario: what a district's own report says of its year. Figures to be reached, never told to a service."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import ValidationError

from sangkien.console.demo.scenario_file import RoundGiven, ScenarioFile, parse, told, unused
from sangkien.rules import Holder, Tier, quote, tiers
from sangkien.text.formats import day, vnd

MOST_AUTHORS = 3
"""Of one made-up dossier."""
MOST_FILED = 1_000_000
"""Of everything that is counted in one year: more than this does not fit into one process's memory."""
_SHIPPED = files("sangkien.console") / "scenarios"


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
    remarks: tuple[str, ...] = ()
    """What the file says that has no effect, or that the rules say otherwise."""

    @property
    def of_ward(self) -> bool:
        """Whether the council is that of a ward or commune, by the name of what the file calls its district."""
        return self.district.lower().startswith(("phường", "xã ", "thị trấn", "đặc khu"))

    @property
    def tier(self) -> Tier:
        """The tier at which the council sits all year: the units' own where there is no district tier."""
        lasted = "district" in tiers(self.set_up_on) and "district" in tiers(self.reward_on)
        return "district" if lasted and not self.of_ward else "grassroots"

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
        if max(self.filed, self.collectives) * copies > MOST_FILED:
            raise ScenarioError(
                f"nhiều hơn {MOST_FILED} hồ sơ hoặc tập thể thì không diễn được; giảm số hồ sơ hoặc --scale · more than"
                f" {MOST_FILED} dossiers or collectives cannot be played; lower the counts or --scale"
            )
        rounds = tuple(replace(r, filed=r.filed * copies, recognised=r.recognised * copies) for r in self.rounds)
        return replace(
            self,
            rounds=rounds,
            city_recognised=self.city_recognised * copies,
            collectives=self.collectives * copies,
            individuals=self.individuals * copies,
        )

    def check_past(self, today: date) -> None:
        """Raise ScenarioError when something is to be done after today: services refuse acts of the future."""
        last = max(self.set_up_on, self.reformed_on or date.min, self.reward_on)
        if last > today:
            raise ScenarioError(
                f"{day(last)} chưa tới: một năm chỉ diễn được khi đã qua · {day(last, 'en')} has not come yet: only a"
                " year that has passed can be played"
            )


def load_scenario(name: str) -> Scenario:
    """A shipped scenario by name, or one from a file. Raises ScenarioError, and what `sangkien.rules.quote` refuses."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml", ".json") or path.is_file():
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
                f"{name}: không có kịch bản hay tệp này; có sẵn {known} · there is no such scenario or file; shipped:"
                f" {known}"
            )
        text = shipped.read_text(encoding="utf-8")
    try:
        return _read(parse(text))
    except ValidationError as error:
        raise ScenarioError(f"{name}: kịch bản sai hoặc thiếu · wrong or missing:\n{told(error)}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise ScenarioError(f"{name}: không phải YAML · is not YAML: {error}") from error


def titles() -> dict[str, list[str]]:
    """Real published titles by group, `education` and `other`."""
    lines = (_SHIPPED / "cast" / "titles.tsv").read_text(encoding="utf-8").splitlines()[1:]
    found: dict[str, list[str]] = {"education": [], "other": []}
    for line in lines:
        group, _, title = line.partition("\t")
        found[group].append(title)
    return found


def _read(file: ScenarioFile) -> Scenario:
    council, reward = file.council, file.reward
    first = min([council.on, *(each.on for each in file.milestones)])
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
    _check(scenario, file)
    return replace(scenario, remarks=tuple(_remarks(scenario, file)))


def _rounds(given: list[RoundGiven], *, first: date, council_on: date, last: date) -> tuple[RoundPlan, ...]:
    """Sessions evenly between the council's founding and the last day that leaves time for the decisions.

    Forty days are left for filing before the first where the year is long enough, else the fourteen there must be.
    """
    days = (last - council_on).days
    earliest = council_on + timedelta(days=40 if days >= 40 + 30 * len(given) else 14)
    if last < earliest + timedelta(days=len(given)):
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


def _check(scenario: Scenario, file: ScenarioFile) -> None:
    _check_counts(scenario, file)
    _check_days(scenario)
    for number, plan in enumerate(scenario.rounds, start=1):
        named = sum(each.round == number for each in scenario.titles)
        if named > plan.filed:
            raise ScenarioError(
                f"{plan.name}: ghi {named} tên sáng kiến cho {plan.filed} hồ sơ · {named} titles for {plan.filed} filed"
            )
    if odd := sorted({each.round for each in scenario.titles if each.round > len(scenario.rounds)}):
        raise ScenarioError(f"titles: không có đợt · there is no round {', '.join(map(str, odd))}")
    holders: dict[Holder, int] = {"collective": scenario.collectives, "individual": scenario.individuals}
    for holder, count in holders.items():
        if count:
            quote(scenario.reward_form, holder, scenario.reward_on)


def _check_counts(scenario: Scenario, file: ScenarioFile) -> None:
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
        stated, counted = getattr(file.totals, name), getattr(scenario, name)
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


def _check_days(scenario: Scenario) -> None:
    if not tiers(scenario.set_up_on):
        raise ScenarioError(
            f"council.on: {day(scenario.set_up_on)} chưa có Điều lệ Sáng kiến (25/04/2012) · there was no statute on"
            " initiatives yet (25 April 2012)"
        )
    ends = scenario.district_valid_to
    if ends and ends < scenario.reward_on:
        raise ScenarioError(
            f"district.valid_to: {scenario.district} chỉ có đến {day(ends)}, quyết định khen thưởng ký sau đó · the"
            " reward decision is signed after the district's last day"
        )
    reformed = scenario.reformed_on
    if bool(reformed) != bool(scenario.reformed_by) or (reformed and reformed <= scenario.set_up_on):
        raise ScenarioError(
            "council: kiện toàn cần cả reformed_by và reformed_on, sau ngày thành lập · a reform has both reformed_by"
            " and reformed_on, after the council was set up"
        )


def _remarks(scenario: Scenario, file: ScenarioFile) -> Iterator[str]:
    if odd := ", ".join(unused(file)):
        yield f"Không dùng đến · Has no effect: {odd}"
    if scenario.tier != "district" and not scenario.of_ward:
        yield "Từ 01/07/2025 không còn cấp quận: hội đồng họp ở cấp cơ sở · no district tier: it sits at the grassroots"
    stated: dict[Holder, int | None] = {
        "collective": file.reward.per_collective_vnd,
        "individual": file.reward.per_individual_vnd,
    }
    counts = {"collective": scenario.collectives, "individual": scenario.individuals}
    for holder, amount in stated.items():
        if amount is None or not counts[holder]:
            continue
        due = quote(scenario.reward_form, holder, scenario.reward_on).amount_vnd
        if due != amount:
            yield (
                f"reward.per_{holder}_vnd: kịch bản ghi {vnd(amount)}, theo quy định là {vnd(due)} · the file says"
                f" {vnd(amount)}, the rules say {vnd(due)}"
            )
