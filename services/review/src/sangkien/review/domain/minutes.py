"""Minutes: the fixed record of a closed session."""

from dataclasses import dataclass

from sangkien.kernel import Aggregate
from sangkien.review.domain.case import Case
from sangkien.review.domain.tally import Tally


@dataclass(frozen=True, slots=True)
class MinutesLine:
    """One dossier in the minutes, as it was then. `outcome` is "" for one taken back before its vote."""

    dossier_id: str
    code: str
    title: str
    unit_id: str
    outcome: str
    tally: Tally | None
    mean_tenths: int | None
    qualifies: bool

    @classmethod
    def of(cls, case: Case, session_id: str) -> "MinutesLine":
        """What the minutes of the session say of a case."""
        vote = case.vote if case.vote and case.vote.session_id == session_id else None
        return cls(
            dossier_id=case.id,
            code=case.facts.code,
            title=case.facts.title,
            unit_id=case.facts.unit_id,
            outcome=("passed" if vote.passed else "failed") if vote else "",
            tally=vote.tally if vote else None,
            mean_tenths=case.score.mean_tenths if case.score else None,
            qualifies=bool(case.score and case.score.qualifies),
        )


@dataclass(frozen=True, slots=True)
class Minutes:
    """The minutes of a closed session; never changed. Numbers run from 1 within a council and a calendar year.

    Nghị định 30/2020, Điều 15.
    """

    session_id: str
    council_id: str
    year: int
    number: int
    lines: tuple[MinutesLine, ...]


@dataclass(eq=False)
class MinutesRegister(Aggregate):
    """The numbers a council gave its minutes in one calendar year: without gaps, in the order of closing."""

    council_id: str
    year: int
    last: int = 0

    @property
    def id(self) -> str:
        """One register a council and year."""
        return f"{self.council_id}:{self.year}"

    def take(self) -> int:
        """The next number; the register is saved in one unit with what bears it."""
        self.last += 1
        return self.last
