"""Ask members of the council for their sheets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sangkien.kernel import Refusal
from sangkien.review.application.acting import Turns, act_date, check_batch
from sangkien.review.application.ports import DONE, Clock, Decision, Outcome, Records, Rulebook, Units
from sangkien.review.domain.case import Case
from sangkien.review.domain.council import Council
from sangkien.review.domain.errors import CaseNotFound, DateBefore


@dataclass(frozen=True, slots=True)
class Assignment:
    """Whom to ask about one dossier."""

    dossier_id: str
    reviewer_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssignReviewers:
    """Refuses authors, declared conflicts and whoever is no member of the council on the day of the assignment."""

    records: Records
    units: Units
    rules: Rulebook
    clock: Clock

    async def __call__(
        self, assignments: Sequence[Assignment], assigned_on: date | None, due: date | None, caller: str
    ) -> list[Outcome]:
        """One outcome an assignment, in order. Raises TooManyItems, ActInFuture, DateBefore for an early `due`."""
        check_batch(assignments, "assignments")
        on = act_date(assigned_on, self.clock, "assigned_on")
        if due is not None and due < on:
            raise DateBefore(field="due", day=due.isoformat(), earliest=on.isoformat())

        async def decide(items: Sequence[Assignment]) -> list[Decision]:
            cases = await self.records.cases([item.dossier_id for item in items])
            rounds = await self.records.rounds(sorted({case.round_id for case in cases.values()}))
            councils = await self.records.councils(sorted({one.council_id for one in rounds.values()}))
            turns, decisions = Turns(), list[Decision]()
            sitting = _Sitting(on)
            for item in items:
                case = cases.get(item.dossier_id)
                council = councils[rounds[case.round_id].council_id] if case else None
                decisions.append(
                    turns.twice(item.dossier_id, item)
                    or self._decide(item, case, council, sitting, due=due, caller=caller)
                )
            return decisions

        return await self.units.each("review.assign", assignments, decide)

    def _decide(
        self,
        item: Assignment,
        case: Case | None,
        council: Council | None,
        sitting: "_Sitting",
        *,
        due: date | None,
        caller: str,
    ) -> Decision:
        try:
            if case is None or council is None:
                raise CaseNotFound(field="dossier_id")
            case.hide_from(caller)
            changed = case.assign(
                item.reviewer_ids,
                sitting.on,
                due,
                members=sitting.members(council),
                needed=self.rules.min_reviewers(case.accepted_on or sitting.on, council.jurisdiction),
            )
            return [case] if changed else DONE
        except Refusal as refusal:
            return refusal


class _Sitting:
    """Who sits on each council on one day, worked out once a batch."""

    def __init__(self, on: date) -> None:
        self.on = on
        self._members: dict[str, frozenset[str]] = {}

    def members(self, council: Council) -> frozenset[str]:
        if council.id not in self._members:
            self._members[council.id] = frozenset(member.person_id for member in council.members_on(self.on))
        return self._members[council.id]
