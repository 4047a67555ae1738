"""A node's own life: joining, dependencies that are away, leaving, and joining anew."""

from typing import Any

import pytest

from sangkien.api.exchange.v1 import exchange_pb2 as pb
from sangkien.api.hub.v1 import hub_pb2 as hub_pb
from sangkien.contracts.crossing import DossierAnswered, DossierFiled, FiledAuthor
from sangkien.rpc import RemoteRefusal
from sangkien.testkit import eventually


async def link(node: Any) -> pb.GetLinkResponse:
    said: pb.GetLinkResponse = await node.operator.GetLink(pb.GetLinkRequest())
    return said


async def state(node: Any) -> str:
    return (await link(node)).state


async def at_hub(world: Any, node: str) -> str:
    nodes = (await world.operator.ListNodes(hub_pb.ListNodesRequest())).nodes
    return str(next(one.state for one in nodes if one.node == node))


async def test_the_first_receipt_of_an_echo_makes_a_node_active_on_both_sides(world: Any, city: Any) -> None:
    await eventually(lambda: state(city), value="active")

    assert await at_hub(world, "hanoi") == "active"
    answer = await city.operator.Echo(pb.EchoRequest())
    assert answer.number == (await link(city)).sealed == 2


async def test_an_echo_into_a_cut_link_is_refused_in_time_and_stays_on_its_way(city: Any) -> None:
    await eventually(lambda: state(city), value="active")
    city.member.wire.cut()

    with pytest.raises(RemoteRefusal) as refused:
        await city.operator.Echo(pb.EchoRequest(wait_s=1))
    said = await link(city)
    city.member.wire.heal()

    assert refused.value.code == "exchange_echo_unanswered"
    assert said.waiting == 1
    await eventually(lambda: nothing_waits(city))


async def nothing_waits(node: Any) -> bool:
    return (await link(node)).waiting == 0


async def test_a_service_that_is_away_holds_up_taking_but_neither_receiving_nor_receipts(
    city: Any, ward: Any, summary: Any
) -> None:
    """The city has no intake here: a dossier has to wait, and what the city itself says goes out and is receipted."""
    filed = DossierFiled(
        dossier_id="X1",
        version=1,
        code="SK-1",
        round_id="R1",
        tier="city",
        title="Không gian lịch sử",
        field="giao-duc",
        unit_name="Trường THCS Thành Công",
        authors=(FiledAuthor(ref="p", full_name="Nguyễn Thị Hòa", share=10_000),),
        filed_on="2023-05-12",
    )
    await city.opens_round("R1")
    await ward.says("hanoi", filed, summary(1))
    await eventually(lambda: city.rows("incoming", type=DossierFiled.TYPE, state="received"))
    answered = DossierAnswered(dossier_id="Y", answer="voted", on="2023-05-12")

    await city.says("phuctan", answered)

    await eventually(lambda: city.rows("outgoing", key=answered.key(), state="delivered"))
    await ward.delivered(1)
    found = await city.operator.GetMessage(pb.GetMessageRequest(id=filed.key()))
    assert (found.message.state, found.message.direction, found.message.peer) == ("received", "in", "phuctan")


async def test_a_goodbye_goes_behind_what_waits_and_nothing_behind_it(
    world: Any, city: Any, ward: Any, summary: Any
) -> None:
    await ward.says("hanoi", summary(1), summary(2))
    await ward.operator.Leave(pb.LeaveRequest())
    await ward.says("hanoi", summary(3))

    await ward.delivered(2)
    assert await state(ward) == "left"
    assert await at_hub(world, "phuctan") in ("leaving", "left")
    await eventually(city.taken, value=["D00001", "D00002"])
    assert await ward.count("posted") == 1


async def test_a_node_that_joins_anew_begins_a_new_chain_with_what_was_not_receipted(
    world: Any, city: Any, summary: Any
) -> None:
    ward = await world.join("phuctan", "ward", "hanoi")
    async with ward.runs():
        await ward.says("hanoi", summary(1))
        await ward.delivered(1)
        ward.member.wire.cut()
        await ward.says("hanoi", summary(2), summary(3))
        await eventually(lambda: ward.count("offered"), value=2)
    ward.member.server.stop()
    await world.answer(await world.invite("phuctan", "ward", "hanoi", again=True), ward.member)
    ward.member.folder.config(ward.member.port)
    ward.member.server.start()
    ward.member.wire.heal()

    async with ward.runs():
        await ward.delivered(3)

        async def lives() -> tuple[int, str, int]:
            said = await link(ward)
            return said.epoch, said.state, said.sealed

        await eventually(lives, value=(2, "active", 3))  # its echo goes behind what waited
        await eventually(city.taken, value=["D00001", "D00002", "D00003"])
        old = await ward.operator.ListSeals(pb.ListSealsRequest(epoch=1))
        assert [one.number for one in old.seals] == [1, 2]
