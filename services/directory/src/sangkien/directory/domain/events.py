"""What happened in directory, by id: names stay in the aggregates."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class OrganisationWasRegistered:
    """An organisation is known from now on; `valid_from` None: it has always stood, `valid_to` None: it stands."""

    organisation_id: str
    kind: str
    name: str
    parent_id: str
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class PersonWasRegistered:
    """A person is known from now on."""

    person_id: str
    organisation_id: str


DirectoryEvent = OrganisationWasRegistered | PersonWasRegistered
