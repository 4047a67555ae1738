"""What other services rely on, held against the directory itself and against the stand-in their tests use."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from sangkien.api.directory.v1 import directory_pb2 as api
from sangkien.api.directory.v1.directory_pb2_grpc import DirectoryServiceStub
from sangkien.testkit.directory_double import directory_double


@dataclass
class Side:
    """One implementation: calls with a service's token, and a way to have a unit."""

    calls: Any
    add_unit: Callable[[str], Awaitable[str]]

    async def register(self, unit_id: str, *names: str, **facts: str) -> list[tuple[str, bool]]:
        people = [api.NewPerson(organisation_id=unit_id, full_name=name, **facts) for name in names]
        answer = await self.calls.RegisterPeople(api.RegisterPeopleRequest(people=people), timeout=20)
        return [(each.person_id, each.already) for each in answer.results]


@pytest.fixture(params=["directory", "stand-in"])
async def side(request: pytest.FixtureRequest, start: Any) -> AsyncIterator[Side]:
    if request.param == "directory":
        directory = await start()
        yield Side(directory.service, directory.organisation)
        return
    async with directory_double() as double, grpc.aio.insecure_channel(double.target) as channel:

        async def add_unit(name: str) -> str:
            return double.add_unit(name)

        yield Side(DirectoryServiceStub(channel), add_unit)


async def test_person_known_by_unit_name_and_birth_date_keeps_the_id(side: Side) -> None:
    unit, other = await side.add_unit("Trường A"), await side.add_unit("Trường B")
    (first,) = await side.register(unit, "Nguyễn Văn An", birth_date="1980-02-29")
    again = await side.register(unit, "NGUYỄN VĂN AN", birth_date="1980-02-29")
    elsewhere = await side.register(other, "Nguyễn Văn An", birth_date="1980-02-29")
    younger = await side.register(unit, "Nguyễn Văn An", birth_date="1990-02-28")
    assert (first[1], again) == (False, [(first[0], True)])
    assert len({first[0], elsewhere[0][0], younger[0][0]}) == 3


async def test_names_that_differ_in_a_tone_are_two_people_and_the_place_of_the_tone_makes_none(side: Side) -> None:
    unit = await side.add_unit("Trường A")
    hoa, plain, moved = await side.register(unit, "Trần Thị Hòa", "Trần Thị Hoa", "Trần Thị Hoà")
    assert (hoa[1], plain[1], moved) == (False, False, (hoa[0], True))
    assert hoa[0] != plain[0]


async def test_people_and_contacts_of_known_ids_alone_are_given(side: Side) -> None:
    unit = await side.add_unit("Trường A")
    ((id, _),) = await side.register(unit, "Nguyễn Văn An", email="an@x.vn")
    people = await side.calls.GetPeople(api.GetPeopleRequest(person_ids=[id, "local:NOBODY"]), timeout=20)
    contacts = await side.calls.GetContacts(api.GetContactsRequest(ids=[id, "local:NOBODY"]), timeout=20)
    assert list(people.people) == [
        api.Person(person_id=id, full_name="Nguyễn Văn An", organisation_id=unit, organisation_name="Trường A")
    ]
    assert list(contacts.contacts) == [api.Contact(id=id, display_name="Nguyễn Văn An", email="an@x.vn")]


async def test_units_are_resolved_in_the_order_asked(side: Side) -> None:
    unit = await side.add_unit("Phường Điện Biên")
    asked = api.ResolveUnitsRequest(names=["Phường Điện Biênn", "phuong dien bien"])
    near, exact = (await side.calls.ResolveUnits(asked, timeout=20)).matches
    assert near == api.UnitMatch(suggestions=["Phường Điện Biên"])
    assert exact == api.UnitMatch(organisation_id=unit, name="Phường Điện Biên")
