"""Between nodes: what a cut link drains in, how fast messages cross through the hub, and a hub with 300 members.

Every part is a process of its own: hub service and hub nats-server, and for each member its link server behind a wire
that can be cut, its broker and its exchange. Messages are decisions that a member's recognition announces; its exchange
seals a summary of each for the node above. Whether all came, once and in order is read from the stores' files.

The raw ceilings move as many messages of the same size over the same servers and wire, with nothing of ours looking at
them: one sourced stream for the drain, two and a loop that copies between them for the routing.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import forks  # noqa: F401 (before all others that load gRPC)
import nkeys
import psutil
from harness import Result, main, median

from sangkien.custody import SealKey
from sangkien.federation import Backlog, new_key_and_csr
from sangkien.testkit import eventually
from sangkien.testkit.link import Federation, Member, federation
from sangkien.testkit.nodes import Network, Node, ids, network

PATIENCE_S = 300.0
DRAIN_BUDGET_S = 5.0
IN_FLIGHT = 500
LOOK_S = 0.2
BODY_BYTES, SEAL_BYTES, CUSTODY_BYTES = 200, 620, 380
"""About what a summary weighs, with its seal and the hub's word on it."""


async def measure(chosen: argparse.Namespace) -> Result:
    drains, routes = [], []
    raw_drains, raw_routes = [], []
    for _ in range(chosen.runs):
        async with two_nodes() as net:
            drains.append(await drain(net, chosen.messages))
        async with two_nodes() as net:
            routes.append(await route(net, chosen.routed))
        raw_drains.append(await raw_drain(chosen.messages))
        raw_routes.append(await raw_route(chosen.routed))
    middle = sorted(drains, key=lambda run: run["receipted_s"])[len(drains) // 2]
    routed = median([run["per_s"] for run in routes])
    return {
        "drain": middle
        | {
            "messages": chosen.messages,
            "budget_s": DRAIN_BUDGET_S,
            "runs_receipted_s": [run["receipted_s"] for run in drains],
            "raw_s": median(raw_drains, 2),
            "ratio_to_raw": round(median(raw_drains, 4) / middle["in_log_s"], 3),
        },
        "routing": {
            "messages": chosen.routed,
            "per_s": routed,
            "runs_per_s": [run["per_s"] for run in routes],
            "raw_per_s": median(raw_routes),
            "ratio_to_raw": round(routed / median(raw_routes), 3),
            "cpu_ms_per_message": routes[-1]["cpu_ms_per_message"],
        },
        "many": await many(chosen.nodes) if chosen.nodes else {},
    }


@asynccontextmanager
async def two_nodes() -> AsyncIterator[Network]:
    """A hub, a city and a district below it, whose first message has arrived."""
    with tempfile.TemporaryDirectory(prefix="sangkien-bench-") as name:
        async with network(Path(name)) as net:
            await net.node("ha-noi", "city")
            district = await net.node("ba-dinh", "district", "ha-noi")
            await net.active("ha-noi", "ba-dinh")
            await district.decides([1])
            await delivered(district, 1)
            yield net


async def delivered(node: Node, count: int) -> None:
    """Wait until so many of the node's summaries are delivered, as the hub's receipts tell it."""

    async def all_there() -> bool:
        await asyncio.sleep(LOOK_S)  # counting costs processor time that the measured ones lack
        return node.sent("delivered") == count

    await eventually(all_there, timeout=PATIENCE_S, what="messages to be delivered")


async def drain(net: Network, messages: int) -> Result:
    """Seconds from the link's return until the hub's stream, its log and its receipts have what waited."""
    district, wire = net.nodes["ba-dinh"], net.nodes["ba-dinh"].member.wire
    before, position = logged(net), net.hub.one("log", "log")["position"]
    wire.cut()
    await district.decides(range(2, messages + 2))
    await eventually(lambda: district.sent("offered"), value=messages, timeout=PATIENCE_S, what="all to be sealed")
    assert logged(net) == before
    spent = cpu_seconds(net)
    found: dict[str, float] = {}

    async def note(name: str, condition: Callable[[], object]) -> None:
        await eventually(condition, timeout=PATIENCE_S, what=name)
        found[name] = round(time.perf_counter() - began, 2)

    async def in_stream() -> bool:
        await asyncio.sleep(LOOK_S)
        peer = await net.peer("ba-dinh")
        return bool(peer.backlog_in + peer.chain_number >= before + messages)

    began = time.perf_counter()
    wire.heal()
    await asyncio.gather(
        note("in_stream_s", in_stream),
        note("in_log_s", lambda: net.hub.one("log", "log")["position"] == position + messages),
        note("receipted_s", lambda: district.exchange.one("ledger", "word")["confirmed"] == before + messages),
    )
    await delivered(district, messages + 1)
    found["delivered_s"] = round(time.perf_counter() - began, 2)
    used = {name: round(cpu - spent[name], 2) for name, cpu in cpu_seconds(net).items()}
    city = net.nodes["ha-noi"]
    await eventually(lambda: len(city.taken("ba-dinh")), value=messages + 1, timeout=PATIENCE_S, what="all applied")
    check(net, messages + 1)
    return found | {"within_budget": found["receipted_s"] <= DRAIN_BUDGET_S, "cpu_s": used}


async def route(net: Network, messages: int) -> Result:
    """Messages a second over a standing link: announced at the district, until the last receipt calls it delivered."""
    district = net.nodes["ba-dinh"]
    spent = cpu_seconds(net)
    began = time.perf_counter()
    await district.decides(range(2, messages + 2))
    await delivered(district, messages + 1)
    seconds = time.perf_counter() - began
    used = {name: round(1000 * (cpu - spent[name]) / messages, 2) for name, cpu in cpu_seconds(net).items()}
    check(net, messages + 1)
    return {"per_s": round(messages / seconds, 1), "cpu_ms_per_message": used}


def check(net: Network, messages: int) -> None:
    """None lost, none twice, in order: in the hub's log and at the receiver, read from their files."""
    of_district = [entry for entry in net.entries("ba-dinh") if entry[2] != "node.echo.v1"]
    numbers = [entry[1] for entry in net.entries("ba-dinh")]
    assert numbers == list(range(1, len(numbers) + 1)), "the hub's log misses, repeats or disorders numbers"
    assert [entry[3] for entry in of_district] == ["forwarded"] * messages
    assert net.nodes["ha-noi"].taken("ba-dinh") == ids(range(1, messages + 1)), "the receiver's do not agree"


def logged(net: Network, node: str = "ba-dinh") -> int:
    """Entries of a node in the hub's log."""
    return net.hub.count("entries", f"json_extract(body,'$.sender')='{node}'")


def cpu_seconds(net: Network) -> dict[str, float]:
    """Processor time spent so far by every process that a message passes, and by this driver."""
    pids = {"hub": net.hub.pid, "hub_nats": net.server.server.pid, "driver": os.getpid()}
    for node in net.nodes.values():
        pids |= {f"{node.name}_exchange": node.exchange.pid, f"{node.name}_leaf": node.member.server.pid}
    return {name: sum(psutil.Process(pid).cpu_times()[:2]) for name, pid in pids.items()}


async def raw_drain(messages: int) -> float:
    """Seconds until as many bare messages lie in the hub's stream after their link returned."""
    async with bare("ba-dinh") as (linked, member):
        member.wire.cut()
        await offer(member, messages)
        began = time.perf_counter()
        member.wire.heal()
        link = linked.broker.link("ba-dinh")
        await all_at(link.backlog, messages)
        return time.perf_counter() - began


async def raw_route(messages: int) -> float:
    """Bare messages a second from a leaf through two sourced streams and a loop that copies, to another leaf."""
    async with bare("ba-dinh", "ha-noi") as (linked, member):
        source, sink, far = linked.broker.link("ba-dinh"), linked.broker.link("ha-noi"), linked.members["ha-noi"]
        custody = {"Sk-Seal": "s" * SEAL_BYTES, "Sk-Custody": "c" * CUSTODY_BYTES}

        async def copy() -> None:
            while True:
                some = await source.fetch(IN_FLIGHT, 1.0)
                sending = [sink.send("ba-dinh", one.type, one.body, custody, str(one.stream_seq)) for one in some]
                await asyncio.gather(*sending)
                for one in some:
                    await one.ack()

        copying = asyncio.create_task(copy())
        began = time.perf_counter()
        await offer(member, messages)
        await all_at(far.broker.backlog, messages)
        seconds = time.perf_counter() - began
        copying.cancel()
        await asyncio.gather(copying, return_exceptions=True)
        return messages / seconds


@asynccontextmanager
async def bare(*nodes: str) -> AsyncIterator[tuple[Federation, Member]]:
    """Servers, links and streams as in a federation, no services; the first node's member."""
    with tempfile.TemporaryDirectory(prefix="sangkien-bench-") as name:
        async with federation(Path(name)) as linked:
            for node in nodes:
                await linked.join(node)
            await linked.stands()
            yield linked, linked.members[nodes[0]]


async def all_at(backlog: Callable[[], Awaitable[Backlog]], messages: int) -> None:
    """Wait until so many lie at that end."""

    async def there() -> bool:
        return (await backlog()).arrived >= messages

    await eventually(there, timeout=PATIENCE_S, what="bare messages to arrive")


async def offer(member: Member, messages: int) -> None:
    """Store messages of the usual size in the member's stream."""
    body, headers = b"x" * BODY_BYTES, {"Sk-Seal": "s" * SEAL_BYTES}
    for start in range(0, messages, IN_FLIGHT):
        some = range(start, min(messages, start + IN_FLIGHT))
        await asyncio.gather(*[member.broker.offer("hub", "raw.v1", body, headers, str(n)) for n in some])


async def many(nodes: int) -> Result:
    """The last of many joins, while a member that was there before goes on sending."""
    async with two_nodes() as net:
        idle = memory(net)
        took = [await register(net, number) for number in range(nodes - 3)]
        district = net.nodes["ba-dinh"]
        await settled(net)
        full, sent = memory(net), district.sent("delivered")
        flowing = asyncio.create_task(flow(district, sent + 1))
        began = time.perf_counter()
        await net.node("hoan-kiem", "district", "ha-noi")
        await net.active("hoan-kiem")
        seconds = time.perf_counter() - began
        meanwhile = district.sent("delivered") - sent
        flowing.cancel()
        await asyncio.gather(flowing, return_exceptions=True)
        return {
            "nodes": nodes,
            "last_added_s": round(seconds, 2),
            "join_call_s": {"first_20": median(took[:20], 3), "last_20": median(took[-20:], 3)},
            "delivered_of_another_meanwhile": meanwhile,
            "memory_mib": {"with_2": idle, "with_all": full, "after": memory(net)},
            "open_files_of_hub": psutil.Process(net.hub.pid).num_fds(),
        }


async def register(net: Network, number: int) -> float:
    """One more member as the hub knows it, without a leaf; seconds of its invitation and join."""
    node = f"phuong-{number:03}"
    csr = new_key_and_csr(node)[1]
    user = nkeys.from_seed(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)).public_key.decode()
    began = time.perf_counter()
    bundle = await net.invite(node, "ward", "ba-dinh")
    await net.join(bundle, csr_pem=csr, user_key=user, seal_key=SealKey.create().public)
    return time.perf_counter() - began


async def settled(net: Network) -> None:
    """Wait until members know of everybody: what the hub told those who are there was receipted."""

    async def told() -> bool:
        return not any([(await net.peer(node)).backlog_out for node in net.nodes])

    await eventually(told, timeout=PATIENCE_S, what="members to be told of the others")


async def flow(node: Node, number: int) -> None:
    """Decide again and again, ten at a time."""
    while True:
        await node.decides(range(number, number + 10))
        number += 10
        await asyncio.sleep(0.2)


def memory(net: Network) -> dict[str, float]:
    """Resident MiB of hub service and hub nats-server."""
    pids = {"hub": net.hub.pid, "hub_nats": net.server.server.pid}
    return {name: round(psutil.Process(pid).memory_info().rss / 2**20, 1) for name, pid in pids.items()}


if __name__ == "__main__":
    main(
        measure,
        ("--messages", {"type": int, "default": 10_000}),
        ("--routed", {"type": int, "default": 3_000}),
        ("--runs", {"type": int, "default": 3}),
        ("--nodes", {"type": int, "default": 300}),
    )
