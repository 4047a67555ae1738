"""Kills, restarts, gaps: nothing lost, and nothing under two numbers."""

import shutil
from collections.abc import Callable
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.contracts.crossing import DecisionSummarised, DossierAnswered
from sangkien.custody import read_entry
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble
from sangkien.testkit.link import HubServer
from sangkien.testkit.nats_server import free_port
from sangkien.testkit.service_process import service_process


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


def answer(number: int = 1) -> DossierAnswered:
    return DossierAnswered(dossier_id=f"S{number}", answer="received", on=date(2023, 12, 20))


async def peer_of(hub: Any, node: str) -> pb.Peer:
    found: pb.ListPeersResponse = await hub.operator.ListPeers(pb.ListPeersRequest())
    return next(peer for peer in found.peers if peer.node == node)


async def log_of(hub: Any) -> list[tuple[int, str, int]]:
    found = await hub.operator.ListEntries(pb.ListEntriesRequest())
    return [(entry.position, entry.sender, entry.n) for entry in (read_entry(one.entry) for one in found.entries)]


async def test_what_was_taken_is_forwarded_after_a_kill_under_its_number(
    start_hub: Callable[..., Any],
    joined: Callable[..., Any],
    own_nats_server: NatsServer,
    hub_server: HubServer,
    directory: DirectoryDouble,
    tmp_path: Path,
) -> None:
    async with start_hub() as hub:
        city, ward = await joined(hub, "ha-noi", "city"), await joined(hub, "lang-ha", "ward")
        before = len(await city.came("hub", 4))

    @contextmanager
    def process() -> Any:
        settings = {
            "folder": str(hub_server.folder.path),
            "broker_url": hub_server.url,
            "join_listen": f"127.0.0.1:{free_port()}",
            "join_public": "127.0.0.1:1",
            "leaf_public": f"tls://127.0.0.1:{hub_server.leaf_port}",
            "first_word_s": "3600",  # takes, and does not forward: the moment between the two, for as long as needed
        }
        nats, store = own_nats_server.url, tmp_path / "store"
        with service_process(
            "hub", nats_url=nats, data_dir=store, port=free_port(), directory=directory, **settings
        ) as child:
            yield child

    ward.receipts.clear()
    with process() as child:
        seals = [await ward.say("ha-noi", summary(number)) for number in range(3)]
        told = await ward.receipted_up_to(4)
        child.kill()
        assert child.wait() == -9
    await city.listen()
    assert (told.waiting, city.messages("lang-ha")) == ((2, 3, 4), [])

    async with start_hub() as hub:
        arrived = await city.came("lang-ha", 3)
        later = await ward.say("ha-noi", summary(9))
        again = await city.came("lang-ha", 4)
        numbers = [before + number for number in (1, 2, 3)]
        assert arrived == list(zip(numbers, [seal.id for seal in seals], strict=True))
        assert again == [*arrived, (before + 4, later.id)]
        assert await log_of(hub) == [
            (1, "ha-noi", 1),
            (2, "lang-ha", 1),
            *((2 + n, "lang-ha", 1 + n) for n in (1, 2, 3, 4)),
        ]


async def test_killed_broker_of_the_hub_costs_nothing(hub: Any, joined: Callable[..., Any]) -> None:
    city, ward = await joined(hub, "ha-noi", "city"), await joined(hub, "lang-ha", "ward")
    first = [await ward.say("ha-noi", summary(number)) for number in range(20)]
    hub.server.server.kill()
    assert not hub.server.server.running
    second = [await ward.say("ha-noi", summary(number)) for number in range(20, 40)]
    hub.server.server.start()

    await ward.receipted_up_to(41)
    arrived = await city.came("lang-ha", 40)
    known = dict.fromkeys(id for _, id in arrived)
    assert list(known) == [seal.id for seal in (*first, *second)]
    assert len(set(arrived)) == 40


async def test_gap_on_the_way_down_is_filled_from_where_it_begins(hub: Any, joined: Callable[..., Any]) -> None:
    city, ward = await joined(hub, "ha-noi", "city"), await joined(hub, "lang-ha", "ward")
    for number in range(4):
        await ward.say("ha-noi", summary(number))
    first = await city.came("lang-ha", 4)

    await city.confirm(first[1][0], gap=True)

    async def again() -> list[tuple[int, str]]:
        await city.listen()
        found: list[tuple[int, str]] = city.messages("lang-ha")
        return found

    await eventually(again, value=[*first, *first[2:]])
    assert (await peer_of(hub, "ha-noi")).retries == 2
    await city.confirm(first[-1][0])
    told = await ward.receipt(lambda one: one.n == 5 and one.waiting == ())
    assert told.refused == ()


async def test_messages_of_a_suspended_node_wait_on_both_ways(hub: Any, joined: Callable[..., Any]) -> None:
    city, ward = await joined(hub, "ha-noi", "city"), await joined(hub, "lang-ha", "ward")
    await hub.operator.SuspendNode(pb.SuspendNodeRequest(node="lang-ha", reason="Gửi nhầm hàng loạt"))
    held_back = await ward.say("ha-noi", summary(1))
    to_ward = await city.say("lang-ha", answer(1))
    await city.receipt(lambda one: one.n == 2 and one.waiting == (2,))
    peer = await peer_of(hub, "lang-ha")
    assert (peer.state, peer.chain_number, peer.connected) == ("suspended", 1, False)

    await hub.operator.ReinstateNode(pb.ReinstateNodeRequest(node="lang-ha"))
    assert [id for _, id in await city.came("lang-ha", 1)] == [held_back.id]
    assert [id for _, id in await ward.came("ha-noi", 1)] == [to_ward.id]
    assert (await peer_of(hub, "lang-ha")).state == "active"


async def test_restored_hub_is_offered_again_what_it_forgot(
    start_hub: Callable[..., Any], joined: Callable[..., Any], tmp_path: Path
) -> None:
    async with start_hub() as hub:
        city, ward = await joined(hub, "ha-noi", "city"), await joined(hub, "lang-ha", "ward")
        kept = await ward.say("ha-noi", summary(0))
        await city.came("lang-ha", 1)
        words = len(await city.came("hub", 4))
        await ward.receipted_up_to(2)
    shutil.copytree(tmp_path / "store", tmp_path / "backup")
    async with start_hub() as hub:
        seals = [await ward.say("ha-noi", summary(number)) for number in (1, 2, 3)]
        before = await city.came("lang-ha", 4)
        await city.confirm(before[-1][0])
        await ward.receipt(lambda one: one.n == 5 and one.waiting == ())
    shutil.rmtree(tmp_path / "store")
    shutil.copytree(tmp_path / "backup", tmp_path / "store")

    ward.receipts.clear()
    async with start_hub(first_word_s=3_600.0) as hub:
        back = await ward.receipt(lambda one: one.n < 5)
        assert (back.n, back.head) == (2, kept.hash)
        for number, seal in zip((1, 2, 3), seals, strict=True):
            await ward.offer(seal, summary(number).to_bytes())
        await ward.receipted_up_to(5)
        fresh = await ward.say("ha-noi", summary(4))
        await city.confirm(before[-1][0])
        after = (await city.came("lang-ha", 9))[4:]

    ids = [seal.id for seal in (kept, *seals, fresh)]
    above = before[-1][0] + words  # the hub's own were not confirmed either when the backup was made
    assert after == [(above + place, id) for place, id in enumerate(ids, start=1)]


async def test_link_that_was_cut_catches_up_in_order(hub: Any, joined: Callable[..., Any]) -> None:
    city, ward = await joined(hub, "ha-noi", "city"), await joined(hub, "lang-ha", "ward")
    ward.member.wire.cut()

    async def gone() -> bool:
        return not (await peer_of(hub, "lang-ha")).connected

    await eventually(gone, what="the hub to see that the link is down")
    seals = [await ward.say("ha-noi", summary(number)) for number in range(200)]
    down = [await city.say("lang-ha", answer(number)) for number in range(50)]
    assert (await peer_of(hub, "lang-ha")).chain_number == 1
    ward.member.wire.heal()

    assert [id for _, id in await city.came("lang-ha", 200)] == [seal.id for seal in seals]
    assert [id for _, id in await ward.came("ha-noi", 50)] == [seal.id for seal in down]
