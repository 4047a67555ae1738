"""Facts that exchange publishes: what came from other nodes, for the services of this one."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from sangkien.contracts.events.base import Event
from sangkien.contracts.events.directory import Succession
from sangkien.contracts.events.recognition import RecordLine


class ForeignRoundAnnounced(Event):
    """A council of another node takes dossiers: intake lets people file for its round."""

    TYPE: ClassVar[str] = "ev.exchange.round.announced.v1"

    round_id: str
    node: str = Field(description="the node whose council it is")
    name: str
    tier: Literal["grassroots", "district", "city", "national"]
    owner_id: str
    opens_on: date
    closes_on: date
    closed_on: date | None = None


class ForeignOrganisationAsserted(Event):
    """Another node says what holds of an organisation of its own. It has the authority; here it is read only."""

    TYPE: ClassVar[str] = "ev.exchange.organisation.asserted.v1"

    organisation_id: str
    node: str = Field(description="that asserts it")
    kind: str
    name: str
    parent_id: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    successors: tuple[Succession, ...] = ()
    predecessors: tuple[Succession, ...] = ()


class ForeignRecordAsserted(Event):
    """Lines of the record that a person of this node has at another one, over a link that both sides confirmed."""

    TYPE: ClassVar[str] = "ev.exchange.record.asserted.v1"

    link_id: str
    node: str = Field(description="that asserts them")
    person_id: str = Field(description="here")
    lines: tuple[RecordLine, ...]


class ForeignAnswerReceived(Event):
    """The node a dossier was filed to said what became of it. The node asserts it; nobody here decided it."""

    TYPE: ClassVar[str] = "ev.exchange.dossier.answered.v1"

    dossier_id: str
    version: int
    node: str
    answer: Literal[
        "received",
        "not_received",
        "accepted",
        "supplement_requested",
        "refused",
        "voted",
        "recognised",
        "not_recognised",
        "withdrawn",
    ]
    remote_id: str = ""
    code: str = ""
    answer_due: date | None = None
    reason: str = ""
    decision_symbol: str = ""
    on: date
    author_ids: tuple[str, ...] = Field(default=(), description="of the dossier, person ids here: those who are told")


class ForeignCertificateReceived(Event):
    """The node that recognised a dossier of this one issued a certificate to an author. That node asserts it."""

    TYPE: ClassVar[str] = "ev.exchange.certificate.received.v1"

    dossier_id: str
    node: str
    certificate_id: str = Field(description="at that node")
    number: str
    person_id: str = Field(default="", description="the author here; empty when that node named nobody of the dossier")
    told_ids: tuple[str, ...] = Field(default=(), description="who are told: the author, or all of the dossier's")
    data_sha256: str
    check_code: str = Field(description="what anyone checks the certificate by, at that node")
    issued_on: date


class ForeignDecisionSummarised(Event):
    """A node below this one issued a recognition decision: how many initiatives it recognised and refused."""

    TYPE: ClassVar[str] = "ev.exchange.decision.summarised.v1"

    node: str
    decision_id: str = Field(description="at that node")
    symbol: str
    round_id: str = Field(description="at that node")
    round_name: str = ""
    tier: Literal["grassroots", "district", "city", "national"]
    recognised: int
    refused: int
    issued_on: date
