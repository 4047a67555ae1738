"""The scripts that make secrets, and a real broker that takes them."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sangkien.directory.adapters.signing_key import signing_key
from sangkien.testkit.eventually import eventually
from sangkien.testkit.nats_server import find_nats_server, free_port

ADDRESS = "https://sangkien.example.vn/gcn"
OPTIONAL = {"SMTP_URL", "MAIL_SENDER", "COMPOSE_PROFILES", "HUB_TSA_URL"}


def make(root: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([root / "deploy/make-secrets.sh", *arguments], capture_output=True, text=True, check=False)


def test_every_secret_is_made_and_for_the_owner_alone(secrets_file: Path, secrets: dict[str, str]) -> None:
    assert secrets_file.stat().st_mode & 0o777 == 0o600
    assert {name for name, value in secrets.items() if not value} == OPTIONAL
    made = [
        value for name, value in secrets.items() if name not in OPTIONAL | {"SANGKIEN_NODE", "VERIFY_URL", "HUB_HOST"}
    ]
    assert len(set(made)) == len(made)
    assert {len(value) for value in made} == {49}


def test_secrets_of_a_node_are_never_overwritten(root: Path, secrets_file: Path) -> None:
    before = secrets_file.read_text("utf-8")
    assert make(root, "quan-ba-dinh", ADDRESS, secrets_file).returncode == 1
    assert secrets_file.read_text("utf-8") == before
    assert list(secrets_file.parent.glob(".env.*")) == []


@pytest.mark.parametrize(
    ("name", "address"),
    [
        *((name, ADDRESS) for name in ("", "Quận Ba Đình", "-x", "a/b", "a" * 64)),
        ("quan-ba-dinh", "sangkien.example.vn"),
    ],
)
def test_values_that_no_service_takes_are_refused(root: Path, tmp_path: Path, name: str, address: str) -> None:
    assert make(root, name, address, tmp_path / ".env").returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_secrets_stay_out_of_the_repository(root: Path) -> None:
    assert "/.env" in (root / ".gitignore").read_text("utf-8").splitlines()


def test_signing_key_made_for_kubernetes_is_one_directory_takes(root: Path, secrets_file: Path, tmp_path: Path) -> None:
    key = tmp_path / "signing.jwk"
    command: list[str | Path] = [root / "deploy/kubernetes/make-secrets.sh", secrets_file, "mongo:27017", key]
    first = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    again = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert signing_key(key).thumbprint() == signing_key(key).kid
    assert key.stat().st_mode & 0o777 == 0o600
    assert json.loads(key.read_text("utf-8"))["crv"] == "Ed25519"
    assert first == again


@pytest.fixture
def broker(root: Path, secrets: dict[str, str], tmp_path: Path) -> Iterator[int]:
    """The port of a real server that runs on deploy/nats/server.conf."""
    port = free_port()
    environment = {"NATS_SERVER_NAME": "test", "NATS_USER": "node", "NATS_PASSWORD": secrets["NATS_PASSWORD"]}
    ports = ["-a", "127.0.0.1", "-p", str(port), "-m", str(free_port())]
    text = (root / "deploy/nats/server.conf").read_text("utf-8")
    configuration = tmp_path / "server.conf"
    configuration.write_text(text.replace("store_dir: /data", f'store_dir: "{tmp_path / "data"}"'), "utf-8")
    with subprocess.Popen(
        [find_nats_server(), "-c", configuration, *ports], env=environment, stderr=subprocess.DEVNULL
    ) as server:
        yield port
        server.kill()


async def answer(port: int, credentials: dict[str, str]) -> tuple[bool, str]:
    """Whether the server offers JetStream, and what it says to these credentials (NATS client protocol)."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        raise AssertionError("the server does not listen yet") from None
    info = json.loads((await reader.readline()).removeprefix(b"INFO "))
    writer.write(f"CONNECT {json.dumps(credentials | {'verbose': False})}\r\nPING\r\n".encode())
    said = (await reader.readline()).decode().strip()
    writer.close()
    await writer.wait_closed()
    return info["jetstream"], said


async def test_broker_takes_its_user_and_nobody_else(broker: int, secrets: dict[str, str]) -> None:
    own = {"user": "node", "pass": secrets["NATS_PASSWORD"]}

    assert await eventually(lambda: answer(broker, own)) == (True, "PONG")
    assert await answer(broker, own | {"pass": "wrong"}) == (True, "-ERR 'Authorization Violation'")
    assert await answer(broker, {}) == (True, "-ERR 'Authorization Violation'")
