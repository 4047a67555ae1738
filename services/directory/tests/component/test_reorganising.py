"""Organisations that are merged, split, renamed and closed on a day, and those of other nodes beside them."""

from pathlib import Path
from typing import Any

import pytest

from sangkien.api.directory.v1 import directory_pb2 as api
from sangkien.contracts.events import ForeignOrganisationAsserted, OrganisationReorganised, Succession
from sangkien.messaging.outbox import OUTBOX, SENT
from sangkien.rpc import RemoteRefusal
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.neighbour import neighbour

SYMBOL = "1656/NQ-UBTVQH15"


def step(old: list[str], new: list[str], **changed: Any) -> api.ReorganiseRequest:
    said: dict[str, Any] = {"on": "2025-07-01", "document": SYMBOL}
    return api.ReorganiseRequest(predecessor_ids=old, successor_ids=new, **(said | changed))


async def register(directory: Any, name: str, **facts: str) -> str:
    new = api.NewOrganisation(kind="PHUONG_XA", name=name, **facts)
    answer = await directory.operator.RegisterOrganisations(api.RegisterOrganisationsRequest(organisations=[new]))
    return str(answer.results[0].organisation_id)


async def reorganised(directory: Any) -> list[tuple[str, int, str]]:
    store = directory.running.host._store
    where = {"type": OrganisationReorganised.TYPE}
    rows = {row["_id"]: row for coll in (OUTBOX, SENT) for row in await store.find(coll, where, limit=100)}
    bodies = [(OrganisationReorganised.from_bytes(rows[id]["body"]), rows[id]) for id in sorted(rows)]
    return [(body.name, row["aggregate_version"], str(body.valid_to or "")) for body, row in bodies]


async def test_wards_go_over_into_a_new_one_of_the_same_name_and_end_the_day_before(directory: Any) -> None:
    old = [await register(directory, name) for name in ("Phường Ngọc Hà", "Phường Liễu Giai")]
    refused = await directory.operator.RegisterOrganisations(
        api.RegisterOrganisationsRequest(
            organisations=[api.NewOrganisation(kind="PHUONG_XA", name="Phường Ngọc Hà", valid_from="2025-07-01")]
        )
    )
    new = await register(directory, "Phường Ba Đình", valid_from="2025-07-01")
    first = await directory.operator.Reorganise(step(old, [new], share="part"))
    again = await directory.operator.Reorganise(step(old, [new], share="part"))
    namesake = await register(directory, "Phường Ngọc Hà", valid_from="2025-07-01")
    rename = await directory.operator.Reorganise(step([old[0]], [namesake], share="rest"))
    asked = api.GetOrganisationsRequest(organisation_ids=[*old, new])
    found = {one.organisation_id: one for one in (await directory.service.GetOrganisations(asked)).organisations}

    assert refused.results[0].organisation_id == old[0]  # it still stood then
    assert (first.already, again.already, rename.already) == (False, True, False)
    assert namesake != old[0]
    assert [found[id].valid_to for id in (*old, new)] == ["2025-06-30", "2025-06-30", ""]
    went = [(one.organisation_id, one.share, one.on, one.document) for one in found[old[0]].successors]
    assert went == [(new, "part", "2025-07-01", SYMBOL), (namesake, "rest", "2025-07-01", SYMBOL)]
    assert [one.organisation_id for one in found[new].predecessors] == old
    assert await reorganised(directory) == [
        ("Phường Ngọc Hà", 2, "2025-06-30"),
        ("Phường Liễu Giai", 2, "2025-06-30"),
        ("Phường Ba Đình", 2, ""),
        ("Phường Ngọc Hà", 3, "2025-06-30"),
        ("Phường Ngọc Hà", 2, ""),
    ]


async def test_impossible_reorganisations_are_refused_and_change_nothing(directory: Any) -> None:
    old, young = await register(directory, "A"), await register(directory, "B", valid_from="2025-08-01")
    gone = await register(directory, "C", valid_to="2024-12-31")
    cases = {
        "reorganisation_size_wrong": step([], [old]),
        "reorganisation_document_missing": step([old], [], document=" "),
        "succession_share_unknown": step([old], [], share="half"),
        "successor_of_itself": step([old], [old]),
        "organisation_unknown": step([old], ["local:NOBODY"]),
        "successor_not_standing": step([old], [young]),
        "organisation_ended_otherwise": step([gone], []),
        "reorganised_before_it_stood": step([young], []),
        "validity_malformed": step([old], [], on=""),
    }
    codes = []
    for request in cases.values():
        with pytest.raises(RemoteRefusal) as refused:
            await directory.operator.Reorganise(request)
        codes.append(refused.value.code)
    assert codes == list(cases)
    assert await reorganised(directory) == []


def asserted(version_of: str, **changed: Any) -> ForeignOrganisationAsserted:
    facts: dict[str, Any] = {
        "organisation_id": "ba-dinh:U1",
        "node": "ba-dinh",
        "kind": "QUAN",
        "name": f"Quận Ba Đình {version_of}",
    }
    return ForeignOrganisationAsserted(**(facts | changed))


async def test_what_other_nodes_assert_stands_apart_dated_and_at_its_latest(
    start: Any, nats_server: NatsServer, tmp_path: Path
) -> None:
    directory = await start()
    own = await register(directory, "Phường Phúc Tân")
    went = Succession(organisation_id=own, share="whole", on="2025-07-01", document=SYMBOL)
    async with neighbour("exchange", nats_url=nats_server.url, data_dir=tmp_path) as exchange:
        newest = asserted("3", valid_to="2025-06-30", successors=[went])
        event_id = await exchange.says(newest, "ba-dinh:U1", 3)
        await exchange.says(asserted("2"), "ba-dinh:U1", 2)
        await exchange.repeats(newest, "ba-dinh:U1", 3, event_id=event_id)
        await exchange.says(asserted("x", organisation_id="hanoi:U9"), "hanoi:U9", 9)
        await exchange.says(asserted("x", organisation_id=own, node="local"), own, 9)
        await exchange.says(asserted("1", organisation_id="tay-ho:U", node="tay-ho"), "tay-ho:U", 1)
        listed = await eventually(lambda: two_of(directory), what="what two nodes assert")
        dead = await eventually(lambda: dead_letters(directory), what="two dead letters")

    assert sorted((one.organisation_id, one.name, one.asserted_by, one.valid_to) for one in listed) == [
        ("ba-dinh:U1", "Quận Ba Đình 3", "ba-dinh", "2025-06-30"),
        ("tay-ho:U", "Quận Ba Đình 1", "tay-ho", ""),
    ]
    assert dead == ["organisation_not_theirs"] * 2
    mine = (await directory.service.ListOrganisations(api.ListOrganisationsRequest())).organisations
    assert [(one.organisation_id, one.name, one.asserted_by) for one in mine] == [(own, "Phường Phúc Tân", "")]
    after = api.ListOrganisationsRequest(asserted_by="ba-dinh", on="2025-07-01")
    assert list((await directory.service.ListOrganisations(after)).organisations) == []


async def two_of(directory: Any) -> list[api.Organisation] | None:
    found = (await directory.service.ListOrganisations(api.ListOrganisationsRequest(asserted_by="*"))).organisations
    return list(found) if len(found) == 2 else None


async def dead_letters(directory: Any) -> list[str] | None:
    found = await directory.running.host._bus.dead_letters.list("directory")
    return [letter.reason for letter in found] if len(found) == 2 else None
