"""What crosses between nodes: one model a message type, and who may send it to whom (ADR 0008).

A type ends the NATS subject: `out.<receiver>.<type>` at the sender, `in.<sender>.<type>` at the receiver.
The body is the JSON of the model. Bodies carry names where the receiver needs them to act; nothing of a body but its
hash stays at the hub once it was delivered.
"""

from base64 import b64decode
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sangkien.contracts.events.base import UndecodableEvent
from sangkien.contracts.events.directory import Succession
from sangkien.contracts.events.recognition import RecordLine
from sangkien.contracts.links import Grounds, Sought

HUB: Final = "hub"
"""The one name no node may bear: where receipts, echoes and goodbyes go to."""
PROFILES: Final = ("city", "department", "district", "ward", "union", "enterprise")
MOST_BODY_BYTES: Final = 512 * 1024
"""Of one message; what is larger travels as a file, in chunks."""
MOST_CHUNK_BYTES: Final = 256 * 1024
"""Of a file in one message: a body of some 342 KiB."""
MOST_WINDOW_BYTES: Final = 8 * MOST_CHUNK_BYTES
"""Of a file on its way at once: the next window is asked for when this one came, and other messages go between them."""

Tier = Literal["grassroots", "district", "city", "national"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Crossing(BaseModel):
    """One message to another node. `key` is what a receiver takes once, whatever the message's id."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    TYPE: ClassVar[str]

    def key(self) -> str:
        """The business key: `<type>:<what it is about>`, the same whenever the same thing is said again."""
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """The body as it is sealed and sent."""
        return self.model_dump_json().encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read a body of this type. Raises UndecodableEvent, which names places and reasons, never values."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            places = "; ".join(
                f"{'.'.join(str(part) for part in e['loc']) or 'body'}: {e['type']}"
                for e in error.errors(include_url=False, include_context=False, include_input=False)[:5]
            )
            raise UndecodableEvent(cls.TYPE, places) from None


class RoundAnnounced(Crossing):
    """A council's round opened or closed: who files to that node may file for it from their own."""

    TYPE: ClassVar[str] = "round.announced.v1"

    round_id: str
    version: int = Field(description="of the round; a lower one is older news")
    name: str = Field(max_length=300)
    tier: Tier
    owner_id: str
    opens_on: date
    closes_on: date
    closed_on: date | None = None
    epoch: int = Field(default=1, ge=1, description="the receiver's life: one that joined anew is told anew")

    def key(self) -> str:
        life = "" if self.epoch == 1 else f":{self.epoch}"
        return f"{self.TYPE}:{self.round_id}:{self.version}{life}"


class FiledAuthor(BaseModel):
    """One author as the receiver's register needs them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ref: str = Field(description="person id at the sender", max_length=100)
    full_name: str = Field(min_length=1, max_length=200)
    birth_date: date | None = None
    unit_name: str = Field(default="", max_length=300)
    job_title: str = Field(default="", max_length=200)
    staff_code: str = Field(default="", max_length=60)
    share: int = Field(ge=1, le=10_000, description="hundredths of a percent; the shares of one dossier sum to 10000")


class AttachedFile(BaseModel):
    """A file that travels by itself, named by its content."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sha256: Sha256
    size: int = Field(ge=1)
    name: str = Field(max_length=200)


class DossierFiled(Crossing):
    """A dossier for the council of the receiver: from a union to the competent one, or from a council upwards."""

    TYPE: ClassVar[str] = "dossier.filed.v1"

    dossier_id: str = Field(description="at the sender")
    version: int = Field(ge=1)
    code: str = Field(description="the sender's receipt code")
    round_id: str = Field(description="the receiver's round")
    tier: Tier
    initiative_id: str = Field(default="", description="the initiative already recognised below, at the sender")
    decision_symbol: str = Field(default="", description="by which it was recognised there")
    title: str = Field(min_length=1, max_length=500)
    field: str = Field(max_length=300)
    unit_name: str = Field(max_length=300)
    authors: tuple[FiledAuthor, ...] = Field(min_length=1)
    first_applied_on: date | None = None
    filed_on: date
    summary: str = ""
    benefit: str = ""
    benefit_vnd: int = Field(default=0, ge=0)
    confidential: str = ""
    head_author: bool = False
    state_funded: bool = False
    files: tuple[AttachedFile, ...] = Field(default=(), max_length=20, description="asked for one by one afterwards")

    def key(self) -> str:
        return f"{self.TYPE}:{self.dossier_id}:{self.version}"


class DossierTakenBack(Crossing):
    """The authors of a dossier that was filed to the receiver took it back, or would like to."""

    TYPE: ClassVar[str] = "dossier.withdrawn.v1"

    dossier_id: str = Field(description="at the sender")
    version: int = Field(ge=1)
    on: date

    def key(self) -> str:
        return f"{self.TYPE}:{self.dossier_id}:{self.version}"


Answer = Literal[
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


class DossierAnswered(Crossing):
    """What became of a dossier at the node it was filed to."""

    TYPE: ClassVar[str] = "dossier.answered.v1"

    dossier_id: str = Field(description="at the node that filed it")
    version: int = Field(default=1, ge=1)
    answer: Answer
    remote_id: str = Field(default="", description="dossier id at the node that answers")
    code: str = Field(default="", description="receipt code at the node that answers")
    answer_due: date | None = Field(
        default=None,
        description="by when that node must answer next; of a requested supplement, until when it may be filed",
    )
    reason: str = Field(default="", description="code of a refusal or the shortcomings, comma-separated")
    decision_symbol: str = ""
    initiative_id: str = Field(default="", description="in the register of the node that answers")
    on: date

    def key(self) -> str:
        return f"{self.TYPE}:{self.dossier_id}:{self.version}:{self.answer}"


class CertificateSent(Crossing):
    """A certificate was issued to an author whom the receiver registered."""

    TYPE: ClassVar[str] = "certificate.issued.v1"

    dossier_id: str = Field(description="at the receiver")
    certificate_id: str
    number: str
    author_ref: str = Field(description="person id at the receiver")
    data_sha256: Sha256
    issued_on: date

    def key(self) -> str:
        return f"{self.TYPE}:{self.certificate_id}"


class DecisionSummarised(Crossing):
    """Counts of one recognition decision, for the reports of the node above."""

    TYPE: ClassVar[str] = "decision.summarised.v1"

    decision_id: str
    symbol: str
    round_id: str
    round_name: str = Field(default="", max_length=300)
    tier: Tier
    recognised: int = Field(ge=0)
    refused: int = Field(ge=0)
    issued_on: date

    def key(self) -> str:
        return f"{self.TYPE}:{self.decision_id}"


class FileWanted(Crossing):
    """Asks the node that attached a file for one window of it; what came so far lies below the offset.

    `attempt` counts on whenever an answer was lost or the file is begun anew: a repeat of one question is one message.
    """

    TYPE: ClassVar[str] = "file.wanted.v1"

    sha256: Sha256
    offset: int = Field(ge=0)
    length: int = Field(ge=1, le=MOST_WINDOW_BYTES, description="at most this many bytes, in chunks")
    attempt: int = Field(ge=1)

    def key(self) -> str:
        return f"{self.TYPE}:{self.sha256}:{self.offset}:{self.attempt}"


class FileChunk(Crossing):
    """A part of a file that was wanted, in order, under the attempt of the question."""

    TYPE: ClassVar[str] = "file.chunk.v1"

    sha256: Sha256
    offset: int = Field(ge=0)
    size: int = Field(ge=1, description="of the whole file")
    data: str = Field(max_length=-(-MOST_CHUNK_BYTES // 3) * 4, description="base64 (RFC 4648 section 4), padded")
    attempt: int = Field(ge=1)

    @field_validator("data")
    @classmethod
    def _is_base64(cls, data: str) -> str:
        if not 0 < len(b64decode(data, validate=True)) <= MOST_CHUNK_BYTES:
            raise ValueError("too little or too much")
        return data

    @property
    def content(self) -> bytes:
        """The part itself."""
        return b64decode(self.data)

    def key(self) -> str:
        return f"{self.TYPE}:{self.sha256}:{self.offset}:{self.attempt}"


class FileGone(Crossing):
    """The node that attached a file does not have it any more."""

    TYPE: ClassVar[str] = "file.gone.v1"

    sha256: Sha256
    attempt: int = Field(ge=1, description="of the question")

    def key(self) -> str:
        return f"{self.TYPE}:{self.sha256}:{self.attempt}"


class FileHeld(Crossing):
    """The receiver of a file has all of it, and its hash is right."""

    TYPE: ClassVar[str] = "file.held.v1"

    sha256: Sha256
    attempt: int = Field(ge=1, description="that brought the last of it")

    def key(self) -> str:
        return f"{self.TYPE}:{self.sha256}:{self.attempt}"


class AssertedOrganisation(BaseModel):
    """What holds of an organisation of the sender; no day means no bound."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    organisation_id: str = Field(max_length=100, description="begins with the sender's node id and a colon")
    version: int = Field(ge=1, description="of the organisation; a lower one is older news")
    kind: str = Field(max_length=40)
    name: str = Field(max_length=300)
    parent_id: str = Field(default="", max_length=100)
    valid_from: date | None = None
    valid_to: date | None = None
    successors: tuple[Succession, ...] = Field(default=(), max_length=200)
    predecessors: tuple[Succession, ...] = Field(default=(), max_length=200)

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("reversed")
        return self


class OrganisationChanged(Crossing):
    """Organisations of the sender's own subtree: what is new, renamed, moved, merged, split or closed."""

    TYPE: ClassVar[str] = "organisation.changed.v1"

    organisations: tuple[AssertedOrganisation, ...] = Field(min_length=1, max_length=100)
    batch: Sha256 = Field(description="of what is told, so that telling it again is the same message")
    epoch: int = Field(ge=1, description="the receiver's life: one that joined anew is told anew")

    def key(self) -> str:
        return f"{self.TYPE}:{self.batch}:{self.epoch}"


class PersonLinkProposed(Crossing):
    """A person of the sender is one that the receiver has: asks it to confirm, and for that person's record."""

    TYPE: ClassVar[str] = "person.link_proposed.v1"

    link_id: str = Field(max_length=100, description="the sender's node id, a slash, and what it counts by")
    asking_ref: str = Field(max_length=100, description="person id at the sender")
    sought: Sought
    grounds: Grounds
    on: date

    def key(self) -> str:
        return f"{self.TYPE}:{self.link_id}"


class PersonLinkAnswered(Crossing):
    """What became of a proposed link, from whoever decided it. A refusal gives no reason: it would say who is known."""

    TYPE: ClassVar[str] = "person.link_answered.v1"

    link_id: str = Field(max_length=100)
    answer: Literal["confirmed", "refused", "withdrawn", "revoked"]
    person_ref: str = Field(default="", max_length=100, description="person id at the sender, once confirmed")
    asks_too: bool = Field(default=False, description="who confirms had proposed the same: the record goes both ways")
    on: date

    def key(self) -> str:
        return f"{self.TYPE}:{self.link_id}:{self.answer}"


class PersonRecord(Crossing):
    """Lines of a person's record at the sender, over a link that both sides confirmed: all at first, then changes."""

    TYPE: ClassVar[str] = "person.record.v1"

    link_id: str = Field(max_length=100)
    number: int = Field(ge=1, description="counts what the sender told over the link")
    lines: tuple[RecordLine, ...] = Field(min_length=1, max_length=100)

    def key(self) -> str:
        return f"{self.TYPE}:{self.link_id}:{self.number}"


class Echo(Crossing):
    """A signed word to the hub, whose receipt proves the way there and back."""

    TYPE: ClassVar[str] = "node.echo.v1"

    text: str = Field(max_length=100)

    def key(self) -> str:
        return f"{self.TYPE}:{self.text}"


class Goodbye(Crossing):
    """The node leaves: nothing follows in this epoch."""

    TYPE: ClassVar[str] = "node.leaving.v1"

    on: date

    def key(self) -> str:
        return self.TYPE


class RegistryChanged(Crossing):
    """The hub's word on one node: only the hub sends it."""

    TYPE: ClassVar[str] = "registry.changed.v1"

    node: str
    version: int
    name: str
    profile: Literal["city", "department", "district", "ward", "union", "enterprise"]
    parent: str
    state: Literal["invited", "joining", "active", "suspended", "leaving", "left"]
    epoch: int
    seal_keys: tuple[str, ...]

    def key(self) -> str:
        return f"{self.TYPE}:{self.node}:{self.version}"


@dataclass(frozen=True, slots=True)
class Right:
    """Who may send a type to whom, by profile. `hub` stands for the hub itself."""

    model: type[Crossing]
    senders: frozenset[str]
    receivers: frozenset[str]


_COUNCILS: Final = frozenset({"city", "department", "district", "ward", "enterprise"})
_ALL: Final = frozenset(PROFILES)
_HUB: Final = frozenset({HUB})


def _rights(*rights: Right) -> dict[str, Right]:
    return {right.model.TYPE: right for right in rights}


RIGHTS = MappingProxyType(
    _rights(
        Right(RoundAnnounced, _COUNCILS, _ALL),
        Right(DossierFiled, _ALL, _COUNCILS),
        Right(DossierTakenBack, _ALL, _COUNCILS),
        Right(DossierAnswered, _COUNCILS, _ALL),
        Right(CertificateSent, _COUNCILS, _ALL),
        Right(DecisionSummarised, _COUNCILS, frozenset({"city", "department", "district"})),
        Right(FileWanted, _COUNCILS, _ALL),
        Right(FileChunk, _ALL, _COUNCILS),
        Right(FileGone, _ALL, _COUNCILS),
        Right(FileHeld, _COUNCILS, _ALL),
        Right(OrganisationChanged, _ALL, _ALL),
        Right(PersonLinkProposed, _ALL, _ALL),
        Right(PersonLinkAnswered, _ALL, _ALL),
        Right(PersonRecord, _COUNCILS, _COUNCILS),
        Right(Echo, _ALL, _HUB),
        Right(Goodbye, _ALL, _HUB),
        Right(RegistryChanged, _HUB, _ALL),
    )
)
"""Every type that may cross."""


def may_send(message_type: str, sender_profile: str, receiver_profile: str) -> bool:
    """Whether a node of one profile may send the type to one of another; an unknown type may not be sent."""
    right = RIGHTS.get(message_type)
    return right is not None and sender_profile in right.senders and receiver_profile in right.receivers
