"""Which processes a node of each kind consists of, and what they are told."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sangkien.console.node.folder import Chosen, NodeFolder, NodeFolderError
from sangkien.console.node.links import HubPorts, hub_ports, hub_server, joined, link_servers
from sangkien.console.node.plan import SERVICES, Options, UnknownService, plan, usual
from sangkien.console.node.profiles import PROFILES
from sangkien.contracts import crossing


@pytest.fixture
def folder(tmp_path: Path) -> NodeFolder:
    return NodeFolder(tmp_path / "node")


def test_profiles_are_those_that_invitations_know() -> None:
    assert tuple(PROFILES) == crossing.PROFILES


def test_node_without_a_profile_runs_the_services_of_one_that_is_alone(folder: NodeFolder) -> None:
    running, children = plan(folder, usual(folder))

    assert tuple(running.targets) == SERVICES
    assert [child.name for child in children] == ["nats-server", *SERVICES]
    assert running.links == {}


def test_union_runs_four_services_and_its_exchange_is_told_where_intake_is(folder: NodeFolder) -> None:
    folder.choose(Chosen(profile="union"))

    running, children = plan(folder, usual(folder))
    exchange = next(child for child in children if child.name == "exchange").env

    assert tuple(running.targets) == ("directory", "intake", "notification", "exchange")
    assert exchange["EXCHANGE_INTAKE"] == running.targets["intake"]
    assert exchange["EXCHANGE_REVIEW"] == "127.0.0.1:1"


def test_setting_of_one_service_is_not_told_to_the_others(folder: NodeFolder) -> None:
    settings = {"LOG_LEVEL": "debug", "HUB_STAMP_EVERY_S": "5"}
    _, children = plan(folder, Options(("directory", "hub"), settings=settings))

    told = {child.name: {name for name in child.env if "STAMP" in name or "LOG" in name} for child in children}
    assert told == {
        "nats-server": set(),
        "directory": {"DIRECTORY_LOG_LEVEL"},
        "hub": {"HUB_LOG_LEVEL", "HUB_STAMP_EVERY_S"},
    }


def test_unknown_services_and_profiles_are_refused_by_name(folder: NodeFolder) -> None:
    with pytest.raises(UnknownService, match="thanh-tra"):
        plan(folder, Options(("directory", "thanh-tra")))
    folder.choose(Chosen(profile="tinh"))
    with pytest.raises(UnknownService, match="tinh"):
        usual(folder)


def test_hub_keeps_its_ports_and_tells_members_its_first_host(folder: NodeFolder) -> None:
    folder.choose(Chosen(profile="city", hub_hosts=("hub.example.vn", "10.0.0.7")))
    first, second = hub_server(folder), hub_server(folder)
    ports = hub_ports(folder)

    assert {name: url for name, url in first.links.items() if name != "hub_broker"} == {
        "hub_leaf": f"0.0.0.0:{ports.leaf}",
        "hub_join": f"0.0.0.0:{ports.join}",
    }
    assert {name: told for name, told in first.settings.items() if name.endswith("PUBLIC")} == {
        "HUB_JOIN_PUBLIC": f"hub.example.vn:{ports.join}",
        "HUB_LEAF_PUBLIC": f"tls://hub.example.vn:{ports.leaf}",
    }
    assert [second.links[name] for name in ("hub_leaf", "hub_join")] == [
        first.links[name] for name in ("hub_leaf", "hub_join")
    ]


def test_hub_without_host_names_listens_on_this_machine_only(folder: NodeFolder) -> None:
    server = hub_server(folder)

    assert {url.rpartition(":")[0] for url in server.links.values()} == {"127.0.0.1", "nats://127.0.0.1"}
    assert server.settings["HUB_JOIN_LISTEN"] == server.settings["HUB_JOIN_PUBLIC"]


def test_ports_a_person_chose_are_kept(folder: NodeFolder) -> None:
    hub_ports(folder, HubPorts(7422, 7443))

    assert hub_ports(folder) == HubPorts(7422, 7443)


def test_damaged_ports_are_refused_in_words_rather_than_chosen_anew(folder: NodeFolder) -> None:
    hub_ports(folder)
    (folder.hub / "ports.json").write_text("{")

    with pytest.raises(NodeFolderError, match=r"ports\.json"):
        hub_ports(folder)


def test_node_that_has_not_joined_has_no_link_server(folder: NodeFolder) -> None:
    assert joined(folder) is False
    assert link_servers(folder, PROFILES["district"].services) == []


def test_node_that_ran_alone_takes_the_id_it_is_invited_under_once(folder: NodeFolder) -> None:
    alone = folder.identity()
    named = folder.identity("ba-dinh")

    assert (alone.node, named) == ("local", replace(alone, node="ba-dinh"))
    assert folder.identity() == named
    with pytest.raises(NodeFolderError, match="ba-dinh"):
        folder.identity("tay-ho")


def test_choice_outlasts_a_restart_and_a_damaged_one_is_said(folder: NodeFolder) -> None:
    chosen = Chosen(profile="city", name="Hà Nội", hub_hosts=("hub.example.vn",))
    folder.choose(chosen)

    assert NodeFolder(folder.path).chosen() == chosen
    (folder.path / "chosen.json").write_text(json.dumps({"profil": "city"}))
    with pytest.raises(NodeFolderError, match=r"chosen\.json"):
        folder.chosen()
