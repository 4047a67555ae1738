"""What a link, a server or a disk does to a node, and that nothing is lost and nothing happens twice."""

import shutil
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import RawCredentials

from sangkien.api.exchange.v1 import exchange_pb2 as pb
from sangkien.api.hub.v1 import hub_pb2 as hub_pb
from sangkien.custody import ChainAudit
from sangkien.exchange.adapters.stored import StoredIncomings, StoredOutgoings
from sangkien.exchange.application.prune_bodies import PruneBodies
from sangkien.federation import LeafBroker
from sangkien.federation.accounts import credentials
from sangkien.rpc import RemoteRefusal
from sangkien.runtime import new_id, utc_now
from sangkien.testkit import eventually


def ids(*numbers: int) -> list[str]:
    return [f"D{number:05}" for number in numbers]


async def state_of(node: Any) -> tuple[str, str]:
    said = await node.operator.GetLink(pb.GetLinkRequest())
    return said.state, said.sending


async def audited(node: Any) -> int:
    """How many seals its own chain has, once every one of them holds."""
    said = await node.operator.ListSeals(pb.ListSealsRequest())
    audit = ChainAudit(node.name, list(said.seal_keys))
    for one in said.seals:
        audit.seal(one.seal)
    return len(said.seals)


async def test_what_is_said_behind_a_cut_link_arrives_when_it_is_back(city: Any, ward: Any, summary: Any) -> None:
    ward.member.wire.cut()
    await ward.says("hanoi", *[summary(number) for number in range(500)])
    await eventually(lambda: ward.count("offered"), value=500, what="messages at the leaf")

    ward.member.wire.heal()
    await ward.delivered(500)

    await eventually(city.taken, value=ids(*range(500)))


async def test_the_same_business_key_is_said_and_taken_once(city: Any, ward: Any, summary: Any) -> None:
    await ward.says("hanoi", summary(1), summary(2), summary(1))
    await ward.says("hanoi", summary(2), summary(3))

    await ward.delivered(3)
    await eventually(city.taken, value=ids(1, 2, 3))


async def test_a_leaf_that_lost_its_tail_is_given_it_again(city: Any, ward: Any, summary: Any, tmp_path: Path) -> None:
    server, streams = ward.member.server, ward.member.folder.path / "jetstream"
    await ward.says("hanoi", summary(0))
    await ward.delivered(1)
    server.stop()
    shutil.copytree(streams, tmp_path / "earlier")
    server.start()
    ward.member.wire.cut()
    await ward.says("hanoi", *[summary(number) for number in range(1, 6)])
    await eventually(lambda: ward.count("offered"), value=5)

    server.stop()
    shutil.rmtree(streams)
    shutil.copytree(tmp_path / "earlier", streams)
    server.start()
    await ward.says("hanoi", *[summary(number) for number in range(6, 11)])
    ward.member.wire.heal()

    await ward.delivered(11)
    await eventually(city.taken, value=ids(*range(11)))


@pytest.mark.parametrize("more", [True, False], ids=["seen by what follows", "seen by the hub's receipt"])
async def test_a_gap_in_what_came_down_is_filled_by_the_hub(world: Any, city: Any, summary: Any, more: bool) -> None:
    ward = await world.join("phuctan", "ward", "hanoi")
    async with ward.runs():
        await ward.says("hanoi", *[summary(number) for number in range(3)])
        await ward.delivered(3)
        city.member.wire.cut()
        await ward.says("hanoi", *[summary(number) for number in range(3, 8)])
        await eventually(lambda: ward.count("receipted"), value=5, what="messages in custody")
        await forget_down(world, "hanoi")
        if more:
            await ward.says("hanoi", summary(8))
            await eventually(lambda: ward.count("receipted"), value=6)

        city.member.wire.heal()

        await ward.delivered(9 if more else 8)
        await eventually(city.taken, value=ids(*range(9 if more else 8)))


async def forget_down(world: Any, node: str) -> None:
    """Take from the hub's stream to a node what lies in it, as a broken disk would."""
    names, folder = f"DOWN_{node}", world.server.folder
    login = RawCredentials(credentials(*folder.service_login(node)))
    client = await nats.connect(world.server.url, user_credentials=login)
    await client.jetstream().purge_stream(names)
    await client.close()


async def test_a_message_that_fails_for_a_reason_of_its_own_is_kept_and_holds_up_nothing(
    world: Any, city: Any, ward: Any, summary: Any
) -> None:
    stranger = await world.join("khac", "ward")  # nobody's child: what it reports is not the city's
    async with stranger.runs():
        await stranger.says("hanoi", summary(100))
        await stranger.delivered(1)
        await ward.says("hanoi", summary(1))
        await ward.delivered(1)

        await eventually(city.taken, value=ids(1))
        failed = await city.operator.GetMessage(pb.GetMessageRequest(id=summary(100).key()))
        with pytest.raises(RemoteRefusal) as refused:
            await city.operator.ReplayMessage(pb.ReplayMessageRequest(id=summary(1).key()))
        await city.operator.ReplayMessage(pb.ReplayMessageRequest(id=summary(100).key()))
        await eventually(lambda: city.rows("incoming", state="failed"))

    assert (failed.message.state, failed.message.reason) == ("failed", "exchange_summary_not_theirs")
    assert refused.value.code == "exchange_message_not_failed"


async def test_a_node_set_back_by_an_old_backup_learns_what_it_said_and_goes_on(
    world: Any, city: Any, summary: Any, tmp_path: Path
) -> None:
    ward = await world.join("phuctan", "ward", "hanoi")
    backup = tmp_path / "backup"
    async with ward.runs():
        await ward.says("hanoi", *[summary(number) for number in range(5)])
        await ward.delivered(5)
    shutil.copytree(ward.data_dir, backup)
    async with ward.runs():
        await ward.says("hanoi", *[summary(number) for number in range(5, 10)])
        await ward.delivered(10)
    shutil.rmtree(ward.data_dir)
    shutil.copytree(backup, ward.data_dir)

    async with ward.runs():
        await ward.says("hanoi", summary(8), *[summary(number) for number in range(20, 23)])
        await ward.delivered(13)

        await eventually(city.taken, value=ids(*range(10), 20, 21, 22))
        assert await state_of(ward) == ("active", "open")
        entries = await world.operator.ListEntries(hub_pb.ListEntriesRequest(node="phuctan"))
        kept = await ward.operator.ListSeals(pb.ListSealsRequest())
        assert [one.seal for one in kept.seals] == [one.seal for one in entries.entries]
        assert await audited(ward) == len(entries.entries)


async def test_a_node_restored_whole_is_heard_though_its_link_server_counts_anew(
    world: Any, city: Any, summary: Any, tmp_path: Path
) -> None:
    """Store and leaf are set back together, and nothing was sealed since: neither side sees it by its numbers."""
    ward = await world.join("phuctan", "ward", "hanoi")
    ward.settings["silence_s"] = 0.5
    server, streams = ward.member.server, ward.member.folder.path / "jetstream"
    async with ward.runs():
        await ward.says("hanoi", summary(0))
        await ward.delivered(1)
    server.stop()
    shutil.copytree(streams, tmp_path / "streams")
    server.start()
    shutil.copytree(ward.data_dir, tmp_path / "store")
    await offer_unsealed(ward, 40)
    await eventually(partial(read_from, world, "phuctan", 40))
    server.stop()
    for kept, now in ((tmp_path / "streams", streams), (tmp_path / "store", ward.data_dir)):
        shutil.rmtree(now)
        shutil.copytree(kept, now)
    server.start()

    async with ward.runs():
        await ward.says("hanoi", *[summary(number) for number in range(1, 4)])
        await ward.delivered(4)

        await eventually(city.taken, value=ids(*range(4)))
        assert await audited(ward) == 5


async def offer_unsealed(node: Any, count: int) -> None:
    """Say what is no part of the chain, as receipts are."""
    leaf = LeafBroker(node.told["leaf_url"], node.name)
    await leaf.connect()
    for number in range(count):
        await leaf.offer("hub", "receipt.v1", b"", {}, f"unsealed-{number}")
    await leaf.close()


async def read_from(world: Any, node: str, count: int) -> bool:
    """Whether the hub's server took over so many messages from the node's leaf."""
    login = RawCredentials(credentials(*world.server.folder.service_login(node)))
    client = await nats.connect(world.server.url, user_credentials=login)
    info = await client.jetstream().stream_info(f"FED_{node}")
    await client.close()
    return bool(info.state.last_seq >= count)


async def test_a_hub_that_was_set_back_is_told_again_and_nothing_happens_twice(
    start_hub: Any, summary: Any, tmp_path: Path
) -> None:
    async with start_hub() as world:
        city, ward = await world.join("hanoi", "city"), await world.join("phuctan", "ward", "hanoi")
        async with city.runs(), ward.runs():
            await ward.says("hanoi", *[summary(number) for number in range(5)])
            await ward.delivered(5)
    shutil.copytree(tmp_path / "hub-store", tmp_path / "backup")
    async with start_hub(), city.runs(), ward.runs():
        await ward.says("hanoi", *[summary(number) for number in range(5, 8)])
        await ward.delivered(8)
        await without_bodies(ward)
        await ward.says("hanoi", *[summary(number) for number in range(8, 10)])
        await ward.delivered(10)
    shutil.rmtree(tmp_path / "hub-store")
    shutil.copytree(tmp_path / "backup", tmp_path / "hub-store")

    async with start_hub() as again, world.stack, city.runs(), ward.runs():
        await ward.says("hanoi", summary(10))
        await ward.delivered(11)

        await eventually(city.taken, value=ids(*range(11)))
        entries = await again.operator.ListEntries(hub_pb.ListEntriesRequest(node="phuctan"))
        assert len(entries.entries) == await audited(ward)


async def without_bodies(node: Any) -> None:
    """What was delivered so far is long ago now."""
    outgoings, incomings = StoredOutgoings(node.store), StoredIncomings(node.store)
    await PruneBodies(outgoings, incomings, Clock(), node.store.apply, keep=timedelta())()


class Clock:
    """What pruning asks of the world."""

    now = staticmethod(utc_now)
    new_id = staticmethod(new_id)

    def today(self) -> date:
        return utc_now().date()


async def three_wait(node: Any) -> bool:
    """The first one may be the fourth: the hub may have been paused before it came."""
    return bool(await node.count("waiting") >= 3)


async def test_sending_stops_while_the_hub_is_paused_and_goes_on_by_itself(start_hub: Any, summary: Any) -> None:
    async with start_hub() as world:
        city, ward = await world.join("hanoi", "city"), await world.join("phuctan", "ward", "hanoi")
        async with city.runs(), ward.runs():
            await eventually(lambda: state_of(ward), value=("active", "open"))
    async with world.stack, city.runs(), ward.runs():
        async with start_hub(tsa_url="http://127.0.0.1:9/", stamp_limit_s=0.5):
            await ward.says("hanoi", summary(0))
            await eventually(lambda: state_of(ward), value=("active", "paused"))
            await ward.says("hanoi", *[summary(number) for number in range(1, 4)])
            await eventually(partial(three_wait, ward), what="messages that wait for the hub")

        async with start_hub():
            await ward.delivered(4)
            await eventually(city.taken, value=ids(*range(4)))
            assert await state_of(ward) == ("active", "open")
