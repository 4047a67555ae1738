"""Facts that intake publishes: a dossier until it is accepted for review."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from sangkien.contracts.events.base import Event


class AuthorShare(BaseModel):
    """One author and the part of the initiative that is theirs (Decree 13/2012/NĐ-CP, article 5(3)(b))."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    person_id: str
    share: int = Field(description="hundredths of a percent; the shares of one dossier sum to 10000")


class DossierFacts(Event):
    """What review needs to know of a dossier at one version; the full text and evidence stay with intake."""

    dossier_id: str
    version: int = Field(description="1 at filing, one more at every supplement")
    code: str = Field(description="the human-readable receipt code")
    round_id: str = Field(description="the review round it was filed for; empty when the round is not chosen yet")
    tier: Literal["grassroots", "district", "city", "national"]
    initiative_id: str = Field(default="", description="the recognised initiative a higher-tier dossier is about")
    title: str
    field: str = Field(description="field of application, code of the pick-list")
    unit_id: str = Field(description="organisation the authors file from")
    authors: tuple[AuthorShare, ...]
    filed_on: date
    first_applied_on: date | None
    head_author: bool = Field(default=False, description="an author heads the unit that recognises")
    state_funded: bool = False
    filed_by: str = Field(default="", description="person id of the officer who filed on the authors' behalf, or empty")
    competent_node: str = Field(default="", description="the node whose council decides; empty when it is this one")


class DossierSubmitted(DossierFacts):
    """A dossier was filed and receipted (Circular 18/2013/TT-BKHCN, article 6(1))."""

    TYPE: ClassVar[str] = "ev.intake.dossier.submitted.v1"

    answer_due: date = Field(description="when the formal check is to be answered; printed on the receipt")


class DossierSupplemented(DossierFacts):
    """The authors mended the shortcomings they were told of: same dossier, next version."""

    TYPE: ClassVar[str] = "ev.intake.dossier.supplemented.v1"


class DossierWithdrawn(Event):
    """All authors took the dossier back before it was decided."""

    TYPE: ClassVar[str] = "ev.intake.dossier.withdrawn.v1"

    dossier_id: str
    version: int
    withdrawn_on: date
    round_id: str = Field(default="", description="the review round it was filed for")
    competent_node: str = Field(default="", description="the node whose council decides; empty when it is this one")
