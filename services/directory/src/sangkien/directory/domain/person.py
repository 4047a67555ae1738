"""People as units know them, and the roles they hold for a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sangkien.directory.domain.contact import check_email, check_length
from sangkien.directory.domain.errors import (
    BirthDateWrong,
    PersonNameMissing,
    RolesMissing,
    RoleUnknown,
    StaffCodeTooLong,
)
from sangkien.directory.domain.events import PersonWasRegistered
from sangkien.directory.domain.validity import read_day
from sangkien.kernel import Aggregate, DateRange

STAFF_CODE_LIMIT = 64
ROLES = ("author", "union_officer", "secretary", "council_member", "leader", "finance", "operator")
"""What a person may hold. `service` is not among them: it belongs to tokens that the node's secret was shown for."""

_EARLIEST_BIRTH = date(1900, 1, 1)


@dataclass
class Person(Aggregate):
    """One person in one unit."""

    id: str
    organisation_id: str
    full_name: str
    name_key: str
    """The name without case and diacritics: two spellings of it are one person's."""
    birth_date: date | None
    staff_code: str
    email: str
    job_title: str

    @classmethod
    def register(  # noqa: PLR0913 (what a person is known by)
        cls,
        id: str,
        organisation_id: str,
        full_name: str,
        name_key: str,
        *,
        birth_date: str,
        staff_code: str,
        email: str,
        job_title: str,
        today: date,
    ) -> "Person":
        """Raises PersonNameMissing, NameTooLong, BirthDateWrong, StaffCodeTooLong or EmailMalformed."""
        if not full_name:
            raise PersonNameMissing(field="full_name")
        if len(staff_code) > STAFF_CODE_LIMIT:
            raise StaffCodeTooLong(field="staff_code", limit=STAFF_CODE_LIMIT)
        person = cls(
            id,
            organisation_id,
            check_length(full_name, "full_name"),
            name_key,
            _birth_date(birth_date, today),
            staff_code,
            check_email(email),
            check_length(job_title, "job_title"),
        )
        person.record(PersonWasRegistered(id, organisation_id))
        return person

    @property
    def identity(self) -> str:
        """What makes two registrations the same person: unit, name, and birth date, else staff code, else nothing."""
        told_apart_by = f"b:{self.birth_date}" if self.birth_date else f"s:{self.staff_code}" if self.staff_code else ""
        return f"{self.organisation_id}\t{self.name_key}\t{told_apart_by}"

    def learn(self, other: "Person") -> bool:
        """Fill what was blank from a repeated registration; nothing known is overwritten. Says whether it did."""
        before = (self.email, self.job_title, self.staff_code)
        self.email = self.email or other.email
        self.job_title = self.job_title or other.job_title
        self.staff_code = self.staff_code or other.staff_code
        return (self.email, self.job_title, self.staff_code) != before


def _birth_date(text: str, today: date) -> date | None:
    if not text:
        return None
    born = read_day(text)
    if born is None or not _EARLIEST_BIRTH <= born <= today:
        raise BirthDateWrong(field="birth_date")
    return born


@dataclass
class RoleBook(Aggregate):
    """The roles of one person in one organisation, each for periods that do not overlap."""

    person_id: str
    organisation_id: str
    grants: dict[str, list[DateRange]]

    def grant(self, roles: Iterable[str], period: DateRange) -> bool:
        """Hold the roles in the period. Says whether anything changed.

        A grant that overlaps one of the same role continues it and sets its last day; that is also how a role is ended
        early. Raises RolesMissing or RoleUnknown, with nothing changed.
        """
        wanted = list(dict.fromkeys(roles))
        if not wanted:
            raise RolesMissing(field="roles")
        if not set(wanted) <= set(ROLES):
            raise RoleUnknown(field="roles", roles=", ".join(ROLES))
        before = {role: list(periods) for role, periods in self.grants.items()}
        for role in wanted:
            held = self.grants.get(role, [])
            joined = [theirs for theirs in held if theirs.overlaps(period)]
            start = min([period.valid_from, *(theirs.valid_from for theirs in joined)])
            apart = [theirs for theirs in held if theirs not in joined]
            merged = DateRange(start, period.valid_to)
            self.grants[role] = sorted([*apart, merged], key=lambda each: each.valid_from)
        return self.grants != before

    def held_on(self, day: date) -> frozenset[str]:
        """The roles that hold on the day."""
        return frozenset(role for role, periods in self.grants.items() if any(each.contains(day) for each in periods))
