"""Two nodes from nothing, with the commands people use: invite, join, look, audit, rotate, suspend, revoke, leave."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.directory.v1 import directory_pb2 as pb
from sangkien.api.directory.v1.directory_pb2_grpc import DirectoryServiceStub
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import local_node
from sangkien.console.node.upkeep import Upkeep
from sangkien.custody import SealKey
from sangkien.federation import MemberFolder
from sangkien.testkit.command import COMMAND, sangkien
from sangkien.testkit.eventually import eventually

HUB, UNION = "ha-noi", "ldld-ba-dinh"
CHECKS = ["versions", "keys", "certificate", "services", "link", "echo", "clock"]
STOP_S = 60
ALONE = ("--no-up", "--one-process")
"""A node that joins, is checked and ends."""


@dataclass(frozen=True, slots=True)
class Federation:
    """A hub that runs, and a union's node that joined it and runs."""

    hub: Path
    union: Path
    bundle: Path
    joined: dict[str, Any]


@contextmanager
def running(*words: str | Path, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command that stays, ended as people end it. What it says goes to `output` and, of stderr, beside it."""
    environment = os.environ | {"HUB_STAMP_EVERY_S": "0.5"}
    with output.open("wb") as out, output.with_suffix(".err").open("wb") as err:
        process = subprocess.Popen([*COMMAND, *map(str, words)], stdout=out, stderr=err, env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_S)


def stays(process: subprocess.Popen[bytes], output: Path, folder: Path, service: str) -> bool:
    """Whether the node of the folder runs this service. Fails with what was said when the command ended."""
    if process.poll() is not None:
        pytest.fail(output.with_suffix(".err").read_text())
    found = NodeFolder(folder).running()
    return found is not None and service in found.targets


def said_by(output: Path) -> dict[str, Any]:
    """The JSON object a command that stays has printed; empty until then."""
    text = output.read_text()
    return dict(json.loads(text)) if text.endswith("}\n") else {}


def invite(federation_hub: Path, node: str, out: Path, *options: str) -> dict[str, Any]:
    status, said = sangkien(
        "node", "invite", "--org", node, "--name", "Liên đoàn Lao động", "--profile", "union", "--json",
        "--out", out, "--data-dir", federation_hub, *options,
    )  # fmt: skip
    assert status == 0, said
    return dict(said)


@pytest.fixture(scope="module")
async def federation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Federation]:
    root = tmp_path_factory.mktemp("joining")
    hub, union, bundle = root / "hub", root / "union", root / "union.bundle.json"
    hub_says, union_says = root / "hub.out", root / "union.out"
    city = ("--profile", "city", "--node", HUB, "--name", "Thành phố Hà Nội")
    begin = ("up", *city, "--one-process", "--data-dir", hub)  # the union's services have a process each
    with running(*begin, output=hub_says) as process:
        await eventually(lambda: stays(process, hub_says, hub, "exchange"), timeout=90, what="the hub to run")
        await asyncio.to_thread(invite, hub, UNION, bundle)
        with running("node", "join", bundle, "--json", "--data-dir", union, output=union_says) as member:
            await eventually(lambda: stays(member, union_says, union, "exchange") and said_by(union_says), timeout=90)
            yield Federation(hub, union, bundle, said_by(union_says))


def peers_of_hub(federation: Federation) -> dict[str, dict[str, Any]]:
    _, said = sangkien("exchange", "peers", "--json", "--data-dir", federation.hub)
    return {peer["node"]: peer for peer in said["hub"]["peers"]}


async def test_joining_node_goes_through_every_check_and_is_ready(federation: Federation) -> None:
    joined = federation.joined

    assert (joined["node"], joined["profile"], joined["epoch"], joined["already"]) == (UNION, "union", 1, False)
    assert [(check["code"], check["ok"]) for check in joined["checks"]] == [(code, True) for code in CHECKS]
    assert joined["ready"] is True


async def test_bundle_and_keys_are_for_their_owner_alone(federation: Federation) -> None:
    kept = [each for folder in (federation.union / "link", federation.hub / "hub") for each in folder.rglob("*")]
    ours = [each for each in kept if not {"jetstream", "accounts"} & set(each.parts)]  # the servers' own, in 0700 each

    assert len(ours) > 10
    assert [each for each in (federation.bundle, *ours) if each.stat().st_mode & 0o077] == []


async def test_both_ends_see_the_link(federation: Federation) -> None:
    status, member = sangkien("node", "status", "--json", "--data-dir", federation.union)
    _, mine = sangkien("exchange", "peers", "--json", "--data-dir", federation.union)
    at_hub = peers_of_hub(federation)

    assert (status, member["state"], member["connected"], member["waiting"]) == (0, "active", True, 0)
    assert [peer["node"] for peer in mine["peers"]] == [HUB, "hub"]
    assert {node: (peer["state"], peer["connected"]) for node, peer in at_hub.items()} == {
        HUB: ("active", True),
        UNION: ("active", True),
    }


async def test_bundle_is_good_for_one_folder_only(federation: Federation, tmp_path: Path) -> None:
    words = ("node", "join", federation.bundle, "--no-up", "--json", "--data-dir")
    stolen, said = sangkien(*words, tmp_path / "other")
    wrong, foreign = sangkien(*words, federation.hub)
    again, running_here = sangkien(*words, federation.union)

    assert (stolen, said["error"]["code"]) == (1, "join_other_keys")
    assert (wrong, foreign["error"]["code"]) == (1, "already_running")
    assert (again, running_here["error"]["code"]) == (1, "already_running")


async def test_interrupted_joining_goes_on_with_the_same_bundle(federation: Federation, tmp_path: Path) -> None:
    bundle, folder = tmp_path / "b.json", tmp_path / "node"
    await asyncio.to_thread(invite, federation.hub, "ldld-tay-ho", bundle)
    words = ("node", "join", str(bundle), *ALONE, "--json", "--data-dir", str(folder))
    with running(*words, output=tmp_path / "out") as first:
        await eventually((folder / "link" / "asked.json").exists)
        first.kill()
        first.wait()
    status, joined = await asyncio.to_thread(sangkien, *words)
    after, again = await asyncio.to_thread(sangkien, *words)

    assert (status, joined["ready"], joined["epoch"]) == (0, True, 1)
    assert (after, again["ready"], again["already"], again["epoch"]) == (0, True, True, 1)


async def test_keys_of_a_node_in_containers_are_made_and_renewed_without_starting_it(
    federation: Federation, tmp_path: Path
) -> None:
    bundle, folder, node = tmp_path / "b.json", tmp_path / "node", "ldld-hoan-kiem"
    await asyncio.to_thread(invite, federation.hub, node, bundle)
    words = ("--keys-only", "--json", "--data-dir", folder)
    joined, said = await asyncio.to_thread(sangkien, "node", "join", bundle, *words)
    before = MemberFolder(folder / "link").seal_key.public
    renewed, _ = await asyncio.to_thread(sangkien, "node", "rotate-keys", *words)
    _, status = sangkien("node", "status", "--json", "--data-dir", federation.hub)

    assert (joined, said["node"], said["link"], renewed) == (0, node, str(folder / "link"), 0)
    assert MemberFolder(folder / "link").seal_key.public != before
    assert [*(folder / "stores").iterdir(), *(folder / "logs").iterdir()] == []
    [at_hub] = [one for one in status["hub"]["nodes"] if one["node"] == node]
    assert (at_hub["state"], at_hub["seal_keys"][0]) == ("joining", MemberFolder(folder / "link").seal_key.public)


async def test_audit_holds_until_a_row_of_the_log_is_altered_and_names_it(federation: Federation) -> None:
    words = ("audit", "verify", "--json", "--data-dir", federation.hub)
    well, before = sangkien(*words)
    original = altered(federation.hub, '"refused:not_allowed"', where=2)
    ill, broken = sangkien(*words)
    put_back(federation.hub, original, where=2)
    mended, after = sangkien(*words)

    assert (well, before["ok"], before["broken"]) == (0, True, None)
    assert (ill, broken["ok"], broken["broken"]["of"], broken["broken"]["where"]) == (1, False, "log", "entry:2")
    assert (mended, after["ok"]) == (0, True)
    assert after["checked"][0]["entries"] >= before["checked"][0]["entries"] > 1


async def test_entries_taken_off_the_end_of_the_log_are_missed_at_the_next_audit(federation: Federation) -> None:
    words = ("audit", "verify", "--json", "--data-dir", federation.hub)
    _, before = sangkien(*words)
    last = before["checked"][0]["entries"]
    with sqlite3.connect(f"{federation.hub}/stores/hub.db", timeout=20) as store:
        tail = store.execute("select id, ver, body from entries where id >= ?", (f"{last:012}",)).fetchall()
        stamps = store.execute(
            "select id, ver, body from stamps where json_extract(body, '$.last') >= ?", (last,)
        ).fetchall()
        store.execute("delete from entries where id >= ?", (f"{last:012}",))
        store.execute("delete from stamps where json_extract(body, '$.last') >= ?", (last,))
    status, broken = sangkien(*words)
    with sqlite3.connect(f"{federation.hub}/stores/hub.db", timeout=20) as store:
        store.executemany("insert into entries values (?, ?, ?)", tail)
        store.executemany("insert into stamps values (?, ?, ?)", stamps)
    mended, _ = sangkien(*words)

    assert (status, mended) == (1, 0)
    assert (broken["broken"]["where"], broken["broken"]["code"]) == (f"entry:{last}", "missing")


async def test_member_audits_its_own_chain_and_the_hub_the_same_one(federation: Federation) -> None:
    def audited(*words: str | Path) -> list[tuple[str, str, int]]:
        status, said = sangkien("audit", "verify", "--json", *words)
        assert status == 0, said
        return [(each["of"], each["node"], each["entries"]) for each in said["checked"]]

    def alike() -> bool:
        mine = audited("--data-dir", federation.union)
        return bool(mine) and mine == audited("--node", UNION, "--data-dir", federation.hub)

    await eventually(alike, what="the hub to have what was sealed")  # a message may be on its way


async def test_a_body_altered_at_a_member_is_found_by_its_own_audit(federation: Federation) -> None:
    words = ("audit", "verify", "--json", "--data-dir", federation.union)
    with sqlite3.connect(f"{federation.union}/stores/exchange.db", timeout=20) as store:
        [id, body] = store.execute("select id, body from outgoing_bodies limit 1").fetchone()
        store.execute("update outgoing_bodies set body = replace(body, 'text', 'tekst') where id = ?", (id,))
    ill, broken = sangkien(*words)
    with sqlite3.connect(f"{federation.union}/stores/exchange.db", timeout=20) as store:
        store.execute("update outgoing_bodies set body = ? where id = ?", (body, id))
    mended, _ = sangkien(*words)

    assert (ill, mended) == (1, 0)
    assert (broken["broken"]["of"], broken["broken"]["where"], broken["broken"]["code"]) == ("chain", "seal:1", "body")


async def test_proof_of_a_message_convinces_with_the_hubs_key_alone(federation: Federation, tmp_path: Path) -> None:
    id, file = first_message_of(federation.hub, UNION), tmp_path / "proof.json"
    export = ("exchange", "proof", id, "--out", file, "--json", "--data-dir", federation.hub)
    await eventually(lambda: sangkien(*export)[0] == 0, what="the message to be stamped")
    _, exported = sangkien(*export)
    good, proven = sangkien("audit", "proof", file, "--hub-key", exported["hub_key"], "--json")
    other, not_of = sangkien("audit", "proof", file, "--hub-key", key_of_nobody(), "--json")

    assert (good, proven["id"], proven["from"], proven["verdict"]) == (0, id, UNION, "forwarded")
    assert (other, not_of["error"]["code"]) == (1, "proof_broken")


async def test_registrars_of_two_nodes_link_a_person_after_a_reorganisation(federation: Federation) -> None:
    hub, union = federation.hub, federation.union
    old = cli(union, "organisation", "register", "Phường Tràng Tiền", "--kind", "PHUONG_XA")["organisation_id"]
    new = cli(hub, "organisation", "register", "Phường Hoàn Kiếm", "--kind", "PHUONG_XA")["organisation_id"]
    there, here = await registered(union, old), await registered(hub, new)
    known = cli(hub, "person", "find", "nguyễn thị hoa", "--unit", new)
    listing = ("organisation", "list", "--asserted-by", UNION)
    await eventually(lambda: [one["organisation_id"] for one in cli(hub, *listing)["organisations"]] == [old])
    went = ("--from", old, "--to", new, "--on", "2025-07-01", "--document", "1656/NQ-UBTVQH15")
    recorded, again = (cli(hub, "organisation", "reorganise", *went)["already"] for _ in range(2))
    proposed = cli(hub, "person", "propose", here, "--from", old)["link_id"]
    [waiting] = await eventually(lambda: cli(union, "person", "links", "--state", "proposed")["links"])
    confirmed = cli(union, "person", "confirm", proposed)
    [linked] = await eventually(lambda: cli(hub, "person", "links", "--state", "confirmed")["links"])
    entries = cli(hub, "person", "record", here)["entries"]
    revoked = cli(union, "person", "revoke", proposed, "--reason", "nhầm người")
    [ended] = await eventually(lambda: cli(hub, "person", "links", "--state", "revoked")["links"])

    assert ([one["person_id"] for one in known["people"]], known["more"]) == ([here], False)
    assert (recorded, again) == (False, True)
    assert (waiting["link_id"], [one["person_id"] for one in waiting["matches"]]) == (proposed, [there])
    assert (waiting["grounds"]["document"], waiting["grounds_known"]) == ("1656/NQ-UBTVQH15", False)
    assert (confirmed["state"], linked["person_id"], linked["their_person_id"]) == ("confirmed", here, there)
    assert (linked["receives"], entries) == (True, [])  # a union recognises nothing
    assert (revoked["state"], ended["link_id"]) == ("revoked", proposed)


def cli(folder: Path, *words: str) -> dict[str, Any]:
    status, said = sangkien(*words, "--json", "--data-dir", folder)
    assert status == 0, said
    return dict(said)


async def registered(folder: Path, organisation_id: str) -> str:
    person = pb.NewPerson(organisation_id=organisation_id, full_name="Nguyễn Thị Hoa", birth_date="1980-02-29")
    async with local_node(NodeFolder(folder)) as node:
        stub = DirectoryServiceStub(node.channel("directory", node.operator()))
        [result] = (await stub.RegisterPeople(pb.RegisterPeopleRequest(people=[person]))).results
    return str(result.person_id)


async def test_keys_are_rotated_while_the_node_runs(federation: Federation) -> None:
    status, rotated = await asyncio.to_thread(sangkien, "node", "rotate-keys", "--json", "--data-dir", federation.union)
    audited, _ = sangkien("audit", "verify", "--json", "--data-dir", federation.hub)
    own, _ = sangkien("audit", "verify", "--json", "--data-dir", federation.union)

    assert (status, audited, own) == (0, 0, 0), rotated
    assert [check["ok"] for check in rotated["checks"]] == [True] * len(CHECKS)


async def test_keys_are_renewed_by_themselves_before_the_certificate_ends(federation: Federation) -> None:
    member = MemberFolder(federation.union / "link")
    before, until = member.seal_key.public, member.certificate_until
    pid = NodeFolder(federation.union).running()
    upkeep = Upkeep(NodeFolder(federation.union), lambda _: os.kill(pid.pid, signal.SIGHUP) if pid else None)

    await upkeep.look(until - timedelta(days=31))
    kept = member.seal_key.public
    await upkeep.look(until - timedelta(days=29))
    await eventually(lambda: sangkien("node", "doctor", "--json", "--data-dir", federation.union)[0] == 0)

    assert (kept, member.seal_key.public != before) == (before, True)
    assert member.former_seal_keys[0].public == before


async def test_suspended_node_says_so_and_goes_on_when_reinstated(federation: Federation) -> None:
    def node_status() -> tuple[int, str]:
        status, said = sangkien("node", "status", "--json", "--data-dir", federation.union)
        return status, said["state"]

    stopped, _ = sangkien("node", "suspend", UNION, "--reason", "thử", "--json", "--data-dir", federation.hub)
    await eventually(node_status, value=(1, "suspended"))
    let, _ = sangkien("node", "reinstate", UNION, "--json", "--data-dir", federation.hub)
    await eventually(node_status, value=(0, "active"))

    assert (stopped, let) == (0, 0)


async def test_revoked_node_is_kept_out_until_it_is_invited_again(federation: Federation, tmp_path: Path) -> None:
    bundle, folder, again = tmp_path / "b.json", tmp_path / "node", tmp_path / "again.json"
    node = "ldld-dong-da"
    await asyncio.to_thread(invite, federation.hub, node, bundle)
    words = (*ALONE, "--json", "--data-dir", folder)
    joined, _ = await asyncio.to_thread(sangkien, "node", "join", bundle, *words)
    revoked, _ = sangkien("node", "revoke", node, "--reason", "lộ khóa", "--json", "--data-dir", federation.hub)
    refused, said = sangkien("node", "join", bundle, "--no-up", "--json", "--data-dir", tmp_path / "other")
    invite(federation.hub, node, again, "--again")
    back, new_life = await asyncio.to_thread(sangkien, "node", "join", again, *words)

    audited, _ = sangkien("audit", "verify", "--json", "--data-dir", federation.hub)

    assert (joined, revoked, audited) == (0, 0, 0)
    assert (refused, said["error"]["code"]) == (1, "join_secret_wrong")
    assert (back, new_life["ready"], new_life["epoch"]) == (0, True, 2)


async def test_node_that_leaves_is_gone_from_the_hubs_peers(federation: Federation, tmp_path: Path) -> None:
    bundle, folder, node = tmp_path / "b.json", tmp_path / "node", "ldld-ba-vi"
    await asyncio.to_thread(invite, federation.hub, node, bundle)
    joined, _ = await asyncio.to_thread(sangkien, "node", "join", bundle, *ALONE, "--json", "--data-dir", folder)
    left, said = await asyncio.to_thread(sangkien, "node", "leave", "--yes", "--json", "--data-dir", folder)

    assert (joined, left, said["node"]) == (0, 0, node)
    assert said["state"] in {"leaving", "left"}
    assert peers_of_hub(federation)[node]["state"] in {"leaving", "left"}


def first_message_of(hub: Path, node: str) -> str:
    with sqlite3.connect(f"file:{hub}/stores/hub.db?mode=ro", uri=True) as store:
        (found,) = store.execute(
            "select json_extract(body, '$.id') from entries where json_extract(body, '$.sender') = ? limit 1", (node,)
        ).fetchone()
    return str(found)


def altered(hub: Path, verdict: str, *, where: int) -> str:
    """Rewrite an entry's verdict in the hub's store, as somebody with access to the disk could; the row before."""
    with sqlite3.connect(f"{hub}/stores/hub.db", timeout=20) as store:
        key = f"{where:012}"
        (body,) = store.execute("select body from entries where id = ?", (key,)).fetchone()
        found = json.loads(body)
        found["raw"] = found["raw"].replace('"forwarded"', verdict)
        assert json.dumps(found) != json.dumps(json.loads(body))
        store.execute("update entries set body = ? where id = ?", (json.dumps(found, ensure_ascii=False), key))
    return str(body)


def put_back(hub: Path, body: str, *, where: int) -> None:
    with sqlite3.connect(f"{hub}/stores/hub.db", timeout=20) as store:
        store.execute("update entries set body = ? where id = ?", (body, f"{where:012}"))


def key_of_nobody() -> str:
    return SealKey.create().public
