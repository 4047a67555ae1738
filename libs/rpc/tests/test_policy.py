from typing import Any

import pytest

from sangkien.rpc import AUTHENTICATED, PUBLIC, Policy, PolicyError, create_server
from sangkien.runtime import Health


def build(node: Any, policy: Policy, *adders: Any) -> Any:
    return create_server(
        "127.0.0.1:0",
        servicers=[(add, _Servicer()) for add in adders or [node.add_kinds]],
        policy=policy,
        verifier=node.verifier,
        telemetry=node.telemetry,
        health=Health(),
    )


class _Servicer:
    once = many = gather = chat = None


async def test_server_is_not_built_while_a_method_has_no_policy(node: Any) -> None:
    partial = Policy({f"/{node.service}/{name}": AUTHENTICATED for name in ("Once", "Many", "Gather")})
    with pytest.raises(PolicyError, match=rf"who may call /{node.service}/Chat, /{node.service}/Open$"):
        build(node, partial)


async def test_server_is_not_built_with_a_policy_for_a_method_nobody_serves(node: Any) -> None:
    with pytest.raises(PolicyError, match=r"nobody serves: /other\.v1\.Service/Gone$"):
        build(node, node.policy | Policy({"/other.v1.Service/Gone": PUBLIC}))


async def test_server_is_not_built_of_a_servicer_without_named_methods(node: Any) -> None:
    with pytest.raises(PolicyError, match="_Servicer adds no methods by name"):
        build(node, node.policy, node.add_kinds, lambda servicer, server: server.add_generic_rpc_handlers(()))


@pytest.mark.parametrize(
    ("method", "rule", "fault"),
    [
        ("IntakeService/FileDossier", PUBLIC, "is no method"),
        ("/a.v1.Intake/FileDossier", set(), "nobody may call it"),
        ("/a.v1.Intake/FileDossier", "secretary", "write a set of roles"),
    ],
)
def test_policy_refuses_an_entry_that_makes_no_sense(method: str, rule: Any, fault: str) -> None:
    with pytest.raises(PolicyError, match=fault):
        Policy({method: rule})


def test_policies_join_unless_they_speak_of_one_method() -> None:
    ours, theirs = Policy({"/a.v1.A/B": PUBLIC}), Policy({"/a.v1.A/C": {"clerk"}})
    assert (ours | theirs).methods == {"/a.v1.A/B", "/a.v1.A/C"}
    with pytest.raises(PolicyError, match=r"two policies speak of /a\.v1\.A/B"):
        ours | Policy({"/a.v1.A/B": AUTHENTICATED})
