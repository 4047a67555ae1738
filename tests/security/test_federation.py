"""A node that joined and means harm, at a real hub: refused, counted for the operator, and nobody else's trouble.

What the servers alone turn away (accounts, JetStream APIs, leaf credentials used by clients, account JWTs of one's
own) is tested in libs/federation. Here the hub service and the others' exchanges run as processes of their own.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from itertools import count
from typing import Any

import grpc
import pytest

from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.api.hub.v1.hub_pb2_grpc import JoinServiceStub
from sangkien.contracts.crossing import DecisionSummarised, DossierAnswered, RegistryChanged
from sangkien.custody import NodeReceipt, SealKey
from sangkien.federation import new_key_and_csr
from sangkien.rpc import RemoteRefusal
from sangkien.rpc.remote import remote_error
from sangkien.runtime import new_id, utc_now
from sangkien.testkit import eventually
from sangkien.testkit.nodes import Network, Node, ids, network
from sangkien.testkit.voice import Voice

CITY, HONEST = "ha-noi", "ba-dinh"
MIB = 1_048_576
QUOTA = 100
_names, _numbers = count(1), count(1)


@pytest.fixture(scope="module")
async def net(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """A city and an honest district below it, each with its exchange, at a hub with a small quota for each node."""
    async with network(tmp_path_factory.mktemp("net"), rate_per_s=str(QUOTA), rate_burst=str(QUOTA)) as running:
        await running.node(CITY, "city")
        await running.node(HONEST, "district", CITY)
        await running.active(CITY, HONEST)
        yield running


@pytest.fixture
def city(net: Network) -> Node:
    return net.nodes[CITY]


@pytest.fixture
def honest(net: Network) -> Node:
    return net.nodes[HONEST]


@pytest.fixture
async def attacker(net: Network) -> Voice:
    """A ward below the city, with every key it was given."""
    return await net.voice(f"phuong-{next(_names)}", "ward", CITY)


@asynccontextmanager
async def unharmed(net: Network, city: Node, honest: Node) -> AsyncIterator[None]:
    """Whatever happens within: the honest node is heard after it, its chain is whole and nothing is laid to it."""
    before = await net.peer(HONEST)
    yield
    number, taken = next(_numbers), city.taken(HONEST)
    await honest.decides([number])
    await eventually(lambda: city.taken(HONEST), value=[*taken, *ids([number])])
    after = await net.peer(HONEST)
    assert (after.refused, after.discarded) == (before.refused, before.discarded)
    assert [entry[1] for entry in net.entries(HONEST)] == list(range(1, after.chain_number + 1))
    failed = [row["reason"] for row in city.exchange.rows("incoming") if row["sender"] == HONEST and row["reason"]]
    assert failed == []


def summary(number: int = 1) -> DecisionSummarised:
    return DecisionSummarised(
        decision_id=f"D{number:06}",
        symbol=f"{number}/QĐ-UBND",
        round_id="R1",
        tier="district",
        recognised=1,
        refused=0,
        issued_on=date(2023, 12, 20),
    )


async def logs(net: Network, node: str, event: str, codes: list[str]) -> None:
    """Wait until these are the codes of what the hub logged of a node: a thread writes lines a moment later."""

    def logged() -> list[str]:
        whole, _, _ = net.hub.said.rpartition("\n")
        said = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
        return [each["code"] for each in said if (each.get("event"), each.get("node")) == (event, node)]

    await eventually(logged, value=codes)


async def test_word_in_another_name_is_discarded_and_told_to_the_operator(
    net: Network, city: Node, honest: Node, attacker: Voice
) -> None:
    me, victim = attacker.member.node, honest.exchange.rows("ledger")
    chain = next(row for row in victim if row["_id"] == "chain")
    as_victim = {"sender": HONEST, "n": chain["n"] + 1, "prev": chain["hash"]}
    async with unharmed(net, city, honest):
        await attacker.offer(attacker.seal(CITY, summary(901), **as_victim), summary(901).to_bytes())
        stranger = attacker.seal(CITY, summary(902), by=SealKey.create(), n=2)
        await attacker.offer(stranger, summary(902).to_bytes())
        receipt = NodeReceipt(HONEST, utc_now(), 1, 0, gap=True).sign(attacker.key)
        await attacker.member.broker.offer("hub", "receipt.v1", receipt.encode(), {}, new_id())
        await attacker.say(CITY, summary(903))
        await attacker.receipted()

    codes = ["seal_of_another_subject", "seal_unknown_key", "receipt_of_another"]
    await logs(net, me, "message_discarded", codes)
    peer = await net.peer(me)
    assert (peer.discarded, peer.refused, peer.chain_number) == (3, 0, 2)
    await eventually(lambda: city.taken(me), value=ids([903]))


async def test_replay_of_ones_own_or_anothers_message_has_no_second_effect(
    net: Network, city: Node, honest: Node, attacker: Voice
) -> None:
    me = attacker.member.node
    async with unharmed(net, city, honest):
        await honest.decides([number := next(_numbers)])
        await eventually(lambda: ids([number])[0] in city.taken(HONEST))
        stolen = next(row for row in city.exchange.rows("incoming") if row["key"].endswith(ids([number])[0]))
        body = _body(number)
        mine = await attacker.say(CITY, summary(911))
        await attacker.receipted()
        for _ in range(3):
            await attacker.offer(mine, summary(911).to_bytes())
            await attacker.member.broker.offer(CITY, stolen["type"], body, {"Sk-Seal": stolen["seal"]}, new_id())
        await attacker.say(CITY, summary(912))
        await attacker.receipted()

    await eventually(lambda: city.taken(me), value=ids([911, 912]))
    assert city.taken(HONEST).count(ids([number])[0]) == 1
    await logs(net, me, "message_discarded", ["seal_unknown_key"] * 3)
    assert (await net.peer(me)).discarded == 3


def _body(number: int) -> bytes:
    return DecisionSummarised(**{**summary(number).model_dump(), "recognised": number}).to_bytes()


async def test_flood_waits_for_its_own_quota_while_others_pass(
    net: Network, city: Node, honest: Node, attacker: Voice
) -> None:
    me, flood = attacker.member.node, 10 * QUOTA
    async with unharmed(net, city, honest):
        for number in range(flood):
            await attacker.say(CITY, summary(number))
        await eventually(lambda: waiting(net, me), what="a backlog of the flood")
        taken = city.taken(HONEST)
        some = [next(_numbers) for _ in range(20)]
        await honest.decides(some)
        await eventually(lambda: city.taken(HONEST), value=[*taken, *ids(some)])
        behind = await net.peer(me)

    assert behind.chain_number < flood
    assert behind.rate_per_minute > 0
    assert (await attacker.receipted()).refused == ()


async def waiting(net: Network, node: str) -> bool:
    return bool((await net.peer(node)).backlog_in)


async def test_bodies_that_are_too_large_or_break_the_schema_are_refused_in_their_place(
    net: Network, city: Node, honest: Node, attacker: Voice
) -> None:
    me, kind = attacker.member.node, summary()
    async with unharmed(net, city, honest):
        for body in (b"x" * (MIB * 9 // 16), b'{"decision_id":', b'{"decision_id":7}', b"\xff\xfe", b"null"):
            await attacker.say(CITY, kind, body)
        await attacker.say(CITY, summary(921))
        receipt = await attacker.receipted()

    codes = ["body_too_large", *["body_malformed"] * 4]
    assert [(one.n, one.code) for one in receipt.refused] == list(enumerate(codes, start=2))
    await logs(net, me, "message_refused", codes)
    assert (await net.peer(me)).refused == len(codes)
    await eventually(lambda: city.taken(me), value=ids([921]))
    assert len([row for row in city.exchange.rows("incoming") if row["sender"] == me]) == 1


async def test_body_of_fifty_mebibytes_cuts_off_its_sender_alone(
    net: Network, city: Node, honest: Node, attacker: Voice
) -> None:
    """The attacker's own server passes it on, since it is its own; its stream would not take so much."""
    member = attacker.member
    config = member.folder.config(member.port)
    config.write_text(config.read_text().replace("max_payload: 1048576", "max_payload: 64MB"))
    await member.stop()
    await member.revive()
    await net.active(member.node)
    client = await member.client()
    async with unharmed(net, city, honest):
        await client.publish(f"deliver.up.{member.node}.wake", b"x" * (50 * MIB))
        await client.flush(30)
        await eventually(lambda: "maximum payload exceeded" in net.server.server.log)
        assert [entry[1] for entry in net.entries(member.node)] == [1]
    await client.close()

    await net.active(member.node)
    await attacker.say(CITY, summary(931))
    await attacker.receipted()


async def test_what_is_not_the_senders_to_say_is_refused_by_the_hub_or_by_the_receiver(
    net: Network, city: Node, honest: Node, attacker: Voice
) -> None:
    """Of its decisions to one that does not stand above it, of a dossier it was never sent, of the registry."""
    me = attacker.member.node
    answer = DossierAnswered(dossier_id=new_id(), answer="recognised", decision_symbol="1/QĐ", on=date(2023, 12, 20))
    word = RegistryChanged(
        node=HONEST, version=99, name="x", profile="district", parent=CITY, state="left", epoch=9, seal_keys=()
    )
    async with unharmed(net, city, honest):
        await attacker.say(HONEST, summary(931))
        await attacker.say(HONEST, answer)
        await attacker.say(CITY, word)
        receipt = await attacker.receipted()
        await eventually(lambda: len(failures(honest, me)), value=2)

    assert [(one.n, one.code) for one in receipt.refused] == [(4, "not_allowed")]
    assert failures(honest, me) == ["exchange_summary_not_theirs", "exchange_answer_not_theirs"]
    assert city.taken(me) == []
    standing = {row["_id"]: row["state"] for row in city.exchange.rows("nodes")}
    assert standing[HONEST] == "active"


def failures(node: Node, sender: str) -> list[str]:
    """Why a node put aside what another said, in order."""
    found = [row for row in node.exchange.rows("incoming") if (row["sender"], row["state"]) == (sender, "failed")]
    return [row["reason"] for row in sorted(found, key=lambda row: int(row["n"]))]


async def test_revoked_node_is_out_with_every_key_it_has(
    net: Network, city: Node, honest: Node, attacker: Voice
) -> None:
    me, wire = attacker.member.node, attacker.member.wire
    async with unharmed(net, city, honest):
        await net.operator.RevokeNode(pb.RevokeNodeRequest(node=me, reason="khóa bị lộ"))
        await eventually(lambda: not attacker.member.broker.connected(), what="its leaf to be cut")
        entries, passed = net.entries(me), wire.passed
        await attacker.say(CITY, summary(941))
        await eventually(lambda: wire.passed > passed, what="it to try again")
        proof = attacker.key.sign({"v": 1, "node": me})
        csr = new_key_and_csr(me)[1]
        request = pb.RotateKeysRequest(
            node=me, csr_pem=csr, user_key="U", seal_key=SealKey.create().public, proof=proof
        )
        assert await refusal(net, attacker, request) in {"node_state_refused", "rotation_proof_broken"}

    assert net.entries(me) == entries
    peer = await net.peer(me)
    assert (peer.state, peer.connected) == ("left", False)
    known = await eventually(lambda: left(city, me), what="the city to be told")
    assert known["state"] == "left"


async def refusal(net: Network, attacker: Voice, request: pb.RotateKeysRequest) -> str:
    trust = grpc.ssl_channel_credentials(attacker.member.folder.authority_pem.encode())
    async with grpc.aio.secure_channel(f"127.0.0.1:{net.join_port}", trust) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await JoinServiceStub(channel).RotateKeys(request, timeout=20)
    told = remote_error("RotateKeys", ended.value)
    assert isinstance(told, RemoteRefusal)
    return told.code


def left(node: Node, other: str) -> dict[str, Any] | None:
    found = next(row for row in node.exchange.rows("nodes") if row["_id"] == other)
    return found if found["state"] == "left" else None
