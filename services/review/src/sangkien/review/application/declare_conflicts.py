"""A member says that dossiers are too near to judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sangkien.kernel import Refusal
from sangkien.review.application.acting import check_batch
from sangkien.review.application.ports import DONE, Clock, Decision, Outcome, Records, Rulebook, Units
from sangkien.review.domain.case import Case
from sangkien.review.domain.council import Council
from sangkien.review.domain.errors import CaseNotFound, NotAMember
from sangkien.review.domain.sheet import Score


@dataclass(frozen=True, slots=True)
class DeclareConflicts:
    """What was declared is never taken back; the member learns no more of the dossier."""

    records: Records
    units: Units
    rules: Rulebook
    clock: Clock

    async def __call__(self, dossier_ids: Sequence[str], caller: str) -> list[Outcome]:
        """One outcome a dossier, in order. Raises TooManyItems."""
        check_batch(dossier_ids, "dossier_ids")

        async def decide(items: Sequence[str]) -> list[Decision]:
            cases = await self.records.cases(items)
            rounds = await self.records.rounds(sorted({case.round_id for case in cases.values()}))
            councils = await self.records.councils(sorted({one.council_id for one in rounds.values()}))
            seen, decisions = set[str](), list[Decision]()
            for id in items:
                case = cases.get(id)
                council = councils[rounds[case.round_id].council_id] if case else None
                decisions.append(DONE if id in seen else self._decide(case, council, caller))
                seen.add(id)
            return decisions

        return await self.units.each("review.conflict", dossier_ids, decide)

    def _decide(self, case: Case | None, council: Council | None, caller: str) -> Decision:
        try:
            if case is None or council is None:
                raise CaseNotFound(field="dossier_id")
            if not council.ever_had(caller):
                raise NotAMember(field="dossier_id", position=1)
            on = case.accepted_on or self.clock.today()

            def score(sheets: Sequence[Mapping[str, int]]) -> Score:
                return self.rules.scale(council.jurisdiction, case.tier, on).score(sheets)

            needed = self.rules.min_reviewers(on, council.jurisdiction)
            return [case] if case.declare_conflict(caller, score, needed=needed) else DONE
        except Refusal as refusal:
            return refusal
