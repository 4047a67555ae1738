"""Hand in a reviewer's own score sheets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sangkien.kernel import Refusal
from sangkien.review.application.acting import Turns, check_batch
from sangkien.review.application.ports import DONE, Clock, Decision, Outcome, Records, Rulebook, Units
from sangkien.review.domain.case import Case
from sangkien.review.domain.errors import CaseNotFound, ScoreTwice, SheetHandedIn
from sangkien.review.domain.round import Round
from sangkien.review.domain.sheet import ScoreSheet


@dataclass(frozen=True, slots=True)
class Sheet:
    """Points by criterion code; a criterion named twice keeps both, and is refused."""

    dossier_id: str
    scores: tuple[tuple[str, int], ...]
    comment: str


@dataclass(frozen=True, slots=True)
class SubmitSheets:
    """A sheet is immutable: the same again is done already, another one is a conflict.

    The scale is the one in force on the day the dossier was accepted, whatever changed since.
    """

    records: Records
    units: Units
    rules: Rulebook
    clock: Clock

    async def __call__(self, sheets: Sequence[Sheet], caller: str) -> list[Outcome]:
        """One outcome a sheet, in order. Raises TooManyItems."""
        check_batch(sheets, "sheets")

        async def decide(items: Sequence[Sheet]) -> list[Decision]:
            cases = await self.records.cases([item.dossier_id for item in items])
            known = await self.records.sheets([f"{item.dossier_id}:{caller}" for item in items])
            rounds = await self.records.rounds(sorted({case.round_id for case in cases.values()}))
            turns = Turns()
            return [
                turns.twice(item.dossier_id, item)
                or self._decide(item, cases.get(item.dossier_id), known, rounds, caller)
                for item in items
            ]

        return await self.units.each("review.sheet", sheets, decide)

    def _decide(
        self,
        item: Sheet,
        case: Case | None,
        known: Mapping[str, ScoreSheet],
        rounds: Mapping[str, Round],
        caller: str,
    ) -> Decision:
        try:
            if case is None:
                raise CaseNotFound(field="dossier_id")
            case.hide_from(caller)
            jurisdiction = rounds[case.round_id].jurisdiction
            on = case.accepted_on or self.clock.today()
            scale = self.rules.scale(jurisdiction, case.tier, on)
            scores = dict(item.scores)
            if len(scores) < len(item.scores):
                raise ScoreTwice(field="scores")
            sheet = ScoreSheet(case.id, caller, scores, item.comment, scale.rule_set)
            if (before := known.get(sheet.id)) is not None:
                if before == sheet:
                    return DONE
                raise SheetHandedIn(field="dossier_id")
            scale.check(scores)
            case.hand_in(sheet, scale.score, needed=self.rules.min_reviewers(on, jurisdiction))
            return [sheet, case]
        except Refusal as refusal:
            return refusal
