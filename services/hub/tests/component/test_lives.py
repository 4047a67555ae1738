"""Keys that change, lives that end and begin again, and what a node asks about its own past."""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest

from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.api.hub.v1.hub_pb2_grpc import JoinServiceStub
from sangkien.contracts.crossing import DecisionSummarised, DossierAnswered, Goodbye
from sangkien.custody import SealKey, read_seal
from sangkien.rpc import RemoteRefusal
from sangkien.rpc.remote import remote_error
from sangkien.runtime import new_id, utc_now
from sangkien.testkit import eventually
from sangkien.testkit.link import Member


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


async def node_of(hub: Any, node: str) -> pb.Node:
    found: pb.ListNodesResponse = await hub.operator.ListNodes(pb.ListNodesRequest())
    return next(one for one in found.nodes if one.node == node)


async def rotate(speaker: Any, hub: Any, key: SealKey, **changed: str) -> pb.RotateKeysResponse:
    keys = speaker.member.folder.make_keys(speaker.node)
    said = {
        "v": 1,
        "node": speaker.node,
        "csr": hashlib.sha256(keys.csr_pem.encode()).hexdigest(),
        "user_key": keys.user_public,
        "seal_key": keys.seal_public,
        "at": utc_now().isoformat(),
    }
    request = {
        "node": speaker.node,
        "csr_pem": keys.csr_pem,
        "user_key": keys.user_public,
        "seal_key": keys.seal_public,
        "proof": key.sign(said | changed),
    }
    credentials = grpc.ssl_channel_credentials(speaker.member.folder.authority_pem.encode())
    async with grpc.aio.secure_channel(f"127.0.0.1:{hub.join_port}", credentials) as channel:
        return await JoinServiceStub(channel).RotateKeys(pb.RotateKeysRequest(**request), timeout=20)


async def test_old_key_seals_nothing_new_once_the_new_one_is_in_force(hub: Any, joined: Callable[..., Any]) -> None:
    city, ward = await joined(hub, "ha-noi", "city"), await joined(hub, "lang-ha", "ward")
    on_its_way = ward.sealed("ha-noi", summary(1))

    given = await rotate(ward, hub, ward.key)
    old = ward.key
    ward.member.folder.prepare(certificate_pem=given.certificate_pem, user_jwt=given.user_jwt)
    ward.member.folder.activate()
    ward.key = ward.member.folder.seal_key
    await ward.offer(on_its_way, summary(1).to_bytes())
    fresh = await ward.say("ha-noi", summary(2))
    await ward.receipted_up_to(3)

    assert [id for _, id in await city.came("lang-ha", 2)] == [on_its_way.id, fresh.id]
    assert list((await node_of(hub, "lang-ha")).seal_keys) == [ward.key.public, old.public]
    words = [json.loads(one.body) for one in city.arrived if one.type == "registry.changed.v1"]
    assert words[-1]["seal_keys"] == [ward.key.public, old.public]


@pytest.mark.parametrize("changed", [{"node": "ha-noi"}, {"seal_key": "A" * 43}, {"csr": "0" * 64}, {"at": "now"}])
async def test_rotation_without_the_nodes_own_word_is_refused(
    hub: Any, joined: Callable[..., Any], changed: dict[str, str]
) -> None:
    ward = await joined(hub, "lang-ha", "ward")
    for key, said in ((ward.key, changed), (SealKey.create(), {})):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await rotate(ward, hub, key, **said)
        told = remote_error("RotateKeys", refused.value)
        assert isinstance(told, RemoteRefusal)
        assert told.code == "rotation_proof_broken"
    assert list((await node_of(hub, "lang-ha")).seal_keys) == [ward.key.public]


async def test_node_rebuilt_from_nothing_begins_a_new_life_with_what_waits(
    hub: Any, joined: Callable[..., Any], tmp_path: Path
) -> None:
    city, ward = await joined(hub, "ha-noi", "city"), await joined(hub, "lang-ha", "ward")
    await ward.confirm(len(await ward.came("hub", 2)))
    await ward.say("ha-noi", summary(1))
    await ward.receipted_up_to(2)
    await ward.member.close()
    waits = [await city.say("lang-ha", answer(number)) for number in (1, 2)]
    await city.receipt(lambda one: one.waiting == (2, 3))

    again = await hub.operator.InviteNode(pb.InviteNodeRequest(node="lang-ha", again=True))
    assert (await node_of(hub, "lang-ha")).epoch == 1
    old_key, ward.member = ward.key, Member(tmp_path / "rebuilt", "lang-ha", hub.server)
    ward.n, ward.prev, ward.said, ward.arrived, ward.receipts = 0, "0" * 64, {}, [], []
    await ward.settle(await ward.join(again.bundle))
    await ward.echo("once more")
    told = await ward.receipted_up_to(1)
    came = await ward.came("ha-noi", 2)

    assert (told.epoch, told.refused) == (2, ())
    assert came == [(number, seal.id) for number, seal in enumerate(waits, start=1)]
    node = await node_of(hub, "lang-ha")
    assert (node.state, node.epoch, list(node.seal_keys)) == ("active", 2, [ward.key.public, old_key.public])
    await ward.confirm(2)
    await city.receipt(lambda one: one.waiting == ())


async def test_key_of_a_former_life_is_nobodys(hub: Any, joined: Callable[..., Any], tmp_path: Path) -> None:
    ward = await joined(hub, "lang-ha", "ward")
    old_key = ward.key
    await ward.member.close()
    again = await hub.operator.InviteNode(pb.InviteNodeRequest(node="lang-ha", again=True))
    ward.member, ward.n, ward.prev = Member(tmp_path / "rebuilt", "lang-ha", hub.server), 0, "0" * 64
    ward.receipts, ward.said = [], {}
    await ward.settle(await ward.join(again.bundle))
    new_key, ward.key = ward.key, old_key
    await ward.offer(ward.sealed("hub", summary(), n=1, prev="0" * 64), summary().to_bytes())
    ward.key = new_key
    await ward.echo()
    await ward.receipted_up_to(1)

    found = await hub.operator.ListPeers(pb.ListPeersRequest())
    assert [(peer.discarded, peer.refused) for peer in found.peers] == [(1, 0)]


async def test_node_that_said_goodbye_counts_as_left_when_its_leaf_is_gone(
    start_hub: Callable[..., Any], joined: Callable[..., Any]
) -> None:
    async with start_hub(leave_after_s=0.2) as hub:
        city, ward = await joined(hub, "ha-noi", "city"), await joined(hub, "lang-ha", "ward")
        await ward.say("hub", Goodbye(on=date(2026, 11, 22)))
        await ward.say("ha-noi", summary(1))
        told = await ward.receipted_up_to(3)
        assert [(one.n, one.code) for one in told.refused] == [(3, "sender_leaving")]
        assert (await node_of(hub, "lang-ha")).state == "leaving"

        late = await city.say("lang-ha", answer(1))
        assert (await city.receipted_up_to(2)).refused[0].code == "receiver_left"
        await ward.confirm(len(await ward.came("hub", 2)))
        await ward.receipt(lambda one: one.down == 2)
        await ward.member.close()

        async def state() -> str:
            return str((await node_of(hub, "lang-ha")).state)

        await eventually(state, value="left")
        fate = await hub.operator.GetMessage(pb.GetMessageRequest(id=late.id))
        assert fate.fate == "refused:receiver_left"


async def test_revoked_node_is_cut_and_reaches_nothing_more(hub: Any, joined: Callable[..., Any]) -> None:
    city, ward = await joined(hub, "ha-noi", "city"), await joined(hub, "lang-ha", "ward")
    await hub.operator.RevokeNode(pb.RevokeNodeRequest(node="lang-ha", reason="Giải thể"))
    await ward.say("ha-noi", summary(1))
    await city.say("lang-ha", answer(1))
    told = await city.receipted_up_to(2)
    await hub.operator.RevokeNode(pb.RevokeNodeRequest(node="lang-ha", reason="Giải thể"))

    assert [one.code for one in told.refused] == ["receiver_left"]
    peers = {peer.node: peer for peer in (await hub.operator.ListPeers(pb.ListPeersRequest())).peers}
    assert (peers["lang-ha"].state, peers["lang-ha"].connected, peers["lang-ha"].chain_number) == ("left", False, 1)
    assert city.messages("lang-ha") == []
    node = await node_of(hub, "lang-ha")
    assert node.reason == "Giải thể"


async def test_node_that_was_set_back_learns_its_own_seals(hub: Any, joined: Callable[..., Any]) -> None:
    await joined(hub, "ha-noi", "city")
    ward = await joined(hub, "lang-ha", "ward")
    said = [await ward.say("ha-noi", summary(number)) for number in range(5)]
    await ward.receipted_up_to(6)

    async def asked(epoch: int, after: int) -> dict[str, Any]:
        ward.history.clear()
        body = json.dumps({"v": 1, "epoch": epoch, "after": after}).encode()
        await ward.member.broker.offer("hub", "history.v1", body, {}, new_id())

        async def told() -> list[dict[str, Any]]:
            await ward.listen()
            return list(ward.history)

        return dict((await eventually(told))[0])

    page = await asked(1, 2)
    assert (page["epoch"], page["after"]) == (1, 2)
    assert [read_seal(seal, ward.key.public).id for seal in page["seals"]] == [seal.id for seal in said[1:]]
    assert (await asked(1, 6))["seals"] == []
    assert (await asked(2, 0))["seals"] == []


async def test_suspended_node_is_told_and_cannot_rotate(hub: Any, joined: Callable[..., Any]) -> None:
    ward = await joined(hub, "lang-ha", "ward")
    await hub.operator.SuspendNode(pb.SuspendNodeRequest(node="lang-ha", reason="Kiểm tra"))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await rotate(ward, hub, ward.key)
    told = remote_error("RotateKeys", refused.value)
    assert isinstance(told, RemoteRefusal)
    assert (told.code, told.item.facts["state"]) == ("node_state_refused", "suspended")
    with pytest.raises(RemoteRefusal) as twice:
        await hub.operator.ReinstateNode(pb.ReinstateNodeRequest(node="nobody"))
    assert twice.value.code == "node_unknown"
