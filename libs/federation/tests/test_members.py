"""Nodes come, change their keys, are suspended and go, while the others' messages flow."""

import asyncio
from pathlib import Path

import pytest

from sangkien.federation import HubBroker, MemberFolder, RequestRefused, UnknownNode
from sangkien.federation.accounts import NKey
from sangkien.runtime import utc_now
from sangkien.testkit import eventually
from sangkien.testkit.link import Federation, HubServer, hear, say, tell


async def undisturbed(fed: Federation, node: str) -> tuple[int, int]:
    """The hub's process and the node's connection to it: equal before and after what must not touch them."""
    account = fed.hub.folder.keys_of(node).account.public
    [leaf] = [each for each in await fed.broker._resolver.leaves() if each.account == account]
    return fed.hub.server.pid, leaf.connection


async def test_node_joins_while_others_flow(fed: Federation) -> None:
    first = await fed.join("first")
    await fed.stands()
    before = await undisturbed(fed, "first")

    second = await fed.join("second")
    await fed.stands()
    await say(first.broker, 1)
    await say(second.broker, 2)

    assert await hear(fed.broker.link("first").fetch, 1) == [1]
    assert await hear(fed.broker.link("second").fetch, 2) == [2]
    assert await undisturbed(fed, "first") == before


async def test_suspended_node_is_cut_and_goes_on_where_it_stopped_when_reinstated(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    before = await undisturbed(linked, "b")

    await linked.broker.suspend("a")
    await eventually(lambda: linked.broker.connected() == {"b"})
    await say(member.broker, 1, 2)
    await tell(link, 1, 2)
    await eventually(lambda: "Authorization Violation" in member.server.log, what="the leaf to have tried in vain")
    assert await link.fetch(1, 0.2) == []
    await linked.broker.reinstate("a")

    assert await hear(link.fetch, 2) == [1, 2]
    assert await hear(member.broker.arrived, 2) == [1, 2]
    assert await undisturbed(linked, "b") == before


async def test_suspended_node_stays_out_after_hub_and_broker_began_anew(linked: Federation) -> None:
    await linked.broker.suspend("a")
    await eventually(lambda: linked.broker.connected() == {"b"})

    await linked.new_broker()
    await linked.kill_hub()
    await linked.revive_hub()
    await linked.stands("b")
    await linked.broker.add("a", user_public=linked.hub.folder.keys_of("a").users[0])  # nor does joining again help
    refused = linked.members["a"].server.log.count("Authorization Violation")
    await eventually(lambda: linked.members["a"].server.log.count("Authorization Violation") > refused + 1)

    assert linked.broker.connected() == {"b"}


async def test_rotated_keys_replace_the_old_ones_without_losing_a_message(linked: Federation) -> None:
    member, link = linked.members["a"], linked.broker.link("a")
    before = await undisturbed(linked, "b")
    old = linked.hub.folder.keys_of("a").users

    keys = member.folder.make_keys("a")
    user_jwt = await linked.broker.rotate("a", keys.user_public)
    certificate = linked.hub.folder.authority.sign_csr(keys.csr_pem, "a", utc_now())
    member.folder.prepare(certificate_pem=certificate, user_jwt=user_jwt)
    await say(member.broker, 1)
    assert await hear(link.fetch, 1) == [1]  # the old ones still hold
    member.folder.activate()
    await member.stop()
    await tell(link, 2)
    await member.revive()
    await say(member.broker, 2)

    assert await hear(link.fetch, 2) == [2]
    assert await hear(member.broker.arrived, 2) == [2]
    await eventually(lambda: linked.hub.folder.keys_of("a").users == (keys.user_public,))
    assert linked.hub.folder.keys_of("a").revoked == old
    assert await undisturbed(linked, "b") == before


async def test_revoked_node_is_out_for_good_and_may_come_again_with_new_keys_only(linked: Federation) -> None:
    member = linked.members["a"]
    [old] = linked.hub.folder.keys_of("a").users
    before = await undisturbed(linked, "b")

    await linked.broker.revoke("a")
    await eventually(lambda: "Authorization Violation" in member.server.log, what="the leaf to have tried in vain")
    assert linked.broker.connected() == {"b"}
    assert linked.broker.nodes() == {"b"}
    with pytest.raises(UnknownNode):
        linked.broker.link("a")
    with pytest.raises(UnknownNode):
        await linked.broker.open("a")
    assert await undisturbed(linked, "b") == before

    keys = member.folder.make_keys("a")
    user_jwt = await linked.broker.add("a", user_public=keys.user_public)
    assert linked.hub.folder.keys_of("a").revoked == (old,)
    refused = member.server.log.count("Authorization Violation")
    await eventually(lambda: member.server.log.count("Authorization Violation") > refused, what="the old key's refusal")
    member.install(linked.hub, user_jwt, keys.csr_pem, epoch=2)
    await member.stop()
    await member.revive()
    await member.broker.reset_out()
    await say(member.broker, 5)
    assert await hear(linked.broker.link("a").fetch, 5) == [5]


async def test_revoked_key_is_never_taken_again(linked: Federation) -> None:
    [old] = linked.hub.folder.keys_of("a").users
    await linked.broker.revoke("a")

    with pytest.raises(RequestRefused, match="key_revoked"):
        await linked.broker.add("a", user_public=old)
    with pytest.raises(UnknownNode):
        await linked.broker.rotate("a", NKey.create("user").public)


async def test_adding_a_node_again_with_the_same_key_changes_nothing(linked: Federation) -> None:
    before = (await undisturbed(linked, "a"), linked.hub.folder.keys_of("a"))
    [user] = before[1].users

    await linked.broker.add("a", user_public=user)

    assert (await undisturbed(linked, "a"), linked.hub.folder.keys_of("a")) == before


@pytest.mark.parametrize(
    "key",
    ["", "UABC", NKey.create("account").public, NKey.create("user").public[:-1] + "1"],
    ids=["empty", "short", "of-an-account", "mistyped"],
)
async def test_key_that_is_no_user_key_is_refused(fed: Federation, key: str) -> None:
    with pytest.raises(RequestRefused, match="key_unreadable"):
        await fed.broker.add("a", user_public=key)
    assert fed.hub.folder.nodes() == []


async def test_node_is_let_in_while_the_hub_is_still_connecting(tmp_path: Path) -> None:
    hub = HubServer(tmp_path / "hub")
    broker = HubBroker(hub.url, hub.folder)
    keys = MemberFolder(tmp_path / "a").make_keys("a")
    letting_in = asyncio.create_task(broker.add("a", user_public=keys.user_public))
    hub.server.start()
    await broker.connect()

    await letting_in

    assert broker.nodes() == {"a"}
    await broker.close()
    hub.server.kill()
