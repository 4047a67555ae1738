"""Facts that recognition publishes: decisions, recognised initiatives, certificates."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from sangkien.contracts.events.base import Event
from sangkien.contracts.events.intake import AuthorShare


class DecisionIssued(Event):
    """A recognition decision was signed and numbered (Decree 30/2020/NĐ-CP, article 15: the number only at issue)."""

    TYPE: ClassVar[str] = "ev.recognition.decision.issued.v1"

    decision_id: str
    number: int
    symbol: str = Field(description="printed form, e.g. 3034/QĐ-UBND")
    issued_on: date
    issuer_id: str = Field(description="organisation that issued it")
    round_id: str
    tier: Literal["grassroots", "district", "city", "national"]
    recognised: int
    refused: int


class InitiativeRecognised(Event):
    """One initiative entered the register at a tier; at the first tier a certificate follows for each author."""

    TYPE: ClassVar[str] = "ev.recognition.initiative.recognised.v1"

    initiative_id: str
    dossier_id: str
    decision_id: str
    decision_symbol: str
    round_id: str
    tier: Literal["grassroots", "district", "city", "national"]
    title: str
    unit_id: str
    authors: tuple[AuthorShare, ...]
    recognised_on: date


class InitiativeRefused(Event):
    """The decision did not recognise the dossier; reasons are due in writing (Decree 13/2012/NĐ-CP, article 7(1))."""

    TYPE: ClassVar[str] = "ev.recognition.initiative.refused.v1"

    dossier_id: str
    decision_id: str
    decision_symbol: str
    round_id: str
    author_ids: tuple[str, ...]
    reason: str
    decided_on: date


class RecordLine(BaseModel):
    """One recognition of one person, as the node that gave it asserts it. No name, of them or of co-authors."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    initiative_id: str = Field(max_length=100)
    tier: Literal["grassroots", "district", "city", "national"]
    version: int = Field(ge=1, description="of the line; a lower one is older news")
    title: str = Field(max_length=500)
    share: int = Field(ge=1, le=10_000, description="hundredths of a percent")
    decision_symbol: str = Field(max_length=100)
    issued_on: date
    certificate_number: str = Field(default="", max_length=100)
    revoked_on: date | None = None


class RecordChanged(Event):
    """Lines of a person's record that are new or changed, for the node at the other end of a confirmed link."""

    TYPE: ClassVar[str] = "ev.recognition.record.changed.v1"

    link_id: str
    node: str
    number: int = Field(ge=1, description="counts what was told over the link")
    lines: tuple[RecordLine, ...] = Field(min_length=1, max_length=100)


class CertificateIssued(Event):
    """A certificate was fixed for one author: its data and hash stand, the PDF is rendered when first asked for."""

    TYPE: ClassVar[str] = "ev.recognition.certificate.issued.v1"

    certificate_id: str
    initiative_id: str
    dossier_id: str
    round_id: str
    person_id: str
    number: str
    data_sha256: str
    issued_on: date
