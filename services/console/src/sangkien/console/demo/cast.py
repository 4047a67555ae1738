"""Units, people and dossiers of a made-up year, all from one seed. No name is a real person's."""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import yaml

from sangkien.console.demo.scenario import MOST_AUTHORS, RoundPlan, Scenario, titles

_SHARES = ((100,), (60, 40), (50, 30, 20))
"""Of one author, of two, of three."""
_NAMES = files("sangkien.console") / "scenarios" / "cast" / "names.yaml"


@dataclass(frozen=True, slots=True)
class PersonDraft:
    """A person as a unit's spreadsheet names them."""

    name: str
    birth_date: date
    job: str
    email: str


@dataclass(frozen=True, slots=True)
class DossierDraft:
    """A row of a unit's spreadsheet. Shares are whole percent, one for each author."""

    title: str
    unit: str
    field: str
    authors: tuple[PersonDraft, ...]
    shares: tuple[int, ...]
    first_applied_on: date
    filed_on: date


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody and everything of one run."""

    units: tuple[str, ...]
    """Names of all units below the district, enough for every collective that is to be rewarded."""
    rounds: tuple[tuple[DossierDraft, ...], ...]


class Casting:
    """Draws people and dossiers. The same scenario and seed give the same cast."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._scenario = scenario
        self._random = random.Random(f"{scenario.slug}:{seed}")  # noqa: S311 (a story, not a secret)
        self._people = 0
        self._names: dict[str, Any] = yaml.safe_load(_NAMES.read_text(encoding="utf-8"))

    def cast(self) -> Cast:
        schools = [f"Trường {name}" for name in self._names["schools"]]
        others = [f"Phường {name}" for name in self._names["wards"]] + self._names["offices"]
        given = [t.unit for t in self._scenario.titles] + [self._scenario.standing_body]
        for unit in given:
            group = schools if unit.startswith("Trường") else others
            if unit not in group:
                group.append(unit)
        drafts = [
            self._round(number, plan, schools if plan.education else others)
            for number, plan in enumerate(self._scenario.rounds, start=1)
        ]
        self._add_authors(drafts)
        units = schools + others
        team = 1
        while len(units) < self._scenario.collectives:
            units.append(f"Tổ chuyên môn số {team // len(schools) + 1} - {schools[team % len(schools)]}")
            team += 1
        return Cast(tuple(units), tuple(map(tuple, drafts)))

    def person(self, job: str) -> PersonDraft:
        """Somebody new."""
        pick, names = self._random.choice, self._names
        self._people += 1
        name = f"{pick(names['family'])} {pick(names['middle'])} {pick(names['given'])}"
        born = date(1965, 1, 1) + timedelta(days=self._random.randrange(36 * 365))
        return PersonDraft(name, born, job, f"nguoi-{self._people}@don-vi.example")

    def _add_authors(self, drafts: list[list[DossierDraft]]) -> None:
        """Co-authors, until as many people can be rewarded as the scenario says, whichever dossiers are recognised.

        There is room for them: a scenario that rewards more than `MOST_AUTHORS` for each recognised one is refused.
        """
        for count in range(1, MOST_AUTHORS):
            for place, plan in enumerate(self._scenario.rounds):
                if self._fewest_authors(drafts) >= self._scenario.individuals:
                    return
                drafts[place] = [
                    self._with_another(each, plan) if len(each.authors) == count else each for each in drafts[place]
                ]

    def _fewest_authors(self, drafts: list[list[DossierDraft]]) -> int:
        """Of those recognised, if the council recognised the dossiers with the fewest."""
        return sum(
            sum(sorted(len(each.authors) for each in filed)[: plan.recognised])
            for filed, plan in zip(drafts, self._scenario.rounds, strict=True)
        )

    def _with_another(self, draft: DossierDraft, plan: RoundPlan) -> DossierDraft:
        authors = self._joined(draft.authors, len(draft.authors) + 1, plan)
        return replace(draft, authors=authors, shares=_SHARES[len(authors) - 1])

    def _joined(self, authors: tuple[PersonDraft, ...], count: int, plan: RoundPlan) -> tuple[PersonDraft, ...]:
        """New people beside the authors, until there are so many, no two of one name."""
        jobs = self._names["jobs"]["education" if plan.education else "other"]
        while len(authors) < count:
            person = self.person(self._random.choice(jobs))
            if all(person.name != other.name for other in authors):
                authors = (*authors, person)
        return authors

    def _round(self, number: int, plan: RoundPlan, units: list[str]) -> list[DossierDraft]:
        named = [(t.title, t.unit) for t in self._scenario.titles if t.round == number][: plan.filed]
        pool = titles()["education" if plan.education else "other"]
        self._random.shuffle(pool)
        taken = {title for title, _ in named}
        fresh = [title for title in pool if title not in taken]
        for index in range(plan.filed - len(named)):
            unit = units[self._random.randrange(len(units))]
            lap, place = divmod(index, len(fresh))
            title = fresh[place] if not lap else f"{fresh[place]}: áp dụng tại {unit}, nhóm {lap}"
            named.append((title, unit))
        return [self._dossier(title, unit, plan) for title, unit in named]

    def _dossier(self, title: str, unit: str, plan: RoundPlan) -> DossierDraft:
        draw, kind = self._random, "education" if plan.education else "other"
        shares = draw.choices(_SHARES, weights=(60, 25, 15))[0]
        authors = self._joined((), len(shares), plan)
        filed_on = plan.opens_on + timedelta(days=draw.randrange((plan.closes_on - plan.opens_on).days + 1))
        first_applied_on = filed_on - timedelta(days=draw.randrange(30, 300))
        return DossierDraft(
            title, unit, draw.choice(self._names["fields"][kind]), authors, shares, first_applied_on, filed_on
        )
