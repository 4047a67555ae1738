"""What a hub does with messages that break the rules: each harms its own sender at most."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import grpc
import pytest

from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.contracts.crossing import DecisionSummarised, RegistryChanged
from sangkien.custody import SealKey, read_entry
from sangkien.federation import HubBroker
from sangkien.hub.application.intake import MOST_IN_UNIT
from sangkien.rpc import RemoteRefusal
from sangkien.testkit import eventually
from sangkien.testkit.link import HubServer

LIMIT = 512 * 1024


def summary(number: int = 1) -> DecisionSummarised:
    return DecisionSummarised(
        decision_id=f"D{number}",
        symbol=f"{number}/QĐ-UBND",
        round_id="R1",
        tier="district",
        recognised=number,
        refused=0,
        issued_on=date(2023, 12, 20),
    )


async def peer_of(hub: Any, node: str) -> pb.Peer:
    answer: pb.ListPeersResponse = await hub.operator.ListPeers(pb.ListPeersRequest())
    return next(peer for peer in answer.peers if peer.node == node)


async def verdicts_of(hub: Any, node: str) -> list[tuple[int, str]]:
    answer = await hub.operator.ListEntries(pb.ListEntriesRequest(node=node))
    return [(entry.n, entry.verdict) for entry in (read_entry(one.entry) for one in answer.entries)]


async def test_message_that_may_not_pass_is_refused_in_its_place(hub: Any, joined: Callable[..., Any]) -> None:
    city = await joined(hub, "ha-noi", "city")
    ward = await joined(hub, "lang-ha", "ward", "ha-noi")
    large = b"x" * (LIMIT + 1)
    forged_word = RegistryChanged(
        node="ha-noi", version=9, name="x", profile="city", parent="", state="left", epoch=9, seal_keys=()
    )

    await ward.offer(ward.sealed("ha-noi", summary(), body=b'{"decision_id":1}'), b'{"decision_id":1}')
    await ward.offer(ward.sealed("ha-noi", summary(), body=large), large)
    await ward.say("nowhere", summary())
    await ward.say("ha-noi", forged_word)
    await ward.offer(ward.sealed("ha-noi", summary()), b"", gone=True)
    passed = await ward.say("ha-noi", summary())
    receipt = await ward.receipted_up_to(7)

    refused = [
        (2, "body_malformed"),
        (3, "body_too_large"),
        (4, "receiver_unknown"),
        (5, "not_allowed"),
        (6, "body_gone"),
    ]
    assert [(one.n, one.code) for one in receipt.refused] == refused
    assert [id for _, id in await city.came("lang-ha", 1)] == [passed.id]
    assert await verdicts_of(hub, "lang-ha") == [
        (1, "forwarded"),
        *((n, f"refused:{code}") for n, code in refused),
        (7, "forwarded"),
    ]
    assert (await peer_of(hub, "lang-ha")).refused == 5


async def test_forged_message_is_nobodys_and_counted(hub: Any, joined: Callable[..., Any]) -> None:
    city = await joined(hub, "ha-noi", "city")
    ward = await joined(hub, "lang-ha", "ward", "ha-noi")
    body = summary().to_bytes()
    foreign = ward.sealed("ha-noi", summary(), n=2, prev=ward.prev)
    stranger = SealKey.create()
    ward.key, own = stranger, ward.key
    forged = ward.sealed("ha-noi", summary(), n=2, prev=ward.prev)
    ward.key = own
    as_another = ward.sealed("ha-noi", summary(), sender="ha-noi", n=2, prev=ward.prev)

    await ward.member.broker.offer("ha-noi", summary().TYPE, body, {}, "no-seal")
    await ward.offer(forged, body)
    await ward.offer(as_another, body)
    await ward.offer(foreign, body + b" ")
    await ward.offer(foreign, body, receiver="hub")
    await ward.member.broker.offer("hub", "receipt.v1", b"not a receipt", {}, "bad-receipt")
    passed = await ward.say("ha-noi", summary())
    receipt = await ward.receipted_up_to(2)

    assert (receipt.head, receipt.refused) == (passed.hash, ())
    assert [id for _, id in await city.came("lang-ha", 1)] == [passed.id]
    peer = await peer_of(hub, "lang-ha")
    assert (peer.discarded, peer.refused, peer.chain_number) == (6, 0, 2)


async def test_repeat_gap_and_fork_leave_the_chain_as_it_is(hub: Any, joined: Callable[..., Any]) -> None:
    city = await joined(hub, "ha-noi", "city")
    ward = await joined(hub, "lang-ha", "ward", "ha-noi")
    first = await ward.say("ha-noi", summary(1))
    await ward.receipted_up_to(2)
    lost = ward.sealed("ha-noi", summary(2))
    after = ward.sealed("ha-noi", summary(3))

    await ward.offer(first, summary(1).to_bytes())
    await ward.offer(after, summary(3).to_bytes())
    other = ward.sealed("ha-noi", summary(9), n=2, prev=read_prev(first))
    await ward.offer(other, summary(9).to_bytes())
    ward.receipts.clear()
    told = await ward.receipt(lambda one: True)
    assert (told.n, told.head) == (2, first.hash)

    await ward.offer(lost, summary(2).to_bytes())
    await ward.offer(after, summary(3).to_bytes())
    await ward.receipted_up_to(4)
    assert [id for _, id in await city.came("lang-ha", 3)] == [first.id, lost.id, after.id]
    assert await verdicts_of(hub, "lang-ha") == [(n, "forwarded") for n in (1, 2, 3, 4)]


def read_prev(seal: Any) -> str:
    return str(seal.prev)


async def test_two_nodes_may_use_the_same_message_id(hub: Any, joined: Callable[..., Any]) -> None:
    city = await joined(hub, "ha-noi", "city")
    ward, school = await joined(hub, "lang-ha", "ward"), await joined(hub, "thanh-cong", "enterprise")

    mine = await ward.say("ha-noi", summary(1))
    await ward.receipted_up_to(2)
    theirs = await school.say("ha-noi", summary(2), id=mine.id)
    await school.receipted_up_to(2)

    assert [id for _, id in await city.came("lang-ha", 1)] == [mine.id]
    assert [id for _, id in await city.came("thanh-cong", 1)] == [mine.id]
    found = await hub.operator.GetMessage(pb.GetMessageRequest(id=f"thanh-cong/{mine.id}"))
    assert found.entry.seal == theirs.compact
    assert (await hub.operator.GetMessage(pb.GetMessageRequest(id=mine.id))).entry.seal == mine.compact
    with pytest.raises(RemoteRefusal) as refused:
        await hub.operator.GetMessage(pb.GetMessageRequest(id=f"ha-noi/{mine.id}"))
    assert refused.value.code == "hub_message_unknown"


async def test_flood_of_one_node_does_not_hold_up_another(
    start_hub: Callable[..., Any], joined: Callable[..., Any], hub_server: HubServer
) -> None:
    flood = 1_500
    async with start_hub() as hub:
        await joined(hub, "ha-noi", "city")
        noisy, quiet = await joined(hub, "on-ao", "ward"), await joined(hub, "lang-ha", "ward")
    for number in range(flood):
        await noisy.say("ha-noi", summary(number))
    one = await quiet.say("ha-noi", summary(1))
    async with broker_of(hub_server, "on-ao", "lang-ha") as broker:
        await eventually(lambda: arrived_at(broker, "on-ao"), value=flood)
        await eventually(lambda: arrived_at(broker, "lang-ha"), value=1)

    async with start_hub() as hub:
        await quiet.receipted_up_to(2)
        await noisy.receipted_up_to(flood + 1)
        entries = await hub.operator.ListEntries(pb.ListEntriesRequest(from_position=4, page_size=1_000))
        place = [read_entry(entry.entry).id for entry in entries.entries].index(one.id)
        assert place < MOST_IN_UNIT


@asynccontextmanager
async def broker_of(server: HubServer, *nodes: str) -> AsyncIterator[HubBroker]:
    """The hub's broker, while no hub runs."""
    broker = HubBroker(server.url, server.folder)
    await broker.connect()
    for node in nodes:
        await broker.open(node)
    yield broker
    await broker.close()


async def arrived_at(broker: HubBroker, node: str) -> int:
    return (await broker.link(node).backlog()).arrived


async def test_quota_leaves_messages_where_they_are_and_refuses_none(
    start_hub: Callable[..., Any], joined: Callable[..., Any]
) -> None:
    async with start_hub(rate_per_s=40.0, rate_burst=10.0) as hub:
        await joined(hub, "ha-noi", "city")
        noisy, quiet = await joined(hub, "on-ao", "ward"), await joined(hub, "lang-ha", "ward")
        for number in range(100):
            await noisy.say("ha-noi", summary(number))

        async def waiting() -> bool:
            return 0 < (await peer_of(hub, "on-ao")).backlog_in < 100

        await eventually(waiting, what="a backlog at the hub while the quota is spent")
        await quiet.say("ha-noi", summary(1))
        await quiet.receipted_up_to(2)
        behind = (await peer_of(hub, "on-ao")).chain_number
        receipt = await noisy.receipted_up_to(101)

        assert behind < 101
        assert receipt.refused == ()


async def test_strangers_to_the_operators_desk_are_turned_away(hub: Any) -> None:
    calls: tuple[Any, ...] = (
        hub.stub("leader").InviteNode(pb.InviteNodeRequest(node="ba-dinh")),
        hub.stub("secretary").ListPeers(pb.ListPeersRequest()),
        hub.stub("service").GetMessage(pb.GetMessageRequest(id="x")),
    )
    for call in calls:
        with pytest.raises(RemoteRefusal) as refused:
            await call
        assert refused.value.code == "role_missing"
    assert list((await hub.stub("service").ListNodes(pb.ListNodesRequest())).nodes) == []


async def test_join_listener_speaks_tls_only(hub: Any) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{hub.join_port}") as channel:
        call: Any = channel.unary_unary("/sangkien.api.hub.v1.JoinService/Join")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(b"", timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
