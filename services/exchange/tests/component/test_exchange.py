"""The whole way: two exchanges, their link servers, the hub's server and the hub."""

from typing import Any

from sangkien.api.exchange.v1 import exchange_pb2 as pb
from sangkien.testkit import eventually


async def link(node: Any) -> pb.GetLinkResponse:
    said: pb.GetLinkResponse = await node.operator.GetLink(pb.GetLinkRequest())
    return said


async def test_messages_are_taken_once_and_in_order_and_their_senders_learn_it(
    city: Any, ward: Any, summary: Any
) -> None:
    await ward.says("hanoi", *[summary(number) for number in range(300)])

    await ward.delivered(300)
    await eventually(city.taken, value=[f"D{number:05}" for number in range(300)])

    said = await link(ward)
    assert (said.state, said.sending, said.connected, said.waiting) == ("active", "open", True, 0)
    assert said.sealed == said.receipted == 301  # the echo of the beginning is one of them
