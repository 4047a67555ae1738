"""What happened in recognition."""

from dataclasses import dataclass
from datetime import date

from sangkien.recognition.domain.candidate import Author


@dataclass(frozen=True, slots=True)
class DecisionSigned:
    """A decision took its number and stands."""

    decision_id: str
    number: int
    symbol: str
    issued_on: date
    issuer_id: str
    round_id: str
    tier: str
    recognised: int
    refused: int


@dataclass(frozen=True, slots=True)
class InitiativeEntered:
    """An initiative entered the register at a tier."""

    initiative_id: str
    dossier_id: str
    decision_id: str
    decision_symbol: str
    round_id: str
    tier: str
    title: str
    unit_id: str
    authors: tuple[Author, ...]
    recognised_on: date


@dataclass(frozen=True, slots=True)
class DossierTurnedDown:
    """The decision did not recognise a dossier; `reason` is a code of `domain.candidate`."""

    dossier_id: str
    decision_id: str
    decision_symbol: str
    round_id: str
    author_ids: tuple[str, ...]
    reason: str
    decided_on: date


@dataclass(frozen=True, slots=True)
class CertificateFixed:
    """What a certificate asserts was fixed for one author."""

    certificate_id: str
    initiative_id: str
    dossier_id: str
    round_id: str
    person_id: str
    number: str
    data_sha256: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One recognition of one person. `dossier_id` is known where it was given, and goes no further."""

    initiative_id: str
    tier: str
    version: int
    title: str
    share: int
    decision_symbol: str
    issued_on: date
    certificate_number: str = ""
    revoked_on: date | None = None
    dossier_id: str = ""

    @property
    def key(self) -> str:
        """An initiative enters each tier once."""
        return f"{self.initiative_id}:{self.tier}"


@dataclass(frozen=True, slots=True)
class RecordWasChanged:
    """Lines of a person's record for the node at the other end of a link; `number` counts what was told over it."""

    link_id: str
    node: str
    number: int
    lines: tuple[RecordLine, ...]


RecognitionEvent = DecisionSigned | InitiativeEntered | DossierTurnedDown | CertificateFixed | RecordWasChanged
