"""Facts that directory publishes: the dated tree of organisations. Personal data never leaves in an event."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from sangkien.contracts.events.base import Event


class OrganisationRegistered(Event):
    """An organisation exists from a date on."""

    TYPE: ClassVar[str] = "ev.directory.organisation.registered.v1"

    organisation_id: str
    kind: str
    name: str
    parent_id: str = ""
    valid_from: date
    valid_to: date | None = Field(default=None, description="last day of validity, included; none while it stands")


class Succession(BaseModel):
    """One step from an organisation to another: many to many, since a ward may be cut into several."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    organisation_id: str = Field(max_length=100, description="the other one: who follows, or who went before")
    share: Literal["whole", "part", "rest"] = Field(description="how much of the predecessor goes to this successor")
    on: date = Field(description="first day of the successor in its place")
    document: str = Field(max_length=100, description="symbol of the document that ordered it")


class OrganisationReorganised(Event):
    """An organisation was closed, or has successors or predecessors that were not known: all that holds of it now."""

    TYPE: ClassVar[str] = "ev.directory.organisation.reorganised.v1"

    organisation_id: str
    kind: str
    name: str
    parent_id: str = ""
    valid_from: date
    valid_to: date | None = Field(default=None, description="last day of validity, included; none while it stands")
    successors: tuple[Succession, ...] = ()
    predecessors: tuple[Succession, ...] = ()


class PersonLinkChanged(Event):
    """That two ids of two nodes are one person: where the link stands. Who they are stays in directory."""

    TYPE: ClassVar[str] = "ev.directory.link.changed.v1"

    link_id: str
    node: str = Field(description="the other one")
    state: Literal["proposed", "confirmed", "refused", "withdrawn", "revoked"]
    person_id: str = Field(default="", description="here; of another node's proposal once it is confirmed")
    sends: bool = Field(description="while it stands, the other node gets this one's record of the person")
    receives: bool = Field(description="while it stands, this node gets the other one's")
    by_us: bool = Field(description="it was decided here, so that the other node is to be told")


class PersonRegistered(Event):
    """A person is known under an id. Name, contacts and birth date stay in directory."""

    TYPE: ClassVar[str] = "ev.directory.person.registered.v1"

    person_id: str
    organisation_id: str
