"""Answer the formal check of many dossiers, each by itself (Nghị định 13/2012, Điều 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sangkien.kernel import Refusal
from sangkien.review.application.acting import Turns, act_date, check_batch
from sangkien.review.application.ports import DONE, Clock, Decision, Outcome, Records, Rulebook, Units
from sangkien.review.domain.case import Case
from sangkien.review.domain.errors import CaseNotFound, RefusalReasonUnknown, ShortcomingUnknown, VerdictMissing


@dataclass(frozen=True, slots=True)
class Accept:
    """The filing is valid."""


@dataclass(frozen=True, slots=True)
class Supplement:
    """The filing lacks something."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """The filing is refused."""

    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    """One answer; `expected` is the version of the case the caller saw, 0 for any."""

    dossier_id: str
    expected: int
    verdict: Accept | Supplement | Refuse | None


@dataclass(frozen=True, slots=True)
class CheckDossiers:
    """Decides every check on its own; the same answer again is done already, another one is a conflict."""

    records: Records
    units: Units
    rules: Rulebook
    clock: Clock

    async def __call__(self, checks: Sequence[Check], checked_on: date | None, caller: str) -> list[Outcome]:
        """One outcome a check, in order. Raises TooManyItems, ActInFuture."""
        check_batch(checks, "checks")
        on = act_date(checked_on, self.clock, "checked_on")

        async def decide(items: Sequence[Check]) -> list[Decision]:
            cases = await self.records.cases([check.dossier_id for check in items])
            turns = Turns()
            return [
                turns.twice(check.dossier_id, check) or self._decide(check, cases.get(check.dossier_id), on, caller)
                for check in items
            ]

        return await self.units.each("review.check", checks, decide)

    def _decide(self, check: Check, case: Case | None, on: date, caller: str) -> Decision:
        try:
            if case is None:
                raise CaseNotFound(field="dossier_id")
            case.hide_from(caller)
            return [case] if self._apply(check, case, on) else DONE
        except Refusal as refusal:
            return refusal

    def _apply(self, check: Check, case: Case, on: date) -> bool:
        match check.verdict:
            case Accept():
                return case.accept(on, self.rules.decide_by(on), expected=check.expected)
            case Supplement(codes):
                known = self.rules.shortcomings(on)
                if not codes or set(codes) - set(known):
                    raise ShortcomingUnknown(field="supplement.codes", known=", ".join(known))
                return case.ask_supplement(codes, on, self.rules.supplement_due(on), expected=check.expected)
            case Refuse(reason):
                known = self.rules.refusal_reasons(on)
                if reason not in known:
                    raise RefusalReasonUnknown(field="refuse.reason", known=", ".join(known))
                return case.refuse(reason, on, expected=check.expected)
            case None:
                raise VerdictMissing(field="verdict")
