"""Every event of the system, registered by type. See `docs/events.md` for the generated table."""

from sangkien.contracts.events.base import Event, UndecodableEvent, decode, event_types, service_of
from sangkien.contracts.events.directory import (
    OrganisationRegistered,
    OrganisationReorganised,
    PersonLinkChanged,
    PersonRegistered,
    Succession,
)
from sangkien.contracts.events.exchange import (
    ForeignAnswerReceived,
    ForeignCertificateReceived,
    ForeignDecisionSummarised,
    ForeignOrganisationAsserted,
    ForeignRecordAsserted,
    ForeignRoundAnnounced,
)
from sangkien.contracts.events.intake import (
    AuthorShare,
    DossierFacts,
    DossierSubmitted,
    DossierSupplemented,
    DossierWithdrawn,
)
from sangkien.contracts.events.recognition import (
    CertificateIssued,
    DecisionIssued,
    InitiativeRecognised,
    InitiativeRefused,
    RecordChanged,
    RecordLine,
)
from sangkien.contracts.events.review import (
    DossierAccepted,
    DossierRefused,
    DossierVoted,
    ReviewersAssigned,
    RoundClosed,
    RoundOpened,
    SessionClosed,
    SupplementRequested,
)
from sangkien.contracts.events.reward import EntitlementGranted, PaymentRecorded, RewardDecisionIssued

__all__ = [
    "AuthorShare",
    "CertificateIssued",
    "DecisionIssued",
    "DossierAccepted",
    "DossierFacts",
    "DossierRefused",
    "DossierSubmitted",
    "DossierSupplemented",
    "DossierVoted",
    "DossierWithdrawn",
    "EntitlementGranted",
    "Event",
    "ForeignAnswerReceived",
    "ForeignCertificateReceived",
    "ForeignDecisionSummarised",
    "ForeignOrganisationAsserted",
    "ForeignRecordAsserted",
    "ForeignRoundAnnounced",
    "InitiativeRecognised",
    "InitiativeRefused",
    "OrganisationRegistered",
    "OrganisationReorganised",
    "PaymentRecorded",
    "PersonLinkChanged",
    "PersonRegistered",
    "RecordChanged",
    "RecordLine",
    "ReviewersAssigned",
    "RewardDecisionIssued",
    "RoundClosed",
    "RoundOpened",
    "SessionClosed",
    "Succession",
    "SupplementRequested",
    "UndecodableEvent",
    "decode",
    "event_types",
    "service_of",
]
