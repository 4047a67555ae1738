"""A hub and a member on the commands of the compose file: real servers, each with its own folder and no more."""

import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sangkien.federation import FolderRefused, HubBroker, HubFolder, LeafBroker, MemberFolder, Names
from sangkien.federation.accounts import NKey, leaf_user_jwt
from sangkien.runtime import utc_now
from sangkien.testkit.eventually import eventually
from sangkien.testkit.nats_server import find_nats_server, free_port

PLACES = "/var/lib/sangkien"
NODE = "quan-ba-dinh"
OTHER_ADDRESS = "127.0.0.2"
"""Not the one of the configurations, which the commands overrule for their own clients alone."""

Start = Callable[[str, dict[str, str]], None]


def prepared(compose: dict[str, Any], service: str, base: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run what a one-shot of the compose file runs, with the volumes under `base` and the hub on this machine."""
    words = [*compose["services"][service].get("entrypoint", []), *compose["services"][service]["command"], *more]
    assert words[0] == "python"
    here = [word.replace(PLACES, str(base)).replace("hub.example.vn", "localhost") for word in words[1:]]
    command = [sys.executable, *here]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def start(compose: dict[str, Any], tmp_path: Path) -> Iterator[Start]:
    """Start a server with the command of the compose file, on ports of loopback that are free."""
    running: list[subprocess.Popen[bytes]] = []

    def started(service: str, changed: dict[str, str]) -> None:
        words = [word.replace(PLACES, str(tmp_path)) for word in compose["services"][service]["command"]]
        file = Path(words[words.index("--config") + 1])
        text = file.read_text("utf-8")
        for before, after in changed.items():
            assert text.count(before) == 1
            text = text.replace(before, after)
        file.write_text(text, "utf-8")
        words[words.index("--addr") + 1] = OTHER_ADDRESS
        words[words.index("--http_port") + 1] = str(free_port())
        running.append(subprocess.Popen([find_nats_server(), *words], stderr=subprocess.DEVNULL))

    yield started
    for server in running:
        server.kill()
        server.wait()


def joined(folder: MemberFolder, hub: HubFolder, user_jwt: str, csr_pem: str, leaf_url: str) -> None:
    """What the hub answers to a join."""
    folder.install(
        certificate_pem=hub.authority.sign_csr(csr_pem, NODE, utc_now()),
        authority_pem=hub.authority.certificate_pem,
        user_jwt=user_jwt,
        leaf_url=leaf_url,
        hub_key=hub.seal_key.public,
        node=NODE,
        epoch=1,
        profile="district",
        name="Quận Ba Đình",
    )


def seen_by_servers(base: Path) -> tuple[set[str], set[str]]:
    """Names in the servers' folders, and those of them that others may read."""
    paths = [path for folder in ("hub-server", "link-server") for path in (base / folder).iterdir()]
    return {path.name for path in paths}, {path.name for path in paths if path.stat().st_mode & 0o077}


async def test_member_links_to_the_hub_on_folders_that_hold_no_seal_key(
    compose: dict[str, Any], start: Start, tmp_path: Path
) -> None:
    ports = {"hub": free_port(), "leaf": free_port(), "link": free_port()}
    assert prepared(compose, "hub-files", tmp_path).returncode == 0
    start("hub-nats", {"0.0.0.0:7422": f"127.0.0.1:{ports['leaf']}", "127.0.0.1:4222": f"127.0.0.1:{ports['hub']}"})
    hub = HubFolder(tmp_path / "hub")
    assert hub.hosts == ("localhost",)
    broker = HubBroker(f"nats://{OTHER_ADDRESS}:{ports['hub']}", hub)
    await broker.connect()
    made = MemberFolder(tmp_path / "made")
    keys = made.make_keys(NODE)
    address = f"tls://localhost:{ports['leaf']}"
    joined(made, hub, await broker.add(NODE, user_public=keys.user_public), keys.csr_pem, address)

    with tarfile.open(tmp_path / "link.tar", "w") as packed:
        packed.add(made.path, ".")
    assert prepared(compose, "link-files", tmp_path, "--from", str(tmp_path / "link.tar")).returncode == 0
    start("link", {"127.0.0.1:4222": f"127.0.0.1:{ports['link']}"})
    leaf = LeafBroker(MemberFolder(tmp_path / "link").login_at(f"nats://{OTHER_ADDRESS}:{ports['link']}"), NODE)
    await leaf.connect()
    await leaf.ensure()

    await eventually(leaf.connected, what="the link")
    await leaf.offer("hub", "node.echo.v1", b"{}", {}, "first")
    [arrived] = await eventually(lambda: broker.link(NODE).fetch(10, 0.5), what="the message at the hub")
    assert (arrived.sender, arrived.receiver, arrived.type) == (NODE, "hub", "node.echo.v1")

    kept, open_to_others = seen_by_servers(tmp_path)
    assert kept == {
        *("hub.conf", "server.crt", "server.key", "authority.crt", "accounts", "jetstream"),
        *("leaf.conf", "tls.crt", "tls.key", "leaf.creds"),
    }
    assert open_to_others == set()

    await leaf.close()
    await broker.close()


def test_folder_of_another_node_is_refused(compose: dict[str, Any], tmp_path: Path) -> None:
    hub = HubFolder.create(tmp_path / "hub", name="x", hosts=["localhost"])
    made = MemberFolder(tmp_path / "link")
    keys = made.make_keys(NODE)
    claims = leaf_user_jwt(NKey.create("account"), keys.user_public, Names(NODE), utc_now())
    joined(made, hub, claims, keys.csr_pem, "tls://localhost:1")
    [place] = [word for word in compose["services"]["link-files"]["entrypoint"] if word == NODE]

    other = prepared(compose, "link-files", tmp_path, "--node", f"{place}-2")
    assert (other.returncode, other.stderr.strip().rpartition("is ")[2]) == (
        1,
        f"the folder of {NODE}, not {NODE}-2",
    )
    assert not (tmp_path / "link-server").exists()
    assert prepared(compose, "link-files", tmp_path).returncode == 0


def test_one_shots_say_what_is_missing(compose: dict[str, Any], tmp_path: Path) -> None:
    missing = prepared(compose, "link-files", tmp_path)
    nameless = prepared(compose, "hub-files", tmp_path, "--public", "tls://:7422")
    assert (missing.returncode, nameless.returncode) == (1, 1)
    assert missing.stderr.strip().endswith("link/keys/current/link.json is missing")
    assert nameless.stderr.strip() == "hub: folder_hosts: 'tls://:7422' names no host under which leaves reach the hub"


def test_archive_cannot_write_outside_its_folder(compose: dict[str, Any], tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.write_text("x", "utf-8")
    with tarfile.open(tmp_path / "link.tar", "w") as packed:
        packed.add(evil, "../outside")
    refused = prepared(compose, "link-files", tmp_path, "--from", str(tmp_path / "link.tar"))
    assert refused.returncode == 1
    assert not (tmp_path / "outside").exists()
    assert "outside" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_volumes_that_a_group_was_let_into_are_closed_again(compose: dict[str, Any], tmp_path: Path) -> None:
    assert prepared(compose, "hub-files", tmp_path).returncode == 0
    before = HubFolder(tmp_path / "hub").seal_key.public
    for path in (tmp_path / "hub").rglob("*"):
        path.chmod(path.stat().st_mode | 0o060)
    with pytest.raises(FolderRefused):
        HubFolder(tmp_path / "hub")
    assert prepared(compose, "hub-files", tmp_path).returncode == 0
    assert HubFolder(tmp_path / "hub").seal_key.public == before


def test_server_certificate_is_renewed_at_a_start_in_its_last_month(compose: dict[str, Any], tmp_path: Path) -> None:
    made = HubFolder.create(tmp_path / "hub", name="x", hosts=["localhost"], now=utc_now() - timedelta(days=340))
    ends = made.server_certificate_until
    assert prepared(compose, "hub-files", tmp_path).returncode == 0
    renewed = HubFolder(tmp_path / "hub").server_certificate_until
    assert renewed - ends > timedelta(days=300)
    assert prepared(compose, "hub-files", tmp_path).returncode == 0
    assert HubFolder(tmp_path / "hub").server_certificate_until == renewed


def test_renewed_keys_take_the_place_of_those_given_before(compose: dict[str, Any], tmp_path: Path) -> None:
    hub, account = HubFolder.create(tmp_path / "hub", name="x", hosts=["localhost"]), NKey.create("account")
    made, archive = MemberFolder(tmp_path / "made"), tmp_path / "link.tar"
    given, seen = MemberFolder(tmp_path / "link"), []
    for _ in range(2):
        keys = made.make_keys(NODE)
        claims = leaf_user_jwt(account, keys.user_public, Names(NODE), utc_now())
        joined(made, hub, claims, keys.csr_pem, "tls://localhost:1")
        with tarfile.open(archive, "w") as packed:
            packed.add(made.path, ".")
        assert prepared(compose, "link-files", tmp_path, "--from", str(archive)).returncode == 0
        assert given.seal_key.public == made.seal_key.public
        assert (tmp_path / "link-server" / "tls.crt").read_text() == (made.path / "keys/current/tls.crt").read_text()
        seen.append(given.login_at("nats://link:4222"))

    assert [key.public for key in given.former_seal_keys] == [key.public for key in made.former_seal_keys]
    assert seen[0] == seen[1]
