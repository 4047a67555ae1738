"""A node of another maker files to a district's node and is answered: the wire contract is enough to write one."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.directory.v1 import directory_pb2 as pb
from sangkien.api.review.v1 import review_pb2 as rev
from sangkien.api.review.v1.review_pb2_grpc import ReviewServiceStub
from sangkien.console.demo.actors import STOOD_SINCE, Actor, Registrar
from sangkien.console.demo.cast import PersonDraft
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import LocalNode, local_node
from sangkien.testkit import eventually
from sangkien.testkit.command import COMMAND, sangkien
from sangkien.testkit.holdings import sqlite_documents
from sangkien.testkit.nats_server import find_nats_server

HUB, DISTRICT, VENDOR = "ha-noi", "ba-dinh", "truong-thang-long"
UNIT = "Trường Tiểu học Thăng Long"
SOURCE = Path(__file__).with_name("vendor_node.py")
PROTO = Path(__file__).parents[2] / "proto"
STOP_S, START_S = 60, 90


@contextmanager
def running(folder: Path, *words: str | Path) -> Iterator[None]:
    """A node by the real command, until the end of the block; yields at once."""
    said = folder.with_suffix(".out")
    with said.open("wb") as out:
        process = subprocess.Popen([*COMMAND, *map(str, words), "--data-dir", str(folder)], stdout=out, stderr=out)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_S)


async def ready(folder: Path) -> None:
    def stays() -> bool:
        found = NodeFolder(folder).running()
        return found is not None and "exchange" in found.targets

    await eventually(stays, timeout=START_S, what=f"{folder.name} to run")


async def invited(hub: Path, node: str, profile: str, parent: str) -> Path:
    out = hub.with_name(f"{node}.bundle.json")
    words = ("--org", node, "--name", node, "--profile", profile, "--parent", parent, "--out", out, "--json")
    status, said = await asyncio.to_thread(sangkien, "node", "invite", *words, "--data-dir", hub)
    assert status == 0, said
    return out


@pytest.fixture(scope="module")
async def district(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A district's node that joined the hub beside it, both running."""
    root = tmp_path_factory.mktemp("vendor")
    hub, district = root / "hub", root / "district"
    begin = ("up", "--profile", "city", "--node", HUB, "--name", "Thành phố Hà Nội", "--one-process")
    with running(hub, *begin):
        await ready(hub)
        bundle = await invited(hub, DISTRICT, "district", HUB)
        with running(district, "node", "join", bundle):
            await ready(district)
            yield district


async def open_round(folder: Path) -> str:
    """A council of the district, and a round for which it takes dossiers; the round's id."""
    async with local_node(NodeFolder(folder)) as node:
        registrar = Registrar(node)
        council = pb.NewOrganisation(kind="QUAN", name="Quận Ba Đình", valid_from=STOOD_SINCE)
        [owner] = await registrar.units([council])
        school = pb.NewOrganisation(kind="TRUONG", name=UNIT, parent_id=owner, valid_from=STOOD_SINCE)
        await registrar.units([school])
        return await _round(node, registrar, owner)


async def _round(node: LocalNode, registrar: Registrar, owner: str) -> str:
    async def person(number: int, role: str) -> Actor:
        draft = PersonDraft(f"Nguyễn Văn {chr(65 + number)}", date(1970, 1, 1 + number), "", f"p{number}@quan.example")
        return await registrar.actor(draft, owner, [role])

    secretary = await person(0, "secretary")
    members = [await person(number, "council_member") for number in range(1, 6)]
    roles = (rev.MEMBER_ROLE_CHAIR, rev.MEMBER_ROLE_VICE_CHAIR, rev.MEMBER_ROLE_SECRETARY, rev.MEMBER_ROLE_UNION)
    listed = zip(members, (*roles, rev.MEMBER_ROLE_EXPERT), strict=True)
    review = ReviewServiceStub(node.channel("review", secretary.token))
    made = await review.CreateCouncil(
        rev.CreateCouncilRequest(
            idempotency_key="vendor:council",
            name="Hội đồng sáng kiến quận",
            tier="district",
            owner_id=owner,
            established_by="12/QĐ-UBND",
            established_on="2023-01-10",
            members=[rev.Member(person_id=member.person_id, role=role) for member, role in listed],
            sheet="vn/ha-noi",
        )
    )
    opened = await review.OpenRound(
        rev.OpenRoundRequest(
            idempotency_key="vendor:round:1",
            council_id=made.council_id,
            name="Đợt 1",
            opens_on="2023-02-01",
            closes_on="2023-06-30",
        )
    )
    return str(opened.round_id)


def dossier(round_id: str) -> dict[str, Any]:
    return {
        "dossier_id": "TL-2023-0007",
        "version": 1,
        "code": "TL-7",
        "round_id": round_id,
        "tier": "district",
        "title": "Góc đọc sách ngoài trời từ vật liệu tái chế",
        "field": "Giáo dục và đào tạo",
        "unit_name": UNIT,
        "authors": [{"ref": "gv-12", "full_name": "Trần Thị Bưởi", "unit_name": UNIT, "share": 10_000}],
        "filed_on": "2023-05-10",
        "first_applied_on": "2023-02-01",
        "summary": "Học sinh đọc nhiều hơn.",
    }


def vendor_files(folder: Path, bundle: Path, body: dict[str, Any]) -> dict[str, Any]:
    folder.mkdir()
    (folder / "body.json").write_text(json.dumps(body), encoding="utf-8")
    words = (SOURCE, bundle, folder, find_nats_server(), DISTRICT, folder / "body.json")
    environment = os.environ | {"PYTHONPATH": str(PROTO)}
    done = subprocess.run(
        [sys.executable, *map(str, words)], env=environment, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-3_000:]
    return dict(json.loads(done.stdout))


async def test_vendors_node_joins_files_and_is_answered(district: Path, tmp_path: Path) -> None:
    round_id = await open_round(district)
    bundle = await invited(district.with_name("hub"), VENDOR, "enterprise", DISTRICT)

    told = await asyncio.to_thread(vendor_files, tmp_path / "vendor", bundle, dossier(round_id))

    assert (told["node"], told["epoch"], told["echoed"], told["refused"]) == (VENDOR, 1, True, [])
    [answer] = told["answers"]
    here = [each for each in sqlite_documents(district)("intake", "dossiers") if each["round_id"] == round_id]
    assert [each["code"] for each in here] == [answer["body"]["code"]]
    assert (answer["from"], answer["type"]) == (DISTRICT, "dossier.answered.v1")
    said = answer["body"]
    assert (said["dossier_id"], said["answer"], said["remote_id"]) == ("TL-2023-0007", "received", here[0]["_id"])
    peers = await asyncio.to_thread(sangkien, "exchange", "peers", "--json", "--data-dir", district.with_name("hub"))
    [peer] = [each for each in peers[1]["hub"]["peers"] if each["node"] == VENDOR]
    assert (peer["state"], peer["version"], peer["refused"], peer["discarded"]) == ("active", "vendor-1", 0, 0)


def test_vendors_node_is_small_and_has_nothing_of_ours() -> None:
    text = SOURCE.read_text(encoding="utf-8")

    assert len(text.splitlines()) < 150
    assert re.findall(r"^\s*(?:from|import) sangkien", text, re.MULTILINE) == []
    assert "importlib" not in text
