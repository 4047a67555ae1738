"""Between nodes nothing is lost, nothing twice, and all in order: whatever is cut, killed or restored.

Everybody is a process of its own. What happened is read from the stores' files, not from what services say.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from sangkien.contracts.crossing import DecisionSummarised
from sangkien.runtime import utc_now
from sangkien.testkit import eventually
from sangkien.testkit.nodes import Network, Node, copied, ids, network

CITY, DISTRICT = "ha-noi", "ba-dinh"
LONGEST_S = 90
AHEAD = 20


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Network]:
    """A hub, a city and a district below it, whose first message has arrived."""
    async with network(tmp_path) as running:
        await running.node(CITY, "city")
        district = await running.node(DISTRICT, "district", CITY)
        await running.active(CITY, DISTRICT)
        await district.decides([1])
        await delivered(district, 1)
        yield running


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """The same, for tests that leave it as they found it."""
    async with network(tmp_path_factory.mktemp("shared")) as running:
        await running.node(CITY, "city")
        yield running


async def delivered(node: Node, count: int) -> None:
    await eventually(lambda: node.sent("delivered"), value=count, timeout=LONGEST_S, what="messages to be delivered")


async def offered(node: Node, count: int) -> None:
    await eventually(lambda: node.sent("offered"), value=count, timeout=LONGEST_S, what="messages to be sealed")


def chain(net: Network, epoch: int = 1, node: str = DISTRICT) -> list[int]:
    """Numbers of a node's life in the hub's log, in the log's order."""
    return [entry[1] for entry in net.entries(node) if entry[0] == epoch]


async def assert_whole(net: Network, said: Sequence[int], *, in_order: bool = True) -> None:
    """The hub's log has every number of the chain once and in order, the city every message once and in its order.

    `in_order`: the chain has the order in which it was said. Where exchange itself is killed, what it had not finished
    is sealed after younger words on other matters: the broker brings it later.
    """
    numbers, city = chain(net), net.nodes[CITY]
    sealed = [row["key"].rpartition(":")[2] for row in net.nodes[DISTRICT].summaries("delivered")]
    assert numbers == list(range(1, len(numbers) + 1))
    await eventually(lambda: city.taken(DISTRICT), value=sealed, what="the city to apply what it was delivered")
    assert (sealed if in_order else sorted(sealed)) == ids(said)


async def posted(node: Node, count: int) -> None:
    """Wait until exchange has heard of so many."""
    await eventually(lambda: node.exchange.count("outgoing") >= count, timeout=LONGEST_S)


@asynccontextmanager
async def filing(node: Node, first: int, last: int) -> AsyncIterator[None]:
    """Within the block the node's council decides, as fast as exchange hears of it; at its end all is decided."""

    async def decide() -> None:
        for number in range(first, last + 1, 5):
            await node.decides(range(number, min(last, number + 4) + 1))
            await posted(node, number - AHEAD)

    deciding = asyncio.create_task(decide())
    try:
        yield
    finally:
        await deciding


async def test_what_waited_behind_a_cut_link_arrives_once_and_in_order(net: Network) -> None:
    district, wire = net.nodes[DISTRICT], net.nodes[DISTRICT].member.wire
    logged = chain(net)

    wire.cut()
    passed, refused = wire.passed, wire.refused
    await district.decides(range(2, 502))
    await offered(district, 500)
    await eventually(lambda: wire.refused > refused, what="the leaf to try in vain")
    peer = await eventually(lambda: gone(net), what="the hub to see the link down")
    assert (wire.passed, chain(net), peer.backlog_in) == (passed, logged, 0)
    wire.heal()
    await delivered(district, 501)

    await assert_whole(net, range(1, 502))


async def gone(net: Network) -> object:
    peer = await net.peer(DISTRICT)
    return None if peer.connected else peer


async def test_nothing_is_lost_to_three_cuts_and_to_kills_of_everybody_while_filing(net: Network) -> None:
    district, wire = net.nodes[DISTRICT], net.nodes[DISTRICT].member.wire
    async with filing(district, 2, 301):
        wire.cut()
        net.server.server.kill()
        net.server.server.start()
        wire.heal()
        await progress(net, 30)
        net.hub.kill()
        wire.cut()
        await net.hub.start()
        wire.heal()
        await progress(net, 80)
        district.member.server.kill()
        district.member.server.start()
        await progress(net, 120)
        wire.cut()
        district.exchange.kill()
        wire.heal()
        await district.exchange.start()
        await progress(net, 160)
        for child in (net.hub, district.exchange):
            child.kill()
        for server in (net.server.server, district.member.server):
            server.kill()
            server.start()
        for child in (district.exchange, net.hub):
            await child.start()
    await delivered(district, 301)

    await assert_whole(net, range(1, 302), in_order=False)


async def progress(net: Network, count: int) -> None:
    """Wait until the log has so many of the district's: a fault meets messages on their way."""
    await eventually(lambda: len(chain(net)) >= count, timeout=LONGEST_S, what=f"{count} entries")


async def test_node_restored_from_a_backup_learns_what_it_had_said_and_goes_on(net: Network, tmp_path: Path) -> None:
    district = net.nodes[DISTRICT]
    district.stop()
    set_back = copied(district.files, tmp_path / "backup")
    await district.go_on()
    await district.decides(range(2, 42))
    await delivered(district, 41)
    before = chain(net)

    district.stop()
    set_back()
    await district.go_on()
    assert len(district.summaries()) == 1
    await district.decides(range(42, 52))
    city = net.nodes[CITY]
    await eventually(lambda: len(city.taken(DISTRICT)), value=51, timeout=LONGEST_S, what="all of it at the city")

    await eventually(lambda: chain(net), value=list(range(1, len(before) + 11)), timeout=LONGEST_S)
    assert city.taken(DISTRICT) == ids(range(1, 52))
    [kept] = [row for row in district.exchange.rows("ledger") if row["_id"] == "chain"]
    assert (kept["epoch"], kept["n"], kept["reconciling"]) == (1, len(before) + 10, False)


async def test_hub_restored_from_a_backup_is_offered_the_rest_again(net: Network, tmp_path: Path) -> None:
    district = net.nodes[DISTRICT]
    net.hub.kill()
    set_back = copied([net.hub.folder], tmp_path / "backup")
    await net.hub.start()
    await district.decides(range(2, 42))
    await delivered(district, 41)
    before = chain(net)

    net.hub.kill()
    set_back()
    assert chain(net) == before[: len(before) - 40]
    await net.hub.start()
    await district.decides(range(42, 52))
    await eventually(lambda: len(chain(net)), value=len(before) + 10, timeout=LONGEST_S, what="the log to be whole")
    await delivered(district, 51)

    await assert_whole(net, range(1, 52))


async def test_leaf_that_lost_its_tail_is_heard_again(net: Network, tmp_path: Path) -> None:
    district, link = net.nodes[DISTRICT], net.nodes[DISTRICT].member
    link.server.kill()
    set_back = copied([link.folder.path], tmp_path / "older")
    link.server.start()
    link.wire.cut()
    await district.decides(range(2, 32))
    await offered(district, 30)

    link.server.kill()
    set_back()
    link.server.start()
    await district.decides(range(32, 42))
    link.wire.heal()
    await delivered(district, 41)

    await assert_whole(net, range(1, 42))


async def test_node_rebuilt_from_nothing_begins_another_life(net: Network, tmp_path: Path) -> None:
    """Its council's decisions are all announced anew: what the city has already it takes no second time."""
    district, city = net.nodes[DISTRICT], net.nodes[CITY]
    await district.decides(range(2, 12))
    await delivered(district, 11)

    district.stop()
    district.exchange.folder.rename(tmp_path / "lost")
    district.exchange.folder.mkdir()
    district.member.folder.path.rename(tmp_path / "lost-link")
    bundle = await net.invite(DISTRICT, "district", CITY, again=True)
    await net.reanswer(bundle, district)
    district.nats.wipe()
    await district.go_on()
    await district.decides(range(12, 22))
    await delivered(district, 21)
    await eventually(lambda: len(city.taken(DISTRICT)), value=21, what="all of it applied")

    assert city.taken(DISTRICT)[:11] == ids(range(1, 12))
    assert sorted(city.taken(DISTRICT)) == ids(range(1, 22))
    second = chain(net, epoch=2)
    assert second == list(range(1, len(second) + 1))
    [peer] = [await net.peer(DISTRICT)]
    assert (peer.state, peer.chain_number) == ("active", len(second))


async def test_ids_used_twice_on_purpose_cost_nobody_a_message(shared: Network) -> None:
    city = shared.nodes[CITY]
    ward, other = await shared.voice("lang-ha", "ward", CITY), await shared.voice("kim-ma", "ward", CITY)
    first = await ward.say(CITY, summary(1))
    await ward.say(CITY, summary(2), id=first.id)
    await other.say(CITY, summary(3), id=first.id)
    await ward.say(CITY, summary(1, recognised=99))
    told = [await each.receipted() for each in (ward, other)]
    await eventually(lambda: [len(city.taken("lang-ha")), len(city.taken("kim-ma"))], value=[2, 1])

    assert [receipt.refused for receipt in told] == [(), ()]
    assert (city.taken("lang-ha"), city.taken("kim-ma")) == (ids([1, 2]), ids([3]))
    rows = [row for row in city.exchange.rows("foreign_summaries") if row["decision_id"] == "D000001"]
    assert [row["recognised"] for row in rows if row["node"] == "lang-ha"] == [1]


async def test_clock_that_is_days_off_is_shown_and_delays_nobody(shared: Network) -> None:
    city = shared.nodes[CITY]
    ward = await shared.voice("giang-vo", "ward", CITY)
    for number, days in ((1, -40), (2, 3)):
        await ward.say(CITY, summary(number), at=utc_now() + timedelta(days=days))
    await ward.receipted()
    await eventually(lambda: city.taken("giang-vo"), value=ids([1, 2]))

    skew = (await shared.peer("giang-vo")).clock_skew_s
    assert timedelta(days=2, hours=23) < timedelta(seconds=skew) < timedelta(days=3, hours=1)
    assert chain(shared, node="giang-vo") == [1, 2, 3]


def summary(number: int, recognised: int = 1) -> DecisionSummarised:
    return DecisionSummarised(
        decision_id=f"D{number:06}",
        symbol=f"{number}/QĐ-UBND",
        round_id="R1",
        tier="district",
        recognised=recognised,
        refused=0,
        issued_on=date(2023, 12, 20),
    )
