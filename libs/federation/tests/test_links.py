"""Messages flow both ways, in order, whatever happens to the link in between."""

import asyncio
import shutil
from functools import partial
from pathlib import Path

import nats
import pytest
from nats.aio.client import RawCredentials

from sangkien.federation import LinkDown, LinkRefused, Names
from sangkien.federation.accounts import credentials
from sangkien.federation.names import BadName
from sangkien.federation.streams import DUPLICATE_SECONDS, MOST_AGE_SECONDS
from sangkien.testkit import eventually
from sangkien.testkit.link import Federation, hear, say, take, tell


async def test_message_arrives_with_the_sender_its_subject_was_stamped_with(linked: Federation) -> None:
    headers = {"Sk-Seal": "a.b.c", "Sk-Sender": "b"}
    seq = await linked.members["a"].broker.offer("b", "dossier.filed.v1", b"body", headers, "id-1")

    [arrived] = await take(linked.broker.link("a").fetch, 1)

    assert (arrived.sender, arrived.receiver, arrived.type) == ("a", "b", "dossier.filed.v1")
    assert (arrived.subject, arrived.body, arrived.stream_seq) == ("fed.a.b.dossier.filed.v1", b"body", seq)
    assert {name: arrived.headers[name] for name in headers} == headers


async def test_message_down_arrives_at_its_receiver_only(linked: Federation) -> None:
    await linked.broker.link("a").send("b", "dossier.answered.v1", b"for a", {"Sk-Custody": "x"}, "id-1")
    await tell(linked.broker.link("b"), 7)

    [arrived] = await take(linked.members["a"].broker.arrived, 1)

    assert (arrived.sender, arrived.receiver, arrived.type) == ("b", "a", "dossier.answered.v1")
    assert (arrived.subject, arrived.body) == ("in.b.dossier.answered.v1", b"for a")
    assert await hear(linked.members["b"].broker.arrived, 7) == [7]


async def test_cut_link_delivers_each_message_once_and_in_order_when_it_returns(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    await say(member.broker, 0)
    await tell(link, 0)
    assert (await hear(link.fetch, 0), await hear(member.broker.arrived, 0)) == ([0], [0])
    revived = link.source.revived

    member.wire.cut()
    await eventually(lambda: linked.broker.connected() == {"b"} and not member.broker.connected())
    await say(member.broker, *range(1, 301))
    await tell(link, *range(1, 301))
    await eventually(lambda: member.wire.refused > 1, what="the leaf to have tried in vain")
    assert (await link.fetch(1, 0.2), await member.broker.arrived(1, 0.2)) == ([], [])
    member.wire.heal()

    assert await hear(link.fetch, 300) == list(range(1, 301))
    assert await hear(member.broker.arrived, 300) == list(range(1, 301))
    assert link.source.revived > revived


async def test_silent_cable_is_noticed_and_the_link_comes_back(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")

    member.wire.freeze()
    await say(member.broker, *range(50))
    await eventually(lambda: "a" not in linked.broker.connected())
    member.wire.heal()

    assert await hear(link.fetch, 49) == list(range(50))


async def test_connection_the_hub_believes_in_still_keeps_no_leaf_out_for_long(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    member.wire.strand()

    await member.kill()
    await member.revive()
    await eventually(member.broker.connected)
    await say(member.broker, 1)

    assert await hear(link.fetch, 1) == [1]


async def test_hub_killed_loses_nothing_either_way(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    await say(member.broker, *range(100))
    await tell(link, *range(100))

    await linked.kill_hub()
    assert not linked.hub.server.running
    await say(member.broker, *range(100, 200))
    with pytest.raises(LinkDown):
        await tell(link, 100)
    await linked.revive_hub()
    await tell(link, *range(100, 200))

    up, down = await hear(link.fetch, 199), await hear(member.broker.arrived, 199)
    assert (sorted(set(up)), sorted(set(down))) == (list(range(200)), list(range(200)))


async def test_leaf_killed_loses_nothing_either_way(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    await say(member.broker, *range(100))

    await member.kill()
    assert not member.server.running
    await tell(link, *range(100))
    with pytest.raises(LinkDown):
        await say(member.broker, 100)
    await member.revive()
    await linked.stands()
    await say(member.broker, *range(100, 200))

    assert sorted(set(await hear(link.fetch, 199))) == list(range(200))
    assert sorted(set(await hear(member.broker.arrived, 99))) == list(range(100))


async def test_source_left_out_by_a_process_that_died_is_put_back(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    for end, stream, source in (
        (link, link._fed, link.source),
        (member.broker, member.broker._in, member.broker._source),
    ):
        await source.close()
        await end._connection.js.update_stream(stream.evolve(sources=[]))
    await say(member.broker, 1)
    await tell(link, 1)
    assert (await link.fetch(1, 0.2), await member.broker.arrived(1, 0.2)) == ([], [])

    await member.broker.ensure()
    await linked.new_broker()

    assert await hear(linked.broker.link("a").fetch, 1) == [1]
    assert await hear(member.broker.arrived, 1) == [1]


async def test_source_that_stopped_without_an_event_is_found_by_the_safety_look(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    await link.source.close()
    await link._connection.js.update_stream(link._fed.evolve(sources=[]))
    await say(member.broker, 1)
    assert await link.fetch(1, 0.2) == []

    await link.source.check()

    assert await hear(link.fetch, 1) == [1]


async def test_leaf_that_lost_its_tail_is_heard_again_after_it_begins_its_stream_anew(
    linked: Federation, tmp_path: Path
) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    store = member.folder.path / "jetstream"
    await say(member.broker, *range(5))
    assert await hear(link.fetch, 4) == list(range(5))
    await member.stop()
    _copy(store, tmp_path / "older")
    await member.revive()
    await linked.stands()
    await say(member.broker, *range(5, 10))
    assert await hear(link.fetch, 9) == list(range(5, 10))

    await member.kill()
    _copy(tmp_path / "older", store)
    await member.revive()
    await linked.stands()
    await say(member.broker, 10, 11, 12)
    assert await link.fetch(10, 1.0) == []  # their sequences are those the hub has seen
    await member.broker.reset_out()
    await say(member.broker, 10, 11, 12)

    assert await hear(link.fetch, 12) == [10, 11, 12]


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


async def test_unacknowledged_messages_come_first_and_in_order_for_the_next_reader(linked: Federation) -> None:
    await say(linked.members["a"].broker, *range(20))
    await eventually(lambda: _arrived(linked, 20))
    first = await take(linked.broker.link("a").fetch, 10)
    for each in first[:4]:
        await each.ack()

    await linked.new_broker()

    assert [int(each.body) for each in first] == list(range(10))
    assert await hear(linked.broker.link("a").fetch, 19) == list(range(4, 20))


async def test_next_reader_gets_all_in_order_though_a_former_ones_question_is_still_open(linked: Federation) -> None:
    """Whoever broke down between asking and reading may be believed in for long: what is sent to it is sent nowhere."""
    login = RawCredentials(credentials(*linked.hub.folder.service_login("a")))
    former = await nats.connect(linked.hub.url, user_credentials=login)
    inbox = former.new_inbox()
    await former.subscribe(inbox)
    question = b'{"batch":3,"expires":60000000000}'
    await former.publish("$JS.API.CONSUMER.MSG.NEXT.FED_a.hub", question, reply=inbox)
    await former.flush()

    await linked.new_broker()
    await say(linked.members["a"].broker, *range(5))

    assert await hear(linked.broker.link("a").fetch, 4) == [0, 1, 2, 3, 4]
    await former.close()


async def test_rewind_begins_again_at_the_first_not_acknowledged(linked: Federation) -> None:
    broker = linked.members["a"].broker
    await tell(linked.broker.link("a"), *range(6))
    await eventually(lambda: _all_down(linked, 6))
    first = await take(broker.arrived, 6)
    await first[0].ack()

    await broker.rewind()

    assert [int(each.body) for each in first] == list(range(6))
    assert await hear(broker.arrived, 5) == [1, 2, 3, 4, 5]


async def _arrived(fed: Federation, count: int) -> bool:
    return (await fed.broker.link("a").backlog()).arrived == count


async def _all_down(fed: Federation, count: int) -> bool:
    return (await fed.members["a"].broker.backlog()).arrived == count


async def test_bodies_are_forgotten_once_taken_and_the_place_is_not(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    await say(member.broker, *range(10))
    await tell(link, *range(10))
    assert (await hear(link.fetch, 9), await hear(member.broker.arrived, 9)) == (list(range(10)), list(range(10)))
    await eventually(lambda: _arrived(linked, 0))
    await eventually(lambda: _all_down(linked, 0))

    dropped = [await link.drop_taken(), await link.drop_sent(10), await member.broker.drop_taken()]
    member.wire.cut()
    await say(member.broker, 10)
    await tell(link, 10)
    await eventually(lambda: linked.broker.connected() == {"b"} and not member.broker.connected())
    member.wire.heal()

    assert dropped == [9, 10, 9]
    assert await hear(link.fetch, 10) == [10]
    assert await hear(member.broker.arrived, 10) == [10]


async def test_streams_are_bounded_and_let_the_oldest_go(linked: Federation) -> None:
    names, found = Names("a"), {}
    for js, streams in (
        (linked.broker.link("a")._connection.js, (names.fed, names.down)),
        (linked.members["a"].broker._connection.js, (names.out, names.in_)),
    ):
        for stream in streams:
            config = (await js.stream_info(stream)).config
            found[stream] = (config.max_age, config.max_bytes, str(config.discard), config.duplicate_window)

    mib = 1 << 20
    assert found == {
        "FED_a": (MOST_AGE_SECONDS, 64 * mib, "old", DUPLICATE_SECONDS),
        "DOWN_a": (MOST_AGE_SECONDS, 64 * mib, "old", DUPLICATE_SECONDS),
        "OUT_a": (MOST_AGE_SECONDS, 256 * mib, "old", DUPLICATE_SECONDS),
        "IN_a": (MOST_AGE_SECONDS, 256 * mib, "old", DUPLICATE_SECONDS),
    }


async def test_message_offered_again_is_not_swallowed(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    await say(member.broker, 1)
    assert await hear(link.fetch, 1) == [1]
    await eventually(lambda: _arrived(linked, 0))

    async def offered_again() -> bool:
        await say(member.broker, 1)
        return (await link.backlog()).arrived > 0

    await eventually(offered_again)
    assert set(await hear(link.fetch, 1)) == {1}


async def test_reset_streams_begin_anew_and_flow(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    await say(member.broker, 1)
    await tell(link, 1)
    assert (await hear(link.fetch, 1), await hear(member.broker.arrived, 1)) == ([1], [1])

    await linked.broker.reset_down("a", 2)
    await linked.broker.reset_up("a")
    await tell(link, 2)
    await say(member.broker, 2)

    assert await hear(link.fetch, 2) == [1, 2]
    assert await hear(member.broker.arrived, 2) == [2]


async def test_stream_may_begin_anew_while_it_is_read(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    heard: list[int] = []

    async def read() -> None:
        while True:
            for one in await link.fetch(10, 30.0):
                heard.append(int(one.body))
                await one.ack()

    def newest(number: int) -> bool:
        return heard[-1:] == [number]

    reading = asyncio.create_task(read())
    for number in (1, 2, 3):
        await say(member.broker, number)
        await eventually(partial(newest, number))
        await linked.broker.reset_up("a")
    reading.cancel()
    await asyncio.wait({reading})
    assert list(dict.fromkeys(heard)) == [1, 2, 3]


async def test_message_that_cannot_be_addressed_or_carried_is_refused(linked: Federation) -> None:
    broker = linked.members["a"].broker
    for receiver, kind in (("*", "x.v1"), ("hub.evil", "x.v1"), ("B", "x.v1"), ("b", "x.>"), ("b", "")):
        with pytest.raises(BadName):
            await broker.offer(receiver, kind, b"", {}, "id")
    for headers, body in (({"Nats-Rollup": "all"}, b""), ({"X": "a\r\nB: c"}, b""), ({}, b"x" * (1 << 20 | 1))):
        with pytest.raises(LinkRefused):
            await broker.offer("b", "x.v1", body, headers, "id")

    client = await linked.members["a"].client()
    assert (await client.jetstream().stream_info("OUT_a")).state.messages == 0
    await client.close()


async def test_brokers_wait_for_servers_that_start_later(tmp_path: Path) -> None:
    made = Federation(tmp_path)
    waiting = asyncio.create_task(made.broker.connect())
    await eventually(lambda: made.broker._system._reported, what="a first attempt in vain")

    made.hub.server.start()
    await waiting
    member = await made.join("a")
    await made.stands()
    await say(member.broker, 1)

    assert await hear(made.broker.link("a").fetch, 1) == [1]
    await member.close()
    await made.broker.close()
    made.hub.server.kill()
