"""Decision records are complete and can be found (ADR 0001)."""

import re
from pathlib import Path

PARTS = ["## Context", "## Decision", "## Consequences", "## References"]


def records(root: Path) -> list[Path]:
    return sorted((root / "docs" / "adr").glob("[0-9][0-9][0-9][0-9]-*.md"))


def test_records_have_every_part(root: Path) -> None:
    incomplete = {
        path.name: missing
        for path in records(root)
        if (missing := [part for part in ["Status: ", "Date: ", *PARTS] if part not in path.read_text("utf-8")])
    }
    assert incomplete == {}


def test_records_are_numbered_and_listed_once(root: Path) -> None:
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\)", (root / "docs/adr/README.md").read_text("utf-8"), re.MULTILINE)
    assert listed == [(path.name[:4], path.name) for path in records(root)]
    assert [number for number, _ in listed] == [f"{position:04}" for position in range(1, len(listed) + 1)]
