"""How a node becomes a member."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import grpc
import pytest

from sangkien.api.errors.v1.errors_pb2 import ItemError
from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.rpc import RemoteRefusal
from sangkien.rpc.remote import remote_error
from sangkien.runtime import utc_now
from sangkien.testkit import eventually


async def refusal_of(call: Any) -> ItemError:
    """The refusal a call ends with, over a channel that is not ours too."""
    with pytest.raises((RemoteRefusal, grpc.aio.AioRpcError)) as ended:
        await call
    error = ended.value
    told = remote_error("Join", error) if isinstance(error, grpc.aio.AioRpcError) else error
    assert isinstance(told, RemoteRefusal), error
    return told.item


async def states(hub: Any) -> dict[str, str]:
    return {node.node: node.state for node in (await hub.operator.ListNodes(pb.ListNodesRequest())).nodes}


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        ({"node": "Ba Đình"}, "node_id_malformed", "node"),
        ({"node": "hub"}, "node_id_reserved", "node"),
        ({"name": " "}, "node_name_malformed", "name"),
        ({"profile": "kingdom"}, "node_profile_unknown", "profile"),
        ({"parent": "nowhere"}, "node_parent_unknown", "parent"),
        ({"parent": "ba-dinh"}, "node_parent_unknown", "parent"),
        ({"hours": 10_000}, "invitation_too_long", "hours"),
        ({"again": True}, "node_unknown", "node"),
    ],
)
async def test_invitation_that_cannot_stand_is_refused_with_the_way_out(
    hub: Any, request_: dict[str, Any], code: str, field: str
) -> None:
    asked = {"node": "ba-dinh", "name": "Quận Ba Đình", "profile": "district"} | request_
    item = await refusal_of(hub.operator.InviteNode(pb.InviteNodeRequest(**asked)))
    assert (item.code, item.field) == (code, field)
    assert item.fix_vi
    assert await states(hub) == {}


async def test_bundle_holds_what_a_node_needs_and_the_hub_keeps_no_secret(hub: Any) -> None:
    answer = await hub.operator.InviteNode(
        pb.InviteNodeRequest(node="ba-dinh", name="Quận Ba Đình", profile="district", hours=1)
    )
    bundle = json.loads(answer.bundle)
    assert {key: bundle[key] for key in ("v", "node", "name", "profile", "parent", "join")} == {
        "v": 1,
        "node": "ba-dinh",
        "name": "Quận Ba Đình",
        "profile": "district",
        "parent": "",
        "join": f"127.0.0.1:{hub.join_port}",
    }
    stored = await hub.service.host._store.find("nodes")
    assert bundle["secret"] not in json.dumps(stored)


async def test_node_is_invited_joins_and_becomes_active_by_its_echo(hub: Any, invited: Callable[..., Any]) -> None:
    speaker, bundle = await invited(hub, "ba-dinh")
    assert await states(hub) == {"ba-dinh": "invited"}

    answer = await speaker.join(bundle)
    assert await states(hub) == {"ba-dinh": "joining"}
    assert [(node.node, node.state) for node in answer.registry] == [("ba-dinh", "joining")]

    await speaker.settle(answer)
    await speaker.echo()
    await speaker.receipted_up_to(1)
    assert await states(hub) == {"ba-dinh": "active"}
    [node] = (await hub.operator.ListNodes(pb.ListNodesRequest(state="active"))).nodes
    assert (list(node.seal_keys), node.version, node.epoch) == ([speaker.key.public], "1.2.3", 1)


async def test_same_secret_with_the_same_keys_answers_the_same_again(hub: Any, invited: Callable[..., Any]) -> None:
    speaker, bundle = await invited(hub, "ba-dinh")
    first, again = await speaker.join(bundle), await speaker.join(bundle)
    assert (again.certificate_pem, again.user_jwt, again.epoch) == (first.certificate_pem, first.user_jwt, 1)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"secret": "guess"}, "join_secret_wrong"),
        ({"node": "nobody"}, "join_secret_wrong"),
        ({"csr_pem": "junk"}, "join_keys_malformed"),
        ({"user_key": "UJUNK"}, "join_keys_malformed"),
        ({"seal_key": "A" * 43}, "join_keys_malformed"),
    ],
)
async def test_join_that_cannot_be_is_refused_and_may_be_tried_again(
    hub: Any, invited: Callable[..., Any], changed: dict[str, str], code: str
) -> None:
    speaker, bundle = await invited(hub, "ba-dinh")
    assert (await refusal_of(speaker.join(bundle, **changed))).code == code
    assert await states(hub) == {"ba-dinh": "invited"}
    assert (await speaker.join(bundle)).epoch == 1


async def test_used_secret_is_good_for_nobody_else(hub: Any, invited: Callable[..., Any]) -> None:
    speaker, bundle = await invited(hub, "ba-dinh")
    await speaker.join(bundle)
    thief, _ = await invited(hub, "thief")
    stolen = thief.member.folder.make_keys("thief")
    assert (await refusal_of(speaker.join(bundle, seal_key=stolen.seal_public))).code == "join_other_keys"


async def test_clock_that_is_wrong_is_told_both_clocks(hub: Any, invited: Callable[..., Any]) -> None:
    speaker, bundle = await invited(hub, "ba-dinh")
    wrong = utc_now() - timedelta(minutes=7)
    item = await refusal_of(speaker.join(bundle, now=wrong))
    assert item.code == "join_clock_skewed"
    assert item.facts["node_clock"] == wrong.isoformat(timespec="seconds")
    assert item.facts["hub_clock"] in item.message_vi
    assert item.facts["node_clock"] in item.message_en


async def test_nodes_are_told_of_others_before_these_can_speak(hub: Any, joined: Callable[..., Any]) -> None:
    city = await joined(hub, "ha-noi", "city")
    district = await joined(hub, "ba-dinh", "district", "ha-noi")

    async def words() -> list[tuple[str, str]]:
        await city.listen()
        told = [json.loads(one.body) for one in city.arrived if one.type == "registry.changed.v1"]
        return [(word["node"], word["state"]) for word in told]

    expected = [("ha-noi", "joining"), ("ha-noi", "active"), ("ba-dinh", "joining"), ("ba-dinh", "active")]
    await eventually(words, value=expected)
    keys = [json.loads(one.body)["seal_keys"] for one in city.arrived if one.type == "registry.changed.v1"]
    assert keys[-1] == [district.key.public]
