"""Messages from a member to another, through a running hub."""

from collections.abc import Callable
from datetime import date
from typing import Any

from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.contracts.crossing import DecisionSummarised


def summary(number: int) -> DecisionSummarised:
    return DecisionSummarised(
        decision_id=f"D{number}",
        symbol=f"{number}/QĐ-UBND",
        round_id="R1",
        tier="district",
        recognised=number,
        refused=0,
        issued_on=date(2023, 12, 20),
    )


async def test_message_reaches_its_receiver_and_comes_back_as_delivered(hub: Any, joined: Callable[..., Any]) -> None:
    city = await joined(hub, "ha-noi", "city")
    district = await joined(hub, "ba-dinh", "district", "ha-noi")

    seal = await district.say("ha-noi", summary(1))
    await district.receipt(lambda one: one.waiting == (2,))
    arrived = await city.came("ba-dinh", 1)
    await city.confirm(arrived[-1][0])
    delivered = await district.receipt(lambda one: one.n == 2 and one.waiting == ())

    assert [id for _, id in arrived] == [seal.id]
    assert (delivered.head, delivered.refused, delivered.state) == (seal.hash, (), "open")
    fate = await hub.operator.GetMessage(pb.GetMessageRequest(id=seal.id))
    assert (fate.fate, fate.entry.seal) == ("delivered", seal.compact)
