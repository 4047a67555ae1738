"""People and their roles as documents. Nothing of a person is copied anywhere else."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from sangkien.directory.domain.errors import StoreOlder
from sangkien.directory.domain.link import Sought
from sangkien.directory.domain.person import Person, RoleBook
from sangkien.kernel import DateRange
from sangkien.store import Document, Index, Op, Schema, Store, save

PEOPLE: Final = "people"
ROLES: Final = "roles"

SCHEMA = Schema(
    (PEOPLE, ROLES),
    (
        Index(PEOPLE, ("identity",), unique=True),
        Index(PEOPLE, ("name_key", "birth_date")),
        Index(ROLES, ("person_id",)),
    ),
)

_MOST_ORGANISATIONS = 1_000
_LARGEST_BATCH = 1_000
_MOST_FITTING = 20


class StoredPeople:
    """The `People` port on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get_many(self, ids: Iterable[str]) -> dict[str, Person]:
        found = await self._store.get_many(PEOPLE, list(ids))
        return {id: _person(document) for id, document in found.items()}

    async def known(self, identities: Iterable[str]) -> dict[str, Person]:
        wanted = list(identities)
        if not wanted:
            return {}
        found = await self._store.find(PEOPLE, {"identity": {"in": wanted}}, limit=_LARGEST_BATCH)
        return {document["identity"]: _person(document) for document in found}

    async def fitting(self, sought: Sought, name_key: str) -> Sequence[Person]:
        if sought.person_ref:
            return list((await self.get_many([sought.person_ref])).values())
        ways: list[dict[str, object]] = []
        if sought.birth_date:
            ways.append({"name_key": name_key, "birth_date": sought.birth_date.isoformat()})
        if sought.staff_code:
            ways.append({"name_key": name_key, "staff_code": sought.staff_code})
        found = [doc for where in ways for doc in await self._store.find(PEOPLE, where, limit=_MOST_FITTING)]
        return [_person(doc) for doc in {doc["_id"]: doc for doc in found}.values()][:_MOST_FITTING]

    async def named(self, name_key: str, birth_date: date | None, organisation_id: str, limit: int) -> Sequence[Person]:
        where: dict[str, object] = {"name_key": name_key}
        if birth_date:
            where["birth_date"] = birth_date.isoformat()
        if organisation_id:
            where["organisation_id"] = organisation_id
        return [_person(document) for document in await self._store.find(PEOPLE, where, limit=limit)]

    async def roles(self, person_id: str, organisation_id: str) -> RoleBook:
        document = await self._store.get(ROLES, _roles_id(person_id, organisation_id))
        return RoleBook(person_id, organisation_id, {}) if document is None else _roles(document)

    async def all_roles(self, person_id: str) -> list[RoleBook]:
        found = await self._store.find(ROLES, {"person_id": person_id}, limit=_MOST_ORGANISATIONS)
        return [_roles(document) for document in found]

    def save(self, person: Person) -> Op:
        document = {
            "_id": person.id,
            "organisation_id": person.organisation_id,
            "full_name": person.full_name,
            "name_key": person.name_key,
            "birth_date": person.birth_date.isoformat() if person.birth_date else "",
            "staff_code": person.staff_code,
            "email": person.email,
            "job_title": person.job_title,
            "identity": person.identity,
        }
        return save(PEOPLE, document, person.version)

    def save_roles(self, roles: RoleBook) -> Op:
        document = {
            "_id": _roles_id(roles.person_id, roles.organisation_id),
            "person_id": roles.person_id,
            "organisation_id": roles.organisation_id,
            "grants": [
                {"role": role, "valid_from": _iso(period.valid_from), "valid_to": _iso(period.valid_to)}
                for role, periods in sorted(roles.grants.items())
                for period in periods
            ],
        }
        return save(ROLES, document, roles.version)


def _roles_id(person_id: str, organisation_id: str) -> str:
    return f"{person_id}|{organisation_id}"


def _person(document: Document) -> Person:
    if "name_key" not in document:  # what tells two people apart was another thing then
        raise StoreOlder
    born = document["birth_date"]
    person = Person(
        document["_id"],
        document["organisation_id"],
        document["full_name"],
        document["name_key"],
        date.fromisoformat(born) if born else None,
        document["staff_code"],
        document["email"],
        document["job_title"],
    )
    person.version = document["ver"]
    return person


def _roles(document: Document) -> RoleBook:
    grants: dict[str, list[DateRange]] = {}
    for grant in document["grants"]:
        last = date.fromisoformat(grant["valid_to"]) if grant["valid_to"] else None
        period = DateRange(date.fromisoformat(grant["valid_from"]), last)
        grants.setdefault(grant["role"], []).append(period)
    book = RoleBook(document["person_id"], document["organisation_id"], grants)
    book.version = document["ver"]
    return book


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
