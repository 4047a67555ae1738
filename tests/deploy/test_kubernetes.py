"""The Kubernetes manifests are ones a cluster would take, and ones the services can run with."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from sangkien.chassis import Definition

VERSION = "1.32"
MONGO = "mongo-0.example:27017,mongo-1.example:27017/?replicaSet=rs0&tls=true"
WORKLOADS = {"Deployment", "StatefulSet", "Job"}
PARTS = ("base", "observability", "member", "hub")
BY_HAND = {"link-keys"}
"""Secrets that no script prints: the folder that `sangkien node join` made (docs/operations.md)."""

Manifest = dict[str, Any]


def kustomization(folder: Path) -> Manifest:
    parsed: Manifest = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    return parsed


def rendered(folder: Path) -> list[Manifest]:
    """The manifests a folder's kustomization names, those of the folders it builds on and generated ones included."""
    found: list[Manifest] = []
    own = kustomization(folder)
    for resource in own.get("resources", []):
        place = folder / resource
        found += rendered(place) if place.is_dir() else list(yaml.safe_load_all(place.read_text("utf-8")))
    for made in own.get("configMapGenerator", []):
        files = dict(
            (entry if "=" in entry else f"{Path(entry).name}={entry}").split("=", 1) for entry in made["files"]
        )
        data = {key: (folder / source).read_text("utf-8") for key, source in files.items()}
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": made["name"]}, "data": data})
    return found


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "deploy/kubernetes"


@pytest.fixture(scope="module")
def manifests(folder: Path) -> list[Manifest]:
    return [manifest for part in PARTS for manifest in rendered(folder / part)]


@pytest.fixture(scope="module")
def secret_manifests(folder: Path, secrets_file: Path) -> list[Manifest]:
    command: list[str | Path] = [folder / "make-secrets.sh", secrets_file, MONGO, secrets_file.with_name("signing.jwk")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(yaml.safe_load_all(printed))


def named(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in manifests if each["kind"] in WORKLOADS
    }


def containers(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The first of each pod, which is what the pod is there for."""
    return {name: pod["containers"][0] for name, pod in pods(manifests).items()}


def boxes_beside(manifests: list[Manifest]) -> dict[str, Manifest]:
    """All others, those that end before the first starts included, as pod/container."""
    return {
        f"{name}/{box['name']}": box
        for name, pod in pods(manifests).items()
        for box in [*pod["containers"][1:], *pod.get("initContainers", [])]
    }


def test_manifests_follow_the_schemas(manifests: list[Manifest], secret_manifests: list[Manifest]) -> None:
    wrong = []
    for manifest in [*manifests, *secret_manifests]:
        try:
            kubernetes_validate.validate(manifest, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            wrong.append(f"{manifest['kind']} {manifest['metadata']['name']}: {error.message}")
    assert wrong == []


def test_manifests_are_each_named_once(manifests: list[Manifest]) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in manifests]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("part", PARTS)
def test_every_file_is_part_of_its_kustomization(folder: Path, part: str) -> None:
    listed = {entry for entry in kustomization(folder / part)["resources"] if entry.endswith(".yaml")}
    assert listed == {path.name for path in (folder / part).glob("*.yaml")} - {"kustomization.yaml"}


def test_services_load_their_settings_from_the_cluster(
    manifests: list[Manifest],
    secret_manifests: list[Manifest],
    everything: dict[str, Definition],
    load_settings: Any,
) -> None:
    settings, secrets = named(manifests, "ConfigMap"), named(secret_manifests, "Secret")
    loaded = {}
    for name, definition in everything.items():
        [own, secret] = containers(manifests)[name]["envFrom"]
        given = settings[own["configMapRef"]["name"]]["data"] | secrets[secret["secretRef"]["name"]]["stringData"]
        loaded[name] = load_settings(definition, given)
    assert {name: (s.database, s.node, s.directory, s.store_url.partition("@")[2]) for name, s in loaded.items()} == {
        name: (name, "quan-ba-dinh", "directory:50051", f"{MONGO}&authSource=admin") for name in everything
    }


def test_members_reach_the_hub_under_the_name_in_the_secrets(
    secret_manifests: list[Manifest], secrets: dict[str, str]
) -> None:
    host = secrets["HUB_HOST"]
    told = named(secret_manifests, "Secret")["hub-secrets"]["stringData"]
    assert (told["HUB_JOIN_PUBLIC"], told["HUB_LEAF_PUBLIC"]) == (f"{host}:7443", f"tls://{host}:7422")


def test_services_differ_in_name_and_key_alone(manifests: list[Manifest], definitions: dict[str, Definition]) -> None:
    forms = set()
    for name in definitions:
        form = json.loads(json.dumps(named(manifests, "Deployment")[name]).replace(name, "SERVICE"))
        pod = form["spec"]["template"]["spec"]
        pod["volumes"] = [volume for volume in pod["volumes"] if volume["name"] != "signing-key"]
        mounts = pod["containers"][0]["volumeMounts"]
        pod["containers"][0]["volumeMounts"] = [mount for mount in mounts if mount["name"] != "signing-key"]
        forms.add(json.dumps(form, sort_keys=True))
    assert len(forms) == 1
    assert set(definitions) <= set(named(manifests, "PodDisruptionBudget"))


def test_provision_is_told_what_each_service_is_told(
    manifests: list[Manifest], definitions: dict[str, Definition]
) -> None:
    told = [source for name in definitions for source in containers(manifests)[name]["envFrom"]]
    provision = containers(manifests)["provision"]
    assert provision["envFrom"] == told
    assert re.findall(r"for service in ([a-z ]+); do", provision["args"][0]) == [" ".join(definitions)]


def test_what_pods_refer_to_exists(manifests: list[Manifest], secret_manifests: list[Manifest]) -> None:
    text = json.dumps(list(pods(manifests).values()))
    maps = set(re.findall(r'"configMap(?:Ref)?": \{"name": "([^"]+)"', text))
    secrets = set(re.findall(r'"(?:secretRef|secretKeyRef)": \{"name": "([^"]+)"|"secretName": "([^"]+)"', text))
    claims = set(re.findall(r'"claimName": "([^"]+)"', text))
    assert maps == set(named(manifests, "ConfigMap"))
    assert {first or second for first, second in secrets} == set(named(secret_manifests, "Secret")) | BY_HAND
    assert claims == set(named(manifests, "PersistentVolumeClaim"))
    assert named(manifests, "Secret") == {}


def test_pods_are_confined(manifests: list[Manifest]) -> None:
    wanted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    boxes = containers(manifests) | boxes_beside(manifests)
    assert {name: box["securityContext"] for name, box in boxes.items()} == dict.fromkeys(boxes, wanted)
    assert set(boxes_beside(manifests)) == {"exchange/link", "exchange/files", "hub/hub-nats", "hub/files"}
    for pod in pods(manifests).values():
        assert (pod["securityContext"]["runAsNonRoot"], pod["automountServiceAccountToken"]) == (True, False)
    assert {name for name, box in boxes.items() if box["resources"].keys() != {"requests", "limits"}} == set()


def test_long_running_pods_are_probed(manifests: list[Manifest], everything: dict[str, Definition]) -> None:
    boxes = containers(manifests) | boxes_beside(manifests)
    assert {name for name, box in boxes.items() if not {"readinessProbe", "livenessProbe"} <= box.keys()} == {
        "provision",
        "exchange/files",
        "hub/files",
    }
    for name in everything:
        ports = {port["name"]: port["containerPort"] for port in boxes[name]["ports"]}
        assert ports == {"grpc": 50051, "metrics": 9464} | ({"join": 7443} if name == "hub" else {})
        assert boxes[name]["startupProbe"]["grpc"] == {"port": 50051, "service": "ready"}
        assert boxes[name]["livenessProbe"]["grpc"] == {"port": 50051}


def test_images_are_those_of_the_compose_file(manifests: list[Manifest], compose: dict[str, Any]) -> None:
    boxes = containers(manifests)
    assert {name: box["image"] for name, box in boxes.items()} == {
        name: compose["services"][name]["image"] for name in boxes
    }
    twins = {
        "exchange/files": "link-files",
        "exchange/link": "link",
        "hub/files": "hub-files",
        "hub/hub-nats": "hub-nats",
    }
    assert {name: box["image"] for name, box in boxes_beside(manifests).items()} == {
        name: compose["services"][twin]["image"] for name, twin in twins.items()
    }


def test_services_and_policies_select_pods_that_exist(manifests: list[Manifest]) -> None:
    labels = [each["spec"]["template"]["metadata"]["labels"].items() for each in manifests if each["kind"] in WORKLOADS]
    wanted = [service["spec"]["selector"] for service in named(manifests, "Service").values()]
    text = json.dumps(list(named(manifests, "NetworkPolicy").values()))
    selectors = re.findall(r'"podSelector": \{"matchLabels": (\{[^}]+\})', text)
    wanted += [json.loads(selector) for selector in selectors]
    assert len(selectors) > 10
    assert [selector for selector in wanted if not any(selector.items() <= each for each in labels)] == []


def test_what_has_one_writer_runs_once(manifests: list[Manifest]) -> None:
    sets = named(manifests, "StatefulSet")
    assert {name: sets[name]["spec"]["replicas"] for name in sets} == {"nats": 1, "exchange": 1, "hub": 1}


def test_keys_of_links_are_mounted_where_they_are_needed_alone(manifests: list[Manifest]) -> None:
    boxes = containers(manifests) | boxes_beside(manifests)
    mounts = {
        name: {
            mount["name"]: mount.get("readOnly", False) for mount in box["volumeMounts"] if mount["name"] != "scratch"
        }
        for name, box in boxes.items()
        if name.partition("/")[0] in {"exchange", "hub"}
    }
    assert mounts == {
        "exchange": {"keys": True},
        "exchange/link": {"data": False},
        "exchange/files": {"packed": True, "keys": False, "data": False},
        "hub": {"keys": False},
        "hub/hub-nats": {"data": False},
        "hub/files": {"keys": False, "data": False},
    }


def test_settings_and_servers_agree_on_folders(manifests: list[Manifest]) -> None:
    settings, boxes = named(manifests, "ConfigMap"), boxes_beside(manifests)
    for pod, kind, server in (("exchange", "link", "link"), ("hub", "hub", "hub-nats")):
        [command, folder, place, *_] = boxes[f"{pod}/files"]["args"]
        assert (command, folder) == (kind, settings[f"{pod}-settings"]["data"][f"{pod.upper()}_FOLDER"])
        [_, configuration, *_] = boxes[f"{pod}/{server}"]["args"]
        assert configuration == f"{place}/{'leaf' if kind == 'link' else 'hub'}.conf"


def test_hub_is_open_to_others_at_its_two_doors_alone(manifests: list[Manifest]) -> None:
    services = named(manifests, "Service")
    assert {name for name, service in services.items() if service["spec"].get("type", "ClusterIP") != "ClusterIP"} == {
        "hub-public"
    }
    assert {port["port"] for port in services["hub-public"]["spec"]["ports"]} == {7422, 7443}
    policies = named(manifests, "NetworkPolicy").values()
    from_anywhere = [
        (policy["spec"]["podSelector"], [port["port"] for port in rule["ports"]])
        for policy in policies
        for rule in policy["spec"].get("ingress", [])
        if "from" not in rule
    ]
    assert from_anywhere == [({"matchLabels": {"app.kubernetes.io/name": "hub"}}, [7422, 7443])]


@pytest.mark.parametrize(("name", "own"), [("small", set()), ("member", {"exchange"}), ("city", {"exchange", "hub"})])
def test_overlay_has_of_the_federation_what_its_node_needs(
    folder: Path, name: str, own: set[str], definitions: dict[str, Definition]
) -> None:
    manifests = rendered(folder / "overlays" / name)
    everyones = {*pods(rendered(folder / "base")), *pods(rendered(folder / "observability"))}
    assert set(definitions) <= everyones
    assert set(pods(manifests)) == everyones | own


@pytest.mark.parametrize("name", ["small", "city"])
def test_overlay_changes_what_the_base_has(folder: Path, name: str, definitions: dict[str, Definition]) -> None:
    place = folder / "overlays" / name
    overlay, base = kustomization(place), rendered(place)
    assert {entry["name"] for entry in overlay["replicas"]} == set(definitions)
    for patch in overlay["patches"]:
        kind, wanted = patch["target"]["kind"], patch["target"].get("labelSelector", "=").split("=")
        targets = [
            each
            for each in base
            if each["kind"] == kind
            and each["metadata"]["name"] == patch["target"].get("name", each["metadata"]["name"])
            and each["metadata"]["labels"].get(wanted[0], "") == wanted[1]
        ]
        assert len(targets) == (len(definitions) if kind == "Deployment" else 1)
        for target in targets:
            for operation in yaml.safe_load(patch["patch"]):
                changed(target, operation["path"].split("/")[1:], operation["value"])
            kubernetes_validate.validate(target, VERSION, strict=True)


def changed(target: Any, path: list[str], value: Any) -> None:
    """A JSON patch `replace`: what it replaces must be there."""
    *way, last = path
    for step in way:
        target = target[int(step)] if isinstance(target, list) else target[step]
    assert last in target
    target[last] = value
