"""docker-compose.yml is one an engine would take, and one the services can run with."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sangkien.chassis import Definition

ONE_SHOTS = {"mongo-init", "provision"}
UNWATCHED = {"collector"}
"""Their images hold nothing to ask them with; Prometheus watches them instead."""
SECRET = re.compile(r"(SECRET|PASSWORD|TOKEN|_KEY|_URL)")


def test_compose_file_follows_the_specification(root: Path, compose: dict[str, Any]) -> None:
    schema = json.loads((root / "tests/deploy/compose-spec.json").read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(compose)] == []


def test_node_has_every_service_once(compose: dict[str, Any], definitions: dict[str, Definition]) -> None:
    own = {
        service["command"][2]: name
        for name, service in compose["services"].items()
        if service["image"].startswith("sangkien:") and name not in ONE_SHOTS
    }
    assert own == {f"sangkien.{name}": name for name in definitions}
    assert {str(compose["services"][name]["build"]) for name in own.values()} == {
        str({"context": ".", "dockerfile": "deploy/Dockerfile"})
    }


def test_services_load_their_settings_from_compose(
    compose: dict[str, Any], definitions: dict[str, Definition], load_settings: Any
) -> None:
    loaded = {
        name: load_settings(definition, compose["services"][name]["environment"])
        for name, definition in definitions.items()
    }
    assert {name: (s.database, s.node, s.directory, s.metrics_port) for name, s in loaded.items()} == {
        name: (name, "quan-ba-dinh", "directory:50051", 9464) for name in definitions
    }
    assert {name: s.store_url.partition("@")[0].partition("//")[2].partition(":")[0] for name, s in loaded.items()} == {
        name: name for name in definitions
    }


def test_provision_is_told_what_each_service_is_told(
    compose: dict[str, Any], definitions: dict[str, Definition]
) -> None:
    everything = {key: value for name in definitions for key, value in compose["services"][name]["environment"].items()}
    assert compose["services"]["provision"]["environment"] == everything
    [script] = compose["services"]["provision"]["command"]
    assert re.findall(r"for service in ([a-z ]+); do python -m \"sangkien\.\$service\" provision", script) == [
        " ".join(definitions)
    ]


def test_mail_is_sent_only_where_a_server_is_named(
    compose: dict[str, Any], definitions: dict[str, Definition], load_settings: Any
) -> None:
    environment = compose["services"]["notification"]["environment"]
    mail = {"NOTIFICATION_SMTP_URL": "smtp://mail:1025", "NOTIFICATION_SENDER": "node@example.vn"}
    assert load_settings(definitions["notification"], environment).smtp_url is None
    assert load_settings(definitions["notification"], environment | mail).sender == "node@example.vn"


def test_images_are_pinned_to_a_version(compose: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in compose["services"].items()}
    assert {name: image for name, image in images.items() if not re.search(r":v?\d+\.\d+\.\d+(-[a-z]+)?$", image)} == {}


def test_long_running_parts_are_watched(root: Path, compose: dict[str, Any]) -> None:
    in_image = "\nHEALTHCHECK " in (root / "deploy/Dockerfile").read_text("utf-8")
    unwatched = {
        name
        for name, service in compose["services"].items()
        if not service.get("healthcheck", {}).get("test")
        and not (in_image and "healthcheck" not in service and "build" in service)
    }
    assert unwatched == ONE_SHOTS | UNWATCHED
    assert {name for name, service in compose["services"].items() if service["restart"] == "no"} == ONE_SHOTS


def test_references_resolve(root: Path, compose: dict[str, Any]) -> None:
    lost = []
    for name, service in compose["services"].items():
        lost += [
            f"{name} waits for {other}" for other in service.get("depends_on", {}) if other not in compose["services"]
        ]
        lost += [f"{name} is on {network}" for network in service["networks"] if network not in compose["networks"]]
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            known = (root / source).exists() if source.startswith("./") else source in compose["volumes"]
            lost += [] if known else [f"{name} mounts {source}"]
    used = {v.partition(":")[0] for s in compose["services"].values() for v in s.get("volumes", [])}
    assert lost == []
    assert set(compose["volumes"]) - used == set()


def test_waiting_for_health_is_waiting_for_something_watched(compose: dict[str, Any]) -> None:
    waits = {
        (name, other, how["condition"])
        for name, service in compose["services"].items()
        for other, how in service.get("depends_on", {}).items()
    }
    assert {wait for wait in waits if wait[2] == "service_healthy" and wait[1] in ONE_SHOTS | UNWATCHED} == set()
    assert {wait[1] for wait in waits if wait[2] == "service_completed_successfully"} == ONE_SHOTS


def test_no_secret_has_a_value_or_a_default(compose_text: str) -> None:
    written = re.findall(r"^ +([A-Z][A-Z_]+): (.+)$", compose_text, re.MULTILINE)
    secrets = [
        (key, value) for key, value in written if SECRET.search(key) and not key.endswith(("KEY_PATH", "SMTP_URL"))
    ]
    assert len(secrets) > 20
    assert [pair for pair in secrets if ":?" not in pair[1]] == []
    assert re.findall(r"\$\{[A-Z_]*(?:SECRET|PASSWORD|KEY)[A-Z_]*(?::?-[^}]*)?\}", compose_text) == []


def test_each_variable_is_in_the_example_without_a_value(root: Path, compose_text: str) -> None:
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (root / "deploy/env.example").read_text("utf-8"), re.MULTILINE))
    assert set(example) == set(re.findall(r"\$\{([A-Z_]+)", compose_text))
    assert set(example.values()) == {""}


def test_nothing_but_loopback_is_published(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []
    assert len({port.split(":")[1] for port in published}) == len(published)


@pytest.mark.parametrize("table", ["SERVICES = ", "for service in "])
def test_mongo_has_one_user_a_service(root: Path, definitions: dict[str, Definition], table: str) -> None:
    script = {"SERVICES = ": "deploy/mongo/init.js", "for service in ": "deploy/kubernetes/make-secrets.sh"}[table]
    [line] = [text for text in (root / script).read_text("utf-8").splitlines() if table in text and "directory" in text]
    assert [name for name in re.findall(r"[a-z]+", line.partition(table)[2]) if name != "do"] == list(definitions)
