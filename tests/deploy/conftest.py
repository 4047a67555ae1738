"""The deployment files, parsed and filled in as an engine would, and what the services say about themselves."""

import importlib
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from sangkien.chassis import Definition
from sangkien.runtime import ServiceSettings

SERVICES = ("directory", "intake", "review", "recognition", "reward", "notification", "reporting")
"""On every node."""
FEDERATION = ("exchange", "hub")
"""On nodes that take part, and at the centre."""
HUB_HOST = "hub.example.vn"

Load = Callable[[Definition, Mapping[str, str]], ServiceSettings]


@pytest.fixture(scope="session")
def root(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def definitions() -> dict[str, Definition]:
    """The own word on its name and its settings of every service that each node has."""
    return {name: importlib.import_module(f"sangkien.{name}.bootstrap").SERVICE for name in SERVICES}


@pytest.fixture(scope="session")
def everything(definitions: dict[str, Definition]) -> dict[str, Definition]:
    """The same of every service there is."""
    return definitions | {name: importlib.import_module(f"sangkien.{name}.bootstrap").SERVICE for name in FEDERATION}


@pytest.fixture(scope="session")
def secrets_file(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What deploy/make-secrets.sh writes for a new node, with the one thing that the hub's operator adds."""
    file = tmp_path_factory.mktemp("secrets") / ".env"
    command: list[str | Path] = [
        root / "deploy/make-secrets.sh",
        "quan-ba-dinh",
        "https://sangkien.example.vn/gcn",
        file,
    ]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text("utf-8").replace("\nHUB_HOST=\n", f"\nHUB_HOST={HUB_HOST}\n"), "utf-8")
    return file


@pytest.fixture(scope="session")
def secrets(secrets_file: Path) -> dict[str, str]:
    return assignments(secrets_file.read_text("utf-8"))


@pytest.fixture(scope="session")
def compose_text(root: Path) -> str:
    return (root / "docker-compose.yml").read_text("utf-8")


@pytest.fixture(scope="session")
def compose(compose_text: str, secrets: dict[str, str]) -> dict[str, Any]:
    """The compose file with anchors merged and variables filled in from the new node's secrets."""
    parsed: dict[str, Any] = filled_in(yaml.safe_load(compose_text), secrets)
    return parsed


@pytest.fixture
def load_settings(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Reads a service's settings from these variables, and fails for variables that no setting has."""

    def load(definition: Definition, environment: Mapping[str, str]) -> ServiceSettings:
        prefix = definition.settings.model_config["env_prefix"]
        known = {f"{prefix}{field}".upper() for field in definition.settings.model_fields}
        assert set(environment) - known == set()
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return definition.settings.load()

    return load


def assignments(text: str) -> dict[str, str]:
    """NAME=value lines of an environment file."""
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))


def filled_in(part: Any, environment: Mapping[str, str]) -> Any:
    """`${NAME}`, `${NAME:-default}` and `${NAME:?message}` in all strings as compose does it, `$$` as `$`."""

    def value(match: re.Match[str]) -> str:
        if match["name"] is None:
            return "$"
        found = environment.get(match["name"], "")
        if not found and match["operator"] == ":?":
            raise KeyError(f"{match['name']}: {match['rest']}")
        return found or (match["rest"] if match["operator"] == ":-" else "")

    if isinstance(part, dict):
        return {key: filled_in(inner, environment) for key, inner in part.items()}
    if isinstance(part, list):
        return [filled_in(inner, environment) for inner in part]
    if not isinstance(part, str):
        return part
    return re.sub(r"\$\$|\$\{(?P<name>[A-Z_]+)(?:(?P<operator>:-|:\?)(?P<rest>[^}]*))?\}", value, part)
