"""Facts that directory publishes: the dated tree of organisations. Personal data never leaves in an event."""

from datetime import date
from typing import ClassVar

from pydantic import Field

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


class PersonRegistered(Event):
    """A person is known under an id. Name, contacts and birth date stay in directory."""

    TYPE: ClassVar[str] = "ev.directory.person.registered.v1"

    person_id: str
    organisation_id: str
