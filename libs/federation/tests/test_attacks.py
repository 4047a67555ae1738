"""A member runs its own server and may try anything with it. It harms nobody else, and speaks as nobody else."""

import json
import socket
from pathlib import Path

import nats.errors
import pytest
from nats.aio.client import Client

from sangkien.federation import Authority, ClaimsRefused, HubFolder, Names
from sangkien.federation.accounts import NKey, node_account_jwt
from sangkien.federation.servers import TlsFiles, leaf_configuration
from sangkien.runtime import utc_now
from sangkien.testkit import eventually
from sangkien.testkit.link import Federation, LinkServer, Member, hear, say, take, tell
from sangkien.testkit.nats_server import free_port

API = (
    "$JS.hub.API.INFO",
    "$JS.hub.API.STREAM.NAMES",
    "$JS.hub.API.STREAM.INFO.FED_{node}",
    "$JS.hub.API.STREAM.INFO.DOWN_{node}",
    "$JS.hub.API.STREAM.MSG.GET.FED_{node}",
    "$JS.hub.API.STREAM.PURGE.DOWN_{node}",
    "$JS.hub.API.STREAM.DELETE.FED_{node}",
    "$JS.hub.API.CONSUMER.NAMES.FED_{node}",
)


async def counts(fed: Federation) -> dict[str, int]:
    found = {}
    for node in ("a", "b"):
        js = fed.broker.link(node)._connection.js
        for stream in (Names(node).fed, Names(node).down):
            found[stream] = (await js.stream_info(stream)).state.messages
    return found


async def answered(client: Client, subject: str, *, within: float = 0.5) -> bool:
    """Whether anybody answers. Where somebody has to, give him time."""
    try:
        await client.request(subject, b"{}", timeout=within)
    except (nats.errors.NoRespondersError, TimeoutError):
        return False
    return True


async def test_leaf_reaches_no_api_of_the_hub_or_of_another_leaf(linked: Federation) -> None:
    await tell(linked.broker.link("a"), 1)
    client = await linked.members["a"].client()
    for node in ("a", "b"):
        own = linked.broker.link(node)._connection.client
        assert await answered(own, f"$JS.hub.API.STREAM.INFO.FED_{node}", within=60)  # it is there to be reached
    before = await counts(linked)

    reached = [s.format(node=n) for n in ("a", "b") for s in API if await answered(client, s.format(node=n))]
    reached += [
        s
        for s in ("$JS.leaf-b.API.INFO", "$JS.leaf-b.API.STREAM.INFO.OUT_b", "$SYS.REQ.SERVER.PING.LEAFZ")
        if await answered(client, s)
    ]

    assert reached == []
    assert await counts(linked) == before
    await client.close()


async def test_hub_reaches_no_api_of_a_leaf_but_the_one_that_sources(linked: Federation) -> None:
    hub = linked.broker.link("a")._connection.client
    client = await linked.members["a"].client()
    subjects = ["$JS.leaf-a.API.STREAM.INFO.OUT_a", "$JS.leaf-a.API.STREAM.DELETE.OUT_a", "$JS.leaf-a.API.INFO"]
    assert await answered(client, subjects[0], within=60)

    reached = [subject for subject in subjects if await answered(hub, subject)]

    assert reached == []
    await client.close()


async def test_leaf_forges_nothing_in_another_name(linked: Federation) -> None:
    client = await linked.members["a"].client()
    before = await counts(linked)

    for subject in (
        "fed.a.hub.x.v1",
        "fed.b.hub.x.v1",
        "down.hub.x.v1",
        "in.hub.x.v1",
        "deliver.up.b.x",
        "deliver.down.b.x",
        "deliver.up.b.wake",
        "$JS.hub.API.CONSUMER.CREATE.DOWN_b.x",
        "FED_a",
        "$JSC.R.b",
    ):
        await client.publish(subject, b"666")
    subject = await eventually(lambda: _delivered_to(client))
    for number in range(1, 4):  # as if the hub's source had been given it
        reply = f"$JS.ACK.OUT_a.x.1.{number}.{number}.{utc_now().timestamp():.0f}000000000.0@fed.b.hub.x.v1"
        await client.publish(subject, b"666", reply=reply)
    await client.flush()
    await say(linked.members["a"].broker, 1)
    await say(linked.members["b"].broker, 2)

    assert await hear(linked.broker.link("a").fetch, 1) == [1]
    assert await hear(linked.broker.link("b").fetch, 2) == [2]
    assert await counts(linked) == before | {"FED_a": 1, "FED_b": 1}
    await client.close()


async def test_message_under_another_stamp_is_dropped_however_it_came_into_the_stream(linked: Federation) -> None:
    link = linked.broker.link("a")
    await link.source.close()
    await link._connection.js.update_stream(link._fed.evolve(subjects=["fed.>", "stray"]))

    for subject in ("fed.b.hub.x.v1", "stray", "fed.a.hub", "fed.a.hub.x.v1"):
        await link._connection.js.publish(subject, subject.encode())
    [arrived] = await take(link.fetch, 1)

    assert (arrived.sender, arrived.body) == ("a", b"fed.a.hub.x.v1")
    await arrived.ack()
    await eventually(lambda: _settled(linked))  # the dropped ones do not come again


async def _settled(fed: Federation) -> bool:
    return (await fed.broker.link("a").backlog()).arrived == 0


async def _delivered_to(client: Client) -> str:
    """Where the hub's source listens, which the member's own server knows; empty while it is taken up anew."""
    answer = await client.request("$SYS.REQ.ACCOUNT.PING.CONNZ", b'{"subscriptions":true}', timeout=60)
    connections = json.loads(answer.data)["data"]["connections"]
    [leaf] = [each for each in connections if each["kind"] == "Leafnode"]
    return next((str(each) for each in leaf["subscriptions_list"] if each.startswith("deliver.up.a.S.")), "")


async def test_second_leaf_with_the_same_keys_is_refused_and_the_first_stays(
    linked: Federation, tmp_path: Path
) -> None:
    member = linked.members["a"]
    before = {*await linked.broker._resolver.leaves()}
    config = member.folder.config(port := free_port()).read_text(encoding="utf-8")
    copy = tmp_path / "copy.conf"
    copy.write_text(
        config.replace("server_name: leaf-a", "server_name: twin").replace("/jetstream", "/twin"), encoding="utf-8"
    )

    with LinkServer(copy, name="twin", port=port) as twin:
        await eventually(lambda: "maximum" in twin.log.lower(), what="the refusal")
        await say(member.broker, 1)

        assert await hear(linked.broker.link("a").fetch, 1) == [1]
    assert {*await linked.broker._resolver.leaves()} == before


async def test_client_may_not_log_in_with_the_credentials_of_a_leaf(linked: Federation) -> None:
    credentials = linked.members["a"].folder.path / "keys" / "current" / "leaf.creds"

    client = Client()

    with pytest.raises(nats.errors.Error, match=r"(?i)authorization violation"):
        await client.connect(linked.hub.url, user_credentials=str(credentials), allow_reconnect=False, error_cb=_quiet)
    await client.close()


async def _quiet(_: Exception) -> None: ...


async def test_claims_a_member_signed_itself_change_nothing(linked: Federation) -> None:
    account = linked.hub.folder.keys_of("a").account.public
    forger = NKey.create("operator")
    forged = node_account_jwt(forger, account, Names("a"), utc_now(), leaves=-1)
    kept = await linked.broker._resolver.claims(account)
    client = await linked.members["a"].client()

    assert not await answered(client, "$SYS.REQ.CLAIMS.UPDATE")
    with pytest.raises(ClaimsRefused, match="claims_issuer"):
        await linked.broker._resolver.push(forged, account)
    foreign = node_account_jwt(linked.hub.folder.operator, NKey.create("account").public, Names("a"), utc_now())
    with pytest.raises(ClaimsRefused, match="claims_subject"):
        await linked.broker._resolver.push(foreign, account)

    assert await linked.broker._resolver.claims(account) == kept
    await client.close()


async def test_claims_planted_with_the_hubs_own_system_user_are_put_right_when_a_node_is_opened(
    linked: Federation,
) -> None:
    account = linked.hub.folder.keys_of("a").account.public
    forged = node_account_jwt(NKey.create("operator"), account, Names("a"), utc_now())
    answer = await linked.broker._system.client.request("$SYS.REQ.CLAIMS.UPDATE", forged.encode(), timeout=60)
    assert json.loads(answer.data)["data"]["message"] == "jwt updated"  # which it was not:
    assert await linked.broker._resolver.live_claims(account) != forged
    assert await linked.broker._resolver.claims(account) == forged

    await linked.new_broker()
    await linked.kill_hub()
    await linked.revive_hub()
    await linked.stands()
    await say(linked.members["a"].broker, 1)

    assert await hear(linked.broker.link("a").fetch, 1) == [1]


async def test_message_larger_than_the_link_allows_stops_only_its_sender(linked: Federation) -> None:
    member = linked.members["a"]
    member.folder.path.joinpath("leaf.conf").write_text(
        member.folder.config(member.port)
        .read_text(encoding="utf-8")
        .replace("max_payload: 1048576", "max_payload: 8MB"),
        encoding="utf-8",
    )
    await member.stop()
    await member.revive()
    await linked.stands()
    client = await member.client()

    await client.jetstream().publish("out.hub.x.v1", b"x" * (2 << 20))
    await eventually(lambda: "maximum payload exceeded" in linked.hub.server.log, what="the hub to refuse it")
    await say(linked.members["b"].broker, 1)
    assert await hear(linked.broker.link("b").fetch, 1) == [1]
    assert (await counts(linked))["FED_a"] == 0

    await member.broker.reset_out()
    await linked.stands()
    await say(member.broker, 2)
    assert await hear(linked.broker.link("a").fetch, 2) == [2]
    await client.close()


async def test_leaf_without_a_certificate_of_the_authority_is_refused(linked: Federation, tmp_path: Path) -> None:
    member = linked.members["a"]
    await member.stop()
    await eventually(lambda: linked.broker.connected() == {"b"})
    stranger = Authority.create("Stranger", utc_now())
    served = stranger.issue_server(["127.0.0.1"], utc_now())
    (tmp_path / "own.crt").write_text(served.certificate_pem)
    (tmp_path / "own.key").write_text(served.key_pem)

    refused = linked.hub.server.log.count("TLS leafnode handshake error")
    port = free_port()

    with LinkServer(_configured(member, tmp_path, port), name="leaf-a", port=port):
        await eventually(lambda: linked.hub.server.log.count("TLS leafnode handshake error") > refused + 1)

    assert linked.broker.connected() == {"b"}


def _configured(member: Member, directory: Path, port: int) -> Path:
    current = member.folder.path / "keys" / "current"
    text = leaf_configuration(
        names=Names("a"),
        port=port,
        user="u",
        password="p",
        leaf_url=member.folder.link.leaf_url,
        credentials=current / "leaf.creds",
        store=directory / "stranger",
        tls=TlsFiles(directory / "own.crt", directory / "own.key", current / "authority.crt"),
    )
    path = directory / "stranger.conf"
    path.write_text(text, encoding="utf-8")
    return path


def test_hub_serves_clients_on_loopback_only(tmp_path: Path) -> None:
    folder = HubFolder.create(tmp_path / "hub", name="Test", hosts=["127.0.0.1"])
    client_port, leaf_port = free_port(), free_port()
    elsewhere = "127.0.0.2"  # of this machine too, but not the address clients are served on

    config = folder.config(client_port, "0.0.0.0", leaf_port)  # noqa: S104 - leaves come from everywhere

    with LinkServer(config, name="hub", port=client_port):
        with socket.create_connection((elsewhere, leaf_port), timeout=5) as leaf:
            assert leaf.getpeername() == (elsewhere, leaf_port)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((elsewhere, client_port), timeout=5)
