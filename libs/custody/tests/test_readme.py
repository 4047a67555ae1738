"""A recorded proof holds forever: here, and for a third party that has nothing but the page we give it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sangkien.custody import verify_proof

HERE = Path(__file__).parent
DATA = HERE / "data"
HUB = (DATA / "hub.key").read_text()
PROOF = (DATA / "proof.json").read_text()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (code,) = re.findall(
        r"```python\n(# check_proof\.py.*?)```", (HERE.parent / "README.md").read_text("utf-8"), re.DOTALL
    )
    file = tmp_path / "check_proof.py"
    file.write_text(code, "utf-8")
    return file


def run(script: Path, proof: str, body: bytes = (DATA / "body.json").read_bytes(), hub: str = HUB) -> tuple[int, str]:
    paths = script.with_name("proof.json"), script.with_name("body")
    paths[0].write_text(proof, "utf-8")
    paths[1].write_bytes(body)
    command = [sys.executable, "-I", str(script), str(paths[0]), hub, str(paths[1])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout or done.stderr.splitlines()[-1]


def test_recorded_proof_holds_in_every_later_version() -> None:
    proven = verify_proof(PROOF, HUB, (DATA / "body.json").read_bytes())
    assert (proven.seal.id, proven.entry.position, proven.stamp.batch) == ("01KAMQ8Z3V7S5Y2W4X6T9RBCD2", 2, 1)


def test_third_party_checks_the_recorded_proof_with_the_page_alone(script: Path) -> None:
    way = "dossier.filed.v1 01KAMQ8Z3V7S5Y2W4X6T9RBCD2 from union-dong-da to city"
    assert run(script, PROOF) == (0, f"{way}: forwarded, held by 2026-11-22T09:46:04.123456Z\n")


def test_third_party_finds_what_was_tampered_with(script: Path) -> None:
    proof = json.loads(PROOF)
    other_path = json.dumps(proof | {"path": proof["path"][::-1]})
    other_entry = json.dumps(proof | {"entry": proof["entry"].replace("forwarded", "refused:x")})
    other_seal = json.dumps(proof | {"seal": proof["seal"].replace(".", "A.", 1)})
    assert run(script, PROOF, body=b"other") == (1, "BROKEN: body")
    assert run(script, other_path) == (1, "BROKEN: path")
    assert run(script, other_entry) == (1, "BROKEN: path")
    assert run(script, other_seal) == (1, "BROKEN: seal")
    assert run(script, PROOF, hub="A" + HUB[1:-1] + "w")[0] == 1
