"""What review makes of intake's facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sangkien.review.application.ports import Records
from sangkien.review.domain.case import Case, Facts
from sangkien.review.domain.errors import ReviewRoundNotFound


@dataclass(frozen=True, slots=True)
class Filed:
    """A dossier was filed or mended; `version` orders intake's facts about it, `traceparent` continues its trace."""

    dossier_id: str
    version: int
    round_id: str
    tier: str
    facts: Facts
    traceparent: str


@dataclass(frozen=True, slots=True)
class Mended(Filed):
    """The same dossier with its shortcomings mended."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """All authors took the dossier back."""

    dossier_id: str
    version: int


Fact = Filed | Mended | Withdrawn


@dataclass(frozen=True, slots=True)
class Followed:
    """The cases to save, and the places in the batch of facts about dossiers not seen yet: they have to wait."""

    cases: tuple[Case, ...]
    waiting: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FollowIntake:
    """Applies facts in whatever order they come: the older never undoes the newer."""

    records: Records

    async def __call__(self, facts: Sequence[Fact]) -> Followed:
        """Decide on a batch. Raises ReviewRoundNotFound for a round that review never opened; CaseStateForbids."""
        cases = dict(await self.records.cases([fact.dossier_id for fact in facts]))
        missing = sorted({fact.round_id for fact in facts if isinstance(fact, Filed) and fact.dossier_id not in cases})
        rounds = await self.records.rounds(missing)
        changed: dict[str, Case] = {}
        waiting: list[int] = []
        for place, fact in enumerate(facts):
            case = cases.get(fact.dossier_id)
            if case is None and not _opens(fact):
                waiting.append(place)
                continue
            after = _open(fact, rounds) if case is None else _apply(fact, case)
            if after is not None:
                cases[fact.dossier_id] = changed[fact.dossier_id] = after
        return Followed(tuple(changed.values()), tuple(waiting))


def _opens(fact: Fact) -> bool:
    return isinstance(fact, Filed) and not isinstance(fact, Mended)


def _open(fact: Fact, rounds: Mapping[str, object]) -> Case | None:
    if not isinstance(fact, Filed):
        return None
    if fact.round_id not in rounds:
        raise ReviewRoundNotFound(field="round_id")
    return Case.open(
        fact.dossier_id,
        round_id=fact.round_id,
        tier=fact.tier,
        facts=fact.facts,
        applied=fact.version,
        traceparent=fact.traceparent,
    )


def _apply(fact: Fact, case: Case) -> Case | None:
    match fact:
        case Mended():
            return case if case.supplement(fact.facts, fact.version) else None
        case Withdrawn():
            return case if case.withdraw(fact.version) else None
        case Filed():
            return None
