"""What happened in directory, by id: names stay in the aggregates."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sangkien.directory.domain.organisation import Organisation


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


@dataclass(frozen=True, slots=True)
class OrganisationWasReorganised:
    """All that holds of an organisation now; `version` is the one it is stored at with this."""

    organisation: "Organisation"
    version: int


@dataclass(frozen=True, slots=True)
class LinkWasChanged:
    """Where a link stands now; `by_us`: it was decided here. `version` is the one it is stored at with this."""

    link_id: str
    version: int
    node: str
    state: str
    person_id: str
    sends: bool
    receives: bool
    by_us: bool


DirectoryEvent = OrganisationWasRegistered | OrganisationWasReorganised | PersonWasRegistered | LinkWasChanged
