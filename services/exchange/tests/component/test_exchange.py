"""The whole way: two exchanges, their link servers, the hub's server and the hub."""

from typing import Any

import pytest

from sangkien.api.exchange.v1 import exchange_pb2 as pb
from sangkien.api.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from sangkien.rpc import RemoteRefusal
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


async def test_author_learns_nothing_of_custody_and_an_office_does(ward: Any) -> None:
    """Exchange does not know whose dossier it is: what it tells has authors' ids and codes of certificates."""
    told = {}
    for role in ("author", "council_member", "union_officer"):
        stub = ExchangeServiceStub(ward.running.channel("phuctan:01JSOMEBODY", [role]))
        with pytest.raises(RemoteRefusal) as refused:
            await stub.GetCustody(pb.GetCustodyRequest(dossier_id="NO-SUCH"))
        told[role] = refused.value.code

    assert told == {
        "author": "role_missing",
        "council_member": "role_missing",
        "union_officer": "exchange_custody_unknown",
    }
