"""Give a person roles in an organisation for a time."""

from dataclasses import dataclass

from sangkien.directory.application.ports import Commit, Organisations, People, Today
from sangkien.directory.domain.errors import OrganisationUnknown, PersonUnknown, ValidityReversed
from sangkien.directory.domain.validity import parse_day
from sangkien.kernel import DateRange
from sangkien.store.deciding import decided_again


@dataclass(frozen=True, slots=True)
class Grant:
    """Days are YYYY-MM-DD; an empty first day means at once, an empty last day until further notice."""

    person_id: str
    roles: tuple[str, ...]
    organisation_id: str
    valid_from: str
    valid_to: str


class GrantRoles:
    """The same grant twice is one grant."""

    def __init__(self, people: People, organisations: Organisations, commit: Commit, today: Today) -> None:
        self._people = people
        self._organisations = organisations
        self._commit = commit
        self._today = today

    async def __call__(self, grant: Grant) -> None:
        """Raises PersonUnknown, OrganisationUnknown, ValidityMalformed, ValidityReversed, RolesMissing, RoleUnknown."""
        first = parse_day(grant.valid_from, "valid_from") or self._today()
        last = parse_day(grant.valid_to, "valid_to")
        if last is not None and last < first:
            raise ValidityReversed(field="valid_to")
        period = DateRange(first, last)
        if grant.person_id not in await self._people.get_many([grant.person_id]):
            raise PersonUnknown(field="person_id")
        if grant.organisation_id not in await self._organisations.get_many([grant.organisation_id]):
            raise OrganisationUnknown(field="organisation_id")

        async def decide() -> None:
            book = await self._people.roles(grant.person_id, grant.organisation_id)
            if book.grant(grant.roles, period):
                await self._commit([self._people.save_roles(book)])

        await decided_again(decide)
