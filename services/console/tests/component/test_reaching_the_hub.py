"""The way to the hub's JoinService, on real TLS: who is trusted, and what is said when it cannot be reached."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sangkien.api.hub.v1.hub_pb2_grpc import JoinServiceStub
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.joining import calling_hub, write_secret
from sangkien.console.node.links import HUB, hub_server
from sangkien.console.node.selftest import check_keys, look_over
from sangkien.console.node.stopping import Stop
from sangkien.console.node.upkeep import HUB_CHILDREN, RENEW_BEFORE, Upkeep
from sangkien.custody import SealKey
from sangkien.federation import Authority, HubFolder, MemberFolder, Names
from sangkien.federation.accounts import NKey, leaf_user_jwt
from sangkien.runtime.ports import free_ports


async def never(_: JoinServiceStub) -> None:
    raise AssertionError("something was said to a server that had not proved itself")


@asynccontextmanager
async def server_of(hub: HubFolder) -> AsyncIterator[str]:
    """A TLS server with the hub's certificate; its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*hub.server_certificate)
    context.set_alpn_protocols(["h2"])

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def hub_at(path: Path, host: str = "127.0.0.1") -> HubFolder:
    return HubFolder.create(path, name="hub", hosts=[host])


async def test_hub_that_another_authority_vouches_for_is_told_nothing(tmp_path: Path) -> None:
    ours, theirs = hub_at(tmp_path / "ours"), hub_at(tmp_path / "theirs")
    async with server_of(theirs) as target:
        with pytest.raises(Stop) as refused:
            await calling_hub(target, ours.authority.certificate_pem, never)

    assert refused.value.code == "hub_not_pinned"


async def test_hub_of_the_right_authority_under_another_name_is_told_nothing(tmp_path: Path) -> None:
    hub = hub_at(tmp_path / "hub", "hub.example.vn")
    async with server_of(hub) as target:
        with pytest.raises(Stop) as refused:
            await calling_hub(target, hub.authority.certificate_pem, never)

    assert refused.value.code == "hub_not_pinned"


async def test_hub_that_does_not_answer_is_named_with_its_address(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with pytest.raises(Stop) as refused:
        await calling_hub(f"127.0.0.1:{port}", hub_at(tmp_path).authority.certificate_pem, never)

    assert (refused.value.code, refused.value.text.startswith(f"127.0.0.1:{port}:")) == ("hub_unreachable", True)


async def test_hubs_certificate_is_renewed_within_its_last_month_and_taken_up(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path)
    hub_server(folder)
    until, restarted = HubFolder(folder.hub).server_certificate_until, list[str]()
    upkeep = Upkeep(folder, restarted.extend)

    await upkeep.look(until - RENEW_BEFORE - timedelta(seconds=1))
    early = (HubFolder(folder.hub).server_certificate_until, list(restarted))
    now = until - RENEW_BEFORE + timedelta(seconds=1)
    await upkeep.look(now)

    assert early == (until, [])
    assert HubFolder(folder.hub).server_certificate_until > until + timedelta(days=300)
    assert (tuple(restarted), restarted[0]) == (HUB_CHILDREN, HUB)
    assert now > datetime.now(UTC)


async def test_checks_of_a_stopped_node_name_what_is_wrong_with_its_keys_and_its_way_out(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path)
    with pytest.raises(Stop) as alone:
        await look_over(folder)
    install(folder, leaf_port=(ports := free_ports(2))[0], join_port=ports[1])
    (folder.link / "asked.json").chmod(0o644)
    hub_server(folder)

    checks = await look_over(folder)

    assert alone.value.code == "node_not_joined"
    assert {check.code: check.ok for check in checks} == {
        "versions": True,
        "keys": False,
        "certificate": True,
        "hub_certificate": True,
        "leaf_port": False,
        "join_port": False,
    }
    assert [str(ports[0]) in check.fix for check in checks if check.code == "leaf_port"] == [True]


async def test_keys_are_looked_at_while_the_server_beside_them_makes_and_removes_files(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path / "jetstream")  # only the server's own store is called so
    store = folder.link / "jetstream"
    store.mkdir(parents=True)
    folder.link.chmod(0o700)
    done = asyncio.Event()

    def serve() -> None:
        while not done.is_set():
            (store / "consumer").mkdir()
            (store / "consumer").rmdir()

    serving = asyncio.create_task(asyncio.to_thread(serve))
    well = {check_keys(folder).ok for _ in range(1_000)}
    (folder.link / "seal.key").touch()
    (folder.link / "seal.key").chmod(0o644)
    ill = check_keys(folder)
    done.set()
    await serving

    assert (well, ill.ok, ill.found.endswith("seal.key")) == ({True}, False, True)


def install(folder: NodeFolder, *, leaf_port: int, join_port: int) -> None:
    """What joining leaves in the folder, with real keys and certificates."""
    now, member, authority = datetime.now(UTC), MemberFolder(folder.link), Authority.create("hub", datetime.now(UTC))
    keys, account = member.make_keys("ba-dinh"), NKey.create("account")
    member.install(
        certificate_pem=authority.sign_csr(keys.csr_pem, "ba-dinh", now),
        authority_pem=authority.certificate_pem,
        user_jwt=leaf_user_jwt(account, keys.user_public, Names("ba-dinh"), now),
        leaf_url=f"tls://127.0.0.1:{leaf_port}",
        hub_key=SealKey.create().public,
        node="ba-dinh",
        epoch=1,
        profile="district",
        name="Quận Ba Đình",
    )
    write_secret(folder.link / "asked.json", json.dumps({"join": f"127.0.0.1:{join_port}"}))
