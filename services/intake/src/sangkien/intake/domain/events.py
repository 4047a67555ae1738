"""What happened to a dossier while it was intake's.

A draft is told as it was filed: its round, tier and initiative, which it may leave open, are those of the dossier.
"""

from dataclasses import dataclass
from datetime import date

from sangkien.intake.domain.draft import Draft


@dataclass(frozen=True, slots=True)
class DossierFiled:
    """The first version was receipted; `answer_due` is printed on the receipt (TT 18/2013/TT-BKHCN, Điều 6(1))."""

    draft: Draft
    filed_by: str
    answer_due: date


@dataclass(frozen=True, slots=True)
class DossierMended:
    """The next version came in after shortcomings were notified."""

    draft: Draft
    revision: int
    filed_by: str


@dataclass(frozen=True, slots=True)
class DossierTakenBack:
    """The dossier was withdrawn before it was voted on."""

    revision: int
    withdrawn_on: date


DossierEvent = DossierFiled | DossierMended | DossierTakenBack
