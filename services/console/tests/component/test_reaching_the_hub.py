"""The way to the hub's JoinService, on real TLS: who is trusted, and what is said when it cannot be reached."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sangkien.api.hub.v1.hub_pb2_grpc import JoinServiceStub
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.joining import calling_hub
from sangkien.console.node.links import HUB, hub_server
from sangkien.console.node.ports import free_ports
from sangkien.console.node.stopping import Stop
from sangkien.console.node.upkeep import HUB_CHILDREN, RENEW_BEFORE, Upkeep
from sangkien.federation import HubFolder


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
