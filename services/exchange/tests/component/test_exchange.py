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


async def test_the_senders_trace_goes_on_at_the_receiver(city: Any, ward: Any, summary: Any) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    await ward.says("hanoi", summary(1), trace=f"00-{trace_id}-b7ad6b7169203331-01")
    telemetry = city.running.host._telemetry

    async def spans() -> list[tuple[str, str]]:
        await telemetry.flush()
        return sorted((span.name, span.parent_id) for span in telemetry.store.spans_of(trace_id))

    goes_on = ["decision.summarised.v1 take", "ev.exchange.decision.summarised.v1 publish"]
    await eventually(spans, value=[(name, "b7ad6b7169203331") for name in goes_on])
