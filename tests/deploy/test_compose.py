"""docker-compose.yml is one an engine would take, and one the services can run with."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sangkien.chassis import Definition
from sangkien.runtime import SettingsInvalid

ONE_SHOTS = {"mongo-init", "provision", "link-files", "hub-files"}
FOR_OTHERS = {"hub-nats": ["7422:7422"], "hub": ["7443:7443"]}
"""Ports other organisations reach; all others are on loopback."""
UNWATCHED = {"collector"}
"""Their images hold nothing to ask them with; Prometheus watches them instead."""
SECRET = re.compile(r"(SECRET|PASSWORD|TOKEN|_KEY|_URL)")


def test_compose_file_follows_the_specification(root: Path, compose: dict[str, Any]) -> None:
    schema = json.loads((root / "tests/deploy/compose-spec.json").read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(compose)] == []


def test_node_has_every_service_once(compose: dict[str, Any], everything: dict[str, Definition]) -> None:
    own = {
        service["command"][2]: name
        for name, service in compose["services"].items()
        if service["image"].startswith("sangkien:") and name not in ONE_SHOTS
    }
    assert own == {f"sangkien.{name}": name for name in everything}
    assert {str(compose["services"][name]["build"]) for name in own.values()} == {
        str({"context": ".", "dockerfile": "deploy/Dockerfile"})
    }


def test_services_load_their_settings_from_compose(
    compose: dict[str, Any], everything: dict[str, Definition], load_settings: Any
) -> None:
    loaded = {
        name: load_settings(definition, compose["services"][name]["environment"])
        for name, definition in everything.items()
    }
    assert {name: (s.database, s.node, s.directory, s.metrics_port) for name, s in loaded.items()} == {
        name: (name, "quan-ba-dinh", "directory:50051", 9464) for name in everything
    }
    assert {name: s.store_url.partition("@")[0].partition("//")[2].partition(":")[0] for name, s in loaded.items()} == {
        name: name for name in everything
    }


def test_provision_is_told_what_each_service_is_told(
    compose: dict[str, Any], definitions: dict[str, Definition]
) -> None:
    told = {key: value for name in definitions for key, value in compose["services"][name]["environment"].items()}
    assert compose["services"]["provision"]["environment"] == told
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
    without = [pair for pair in secrets if ":?" not in pair[1]]
    assert [key for key, _ in without] == ["EXCHANGE_LEAF_URL", "HUB_BROKER_URL", "HUB_TSA_URL"]
    assert [value for _, value in without if "@" in value] == []
    assert re.findall(r"\$\{[A-Z_]*(?:SECRET|PASSWORD|KEY)[A-Z_]*(?::?-[^}]*)?\}", compose_text) == []


def test_each_variable_is_in_the_example_without_a_value(root: Path, compose_text: str) -> None:
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (root / "deploy/env.example").read_text("utf-8"), re.MULTILINE))
    assert set(example) == set(re.findall(r"\$\{([A-Z_]+)", compose_text)) | {"COMPOSE_PROFILES"}
    assert set(example.values()) == {""}


def test_nothing_but_loopback_and_the_hubs_doors_is_published(compose: dict[str, Any]) -> None:
    ports = {name: service.get("ports", []) for name, service in compose["services"].items()}
    opened = {name: [port for port in found if not port.startswith("127.0.0.1:")] for name, found in ports.items()}
    published = [port.removeprefix("127.0.0.1:").split(":")[0] for found in ports.values() for port in found]
    assert {name: found for name, found in opened.items() if found} == FOR_OTHERS
    assert len(set(published)) == len(published)


def test_node_that_runs_alone_starts_nothing_of_the_federation(
    compose: dict[str, Any], definitions: dict[str, Definition]
) -> None:
    profiles = {name: service.get("profiles", []) for name, service in compose["services"].items()}
    assert {name for name, own in profiles.items() if own == ["federation"]} == {"link-files", "link", "exchange"}
    assert {name for name, own in profiles.items() if own == ["hub"]} == {"hub-files", "hub-nats", "hub"}
    alone = {name for name, own in profiles.items() if not own}
    assert set(definitions) <= alone
    waits = {other for name in alone for other in compose["services"][name].get("depends_on", {})}
    assert waits - alone == set()


def test_parts_are_all_hardened_alike(compose: dict[str, Any], everything: dict[str, Definition]) -> None:
    wanted = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
    for name in {*everything, "link-files", "hub-files", "link", "hub-nats", "nats"}:
        service = compose["services"][name]
        assert {key: service[key] for key in wanted} == wanted, name
        assert {"restart", "logging"} <= service.keys(), name


def test_keys_of_links_are_seen_by_their_services_alone(compose: dict[str, Any]) -> None:
    mounts = {
        name: sorted(volume.split(":", 1)[0] + volume.partition(":ro")[1] for volume in service.get("volumes", []))
        for name, service in compose["services"].items()
        if name in {"link-files", "link", "exchange", "hub-files", "hub-nats", "hub"}
    }
    assert mounts == {
        "link-files": ["link-keys", "link-server"],
        "link": ["link-server"],
        "exchange": ["link-keys:ro"],
        "hub-files": ["hub-keys", "hub-server"],
        "hub-nats": ["hub-server"],
        "hub": ["hub-keys"],
    }
    seen = {name for name, service in compose["services"].items() if "link-keys" in str(service.get("volumes"))}
    seen |= {name for name, service in compose["services"].items() if "hub-keys" in str(service.get("volumes"))}
    assert seen == {"link-files", "exchange", "hub-files", "hub"}


def test_link_servers_meet_their_services_and_the_outside_alone(compose: dict[str, Any]) -> None:
    networks = {name: set(service["networks"]) for name, service in compose["services"].items()}
    reach = {net: {name for name, own in networks.items() if net in own} for net in ("link", "hub", "outside")}
    assert reach == {"link": {"link", "exchange"}, "hub": {"hub-nats", "hub"}, "outside": {"link", "hub-nats"}}
    assert {name for name, made in compose["networks"].items() if made and made.get("internal")} == {
        "node",
        "link",
        "hub",
    }


def test_hub_without_a_name_for_members_does_not_start(
    compose: dict[str, Any], everything: dict[str, Definition], load_settings: Any
) -> None:
    environment = compose["services"]["hub"]["environment"]
    with pytest.raises(SettingsInvalid, match=r"HUB_JOIN_PUBLIC.*\n.*HUB_LEAF_PUBLIC"):
        load_settings(everything["hub"], environment | {"HUB_JOIN_PUBLIC": ":7443", "HUB_LEAF_PUBLIC": "tls://:7422"})


@pytest.mark.parametrize("table", ["SERVICES = ", "for service in "])
def test_mongo_has_one_user_a_service(root: Path, everything: dict[str, Definition], table: str) -> None:
    script = {"SERVICES = ": "deploy/mongo/init.js", "for service in ": "deploy/kubernetes/make-secrets.sh"}[table]
    [line] = [text for text in (root / script).read_text("utf-8").splitlines() if table in text and "directory" in text]
    assert [name for name in re.findall(r"[a-z]+", line.partition(table)[2]) if name != "do"] == list(everything)
