import asyncio
from typing import Any

import pytest

from sangkien.api.directory.v1 import directory_pb2 as api
from sangkien.contracts.events import OrganisationRegistered, PersonRegistered
from sangkien.messaging.outbox import OUTBOX, SENT
from sangkien.rpc import RemoteRefusal

PEOPLE = [f"Người thứ {number}" for number in range(40)]


def organisations(*names: str, kind: str = "PHONG_BAN", **facts: Any) -> api.RegisterOrganisationsRequest:
    new = [api.NewOrganisation(kind=kind, name=name, **facts) for name in names]
    return api.RegisterOrganisationsRequest(organisations=new)


def people(organisation_id: str, *names: str, **facts: str) -> api.RegisterPeopleRequest:
    new = [api.NewPerson(organisation_id=organisation_id, full_name=name, **facts) for name in names]
    return api.RegisterPeopleRequest(people=new)


async def published(directory: Any, event_type: str) -> list[str]:
    """Aggregate ids of all events of the type, sent or about to be."""
    store = directory.running.host._store
    rows = [row for coll in (OUTBOX, SENT) for row in await store.find(coll, {"type": event_type}, limit=1000)]
    return sorted({row["_id"]: row["aggregate_id"] for row in rows}.values())


async def test_organisation_is_registered_once(directory: Any) -> None:
    first = await directory.operator.RegisterOrganisations(organisations("Phòng Kinh tế", "phòng  KINH TẾ"))
    again = await directory.operator.RegisterOrganisations(organisations("PHÒNG kinh tế "))
    id = first.results[0].organisation_id
    assert [(each.organisation_id, each.already) for each in (*first.results, *again.results)] == [
        (id, False),
        (id, True),
        (id, True),
    ]
    assert await published(directory, OrganisationRegistered.TYPE) == [id]


async def test_organisation_of_another_time_is_another(directory: Any) -> None:
    old = await directory.operator.RegisterOrganisations(organisations("Phường Ngọc Hà", valid_to="2025-06-30"))
    new = await directory.operator.RegisterOrganisations(organisations("Phường Ngọc Hà", valid_from="2025-07-01"))
    assert not new.results[0].already
    ids = [old.results[0].organisation_id, new.results[0].organisation_id]
    found = await directory.service.GetOrganisations(api.GetOrganisationsRequest(organisation_ids=[*ids, "x", "a\0b"]))
    days = {each.organisation_id: (each.valid_from, each.valid_to) for each in found.organisations}
    assert days == {ids[0]: ("", "2025-06-30"), ids[1]: ("2025-07-01", "")}


async def test_school_outlives_the_district_it_was_under(directory: Any) -> None:
    district = await directory.operator.RegisterOrganisations(organisations("Quận Ba Đình", valid_to="2025-06-30"))
    parent_id = district.results[0].organisation_id
    school = await directory.operator.RegisterOrganisations(organisations("Trường Mầm non A", parent_id=parent_id))
    asked = api.ListOrganisationsRequest(parent_id=parent_id, on="2025-07-01")
    listed = await directory.service.ListOrganisations(asked)
    assert [each.organisation_id for each in listed.organisations] == [school.results[0].organisation_id]


async def test_bad_organisations_do_not_sink_the_good_one(directory: Any) -> None:
    asked = api.RegisterOrganisationsRequest(
        organisations=[
            api.NewOrganisation(kind="phường", name="A"),
            api.NewOrganisation(kind="QUAN", name=" \u200b"),
            api.NewOrganisation(kind="QUAN", name="B", parent_id="local:NOBODY"),
            api.NewOrganisation(kind="QUAN", name="C", valid_from="1/7/2025"),
            api.NewOrganisation(kind="QUAN", name="D", valid_from="2025-07-01", valid_to="2025-06-30"),
            api.NewOrganisation(kind="QUAN", name="E", email="e@"),
            api.NewOrganisation(kind="QUAN", name="F"),
        ]
    )
    answer = await directory.operator.RegisterOrganisations(asked)
    assert [(each.error.code, each.error.field) for each in answer.results] == [
        ("organisation_kind_malformed", "kind"),
        ("organisation_name_missing", "name"),
        ("parent_organisation_unknown", "parent_id"),
        ("validity_malformed", "valid_from"),
        ("validity_reversed", "valid_to"),
        ("email_malformed", "email"),
        ("", ""),
    ]
    assert await published(directory, OrganisationRegistered.TYPE) == [answer.results[6].organisation_id]


async def test_organisations_are_listed_in_vietnamese_order_page_by_page(directory: Any) -> None:
    await directory.operator.RegisterOrganisations(
        organisations("Phường Đống", "Phường Dũng", "Phường Ấm", "Phường An")
    )
    names, token = [], ""
    while True:
        page = await directory.service.ListOrganisations(api.ListOrganisationsRequest(page_size=3, page_token=token))
        names += [each.name for each in page.organisations]
        token = page.next_page_token
        if not token:
            break
    assert names == ["Phường An", "Phường Ấm", "Phường Dũng", "Phường Đống"]


async def test_page_token_of_no_list_is_refused(directory: Any) -> None:
    with pytest.raises(RemoteRefusal) as refused:
        await directory.service.ListOrganisations(api.ListOrganisationsRequest(page_token="nonsense"))
    assert (refused.value.code, refused.value.item.field) == ("directory_page_token_invalid", "page_token")


async def test_people_registered_by_many_at_once_are_one_each(directory: Any) -> None:
    unit = await directory.organisation()
    answers = await asyncio.gather(*(directory.service.RegisterPeople(people(unit, *PEOPLE)) for _ in range(6)))
    ids = [[each.person_id for each in answer.results] for answer in answers]
    assert ids == [ids[0]] * 6
    assert sum(not each.already for answer in answers for each in answer.results) == len(PEOPLE)
    assert await published(directory, PersonRegistered.TYPE) == sorted(ids[0])


async def test_person_is_told_apart_by_birth_date_or_staff_code(directory: Any) -> None:
    unit = await directory.organisation()
    name = "Trần Văn An"
    facts: list[dict[str, str]] = [{}, {"birth_date": "1980-02-29"}, {"staff_code": "CB-01"}, {"staff_code": "CB-02"}]
    ids = [await directory.person(unit, name, **each) for each in facts]
    assert len(set(ids)) == 4
    assert [await directory.person(unit, "  trần văn  an", **each) for each in facts] == ids


async def test_people_are_found_by_the_name_people_type(directory: Any) -> None:
    first, second = await directory.organisation("A"), await directory.organisation("B")
    here = await directory.person(first, "Trần Thị Hòa", birth_date="1980-02-29")
    twin = await directory.person(first, "Trần Thị Hòa", staff_code="CB-02")
    there = await directory.person(second, "Trần Thị Hòa")
    await directory.person(first, "Trần Thị Hoa Hồng")

    async def found(stub: Any = directory.operator, **more: str) -> list[str]:
        answer = await stub.FindPeople(api.FindPeopleRequest(full_name=" trần thị  hoà", **more))
        return [one.person.person_id for one in answer.people]

    assert await found() == [here, twin, there]
    assert await found(birth_date="1980-02-29") == [here]
    assert await found(organisation_id=second) == [there]
    assert await found(organisation_id="local:NOWHERE") == []
    assert list((await directory.operator.FindPeople(api.FindPeopleRequest(full_name="  "))).people) == []
    with pytest.raises(RemoteRefusal, match="role_missing"):
        await found(directory.service)


async def test_person_of_another_unit_is_another(directory: Any) -> None:
    first, second = await directory.organisation("A"), await directory.organisation("B")
    assert await directory.person(first) != await directory.person(second)


async def test_known_person_learns_what_was_blank_and_nothing_else(directory: Any) -> None:
    unit = await directory.organisation()
    id = await directory.person(unit, email="khai@Badinh.vn")
    await directory.person(unit, email="other@badinh.vn", job_title="Giáo viên")
    found = await directory.operator.GetPeople(api.GetPeopleRequest(person_ids=[id, "local:NOBODY"]))
    contacts = await directory.service.GetContacts(api.GetContactsRequest(ids=[id, unit, "local:NOBODY"]))
    assert list(found.people) == [
        api.Person(
            person_id=id,
            full_name="Nguyễn Thị Minh Khai",
            organisation_id=unit,
            organisation_name="Quận Ba Đình",
            job_title="Giáo viên",
        )
    ]
    assert list(contacts.contacts) == [
        api.Contact(id=id, display_name="Nguyễn Thị Minh Khai", email="khai@badinh.vn"),
        api.Contact(id=unit, display_name="Quận Ba Đình"),
    ]


async def test_bad_people_do_not_sink_the_good_one(directory: Any) -> None:
    unit = await directory.organisation()
    asked = api.RegisterPeopleRequest(
        people=[
            api.NewPerson(organisation_id=unit, full_name=" "),
            api.NewPerson(organisation_id="local:NOBODY", full_name="A"),
            api.NewPerson(organisation_id=unit, full_name="B", birth_date="2999-01-01"),
            api.NewPerson(organisation_id=unit, full_name="C", birth_date="29/02/1980"),
            api.NewPerson(organisation_id=unit, full_name="D", email="d d@x.vn"),
            api.NewPerson(organisation_id=unit, full_name="E", staff_code="9" * 65),
            api.NewPerson(organisation_id=unit, full_name="F" * 301),
            api.NewPerson(organisation_id=unit, full_name="G"),
        ]
    )
    answer = await directory.service.RegisterPeople(asked)
    assert [(each.error.code, each.error.field) for each in answer.results] == [
        ("person_name_missing", "full_name"),
        ("organisation_unknown", "organisation_id"),
        ("birth_date_wrong", "birth_date"),
        ("birth_date_wrong", "birth_date"),
        ("email_malformed", "email"),
        ("staff_code_too_long", "staff_code"),
        ("directory_name_too_long", "full_name"),
        ("", ""),
    ]
    assert await published(directory, PersonRegistered.TYPE) == [answer.results[7].person_id]


async def test_batch_beyond_a_thousand_is_refused_whole(directory: Any) -> None:
    unit = await directory.organisation()
    with pytest.raises(RemoteRefusal) as refused:
        await directory.service.RegisterPeople(people(unit, *(f"N {number}" for number in range(1001))))
    assert refused.value.code == "directory_batch_too_large"
    assert await published(directory, PersonRegistered.TYPE) == []


async def test_unit_is_resolved_as_soon_as_it_is_registered(directory: Any) -> None:
    asked = api.ResolveUnitsRequest(names=["P. Điện Biên", "Phường Điện Biênn"], on="2023-05-08")
    before = await directory.service.ResolveUnits(asked)
    id = await directory.organisation("Phường Điện Biên", "PHUONG_XA")
    after = await directory.service.ResolveUnits(asked)
    assert list(before.matches) == [api.UnitMatch(), api.UnitMatch()]
    assert list(after.matches) == [
        api.UnitMatch(organisation_id=id, name="Phường Điện Biên"),
        api.UnitMatch(suggestions=["Phường Điện Biên"]),
    ]


async def test_everything_is_there_after_a_restart(start: Any) -> None:
    directory = await start()
    unit = await directory.organisation("Phường Trúc Bạch", "PHUONG_XA")
    person = await directory.person(unit)
    directory = await start()
    matches = (await directory.service.ResolveUnits(api.ResolveUnitsRequest(names=["p truc bach"]))).matches
    assert [each.organisation_id for each in matches] == [unit]
    assert await directory.person(unit) == person


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("RegisterOrganisations", api.RegisterOrganisationsRequest()),
        ("GrantRoles", api.GrantRolesRequest()),
    ],
)
async def test_operators_work_is_refused_to_services(directory: Any, method: str, request_: Any) -> None:
    with pytest.raises(RemoteRefusal) as refused:
        await getattr(directory.service, method)(request_)
    assert refused.value.code == "role_missing"
