"""What is on the wire stays readable: one recorded body per event and release.

`golden/<release>/<event type>.json` is the body of one example, byte for byte. The folder of the release in preparation
(the version in pyproject.toml) changes with the events; once released, a folder is never touched again and every later
version must read it without losing a field. A new event needs its file: `event.to_bytes()` and a line feed.
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from sangkien.contracts.events import decode, event_types

GOLDEN = Path(__file__).parent / "golden"
CURRENT = GOLDEN / version("sangkien-contracts")


def recorded_bodies() -> list[Path]:
    return sorted(GOLDEN.glob("*/*.json"))


def lost_fields(old: Any, new: Any, place: str = "body") -> list[str]:
    """Where `new` lacks or changes something that `old` says; gained fields are no loss."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            loss
            for key, value in old.items()
            for loss in (lost_fields(value, new[key], f"{place}.{key}") if key in new else [f"{place}.{key}"])
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            loss
            for position, (was, now) in enumerate(zip(old, new, strict=True))
            for loss in lost_fields(was, now, f"{place}[{position}]")
        ]
    return [] if old == new else [place]


def test_every_event_has_a_recorded_body_in_this_release() -> None:
    assert sorted(path.stem for path in CURRENT.glob("*.json")) == sorted(event_types())


@pytest.mark.parametrize("event_type", sorted(event_types()))
def test_recorded_body_comes_back_byte_for_byte(event_type: str) -> None:
    body = (CURRENT / f"{event_type}.json").read_bytes().removesuffix(b"\n")
    assert decode(event_type, body).to_bytes() == body


@pytest.mark.parametrize("path", recorded_bodies(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_body_of_any_release_keeps_every_field(path: Path) -> None:
    body = path.read_bytes()
    assert lost_fields(json.loads(body), json.loads(decode(path.stem, body).to_bytes())) == []


def test_losses_are_named_and_gains_are_none() -> None:
    old = {"id": "1", "authors": [{"person": "a", "share": 7}], "due": "2023-05-03"}
    new = {"id": "1", "authors": [{"person": "a", "part": 7}], "due": "2023-05-04", "tier": "city"}
    assert lost_fields(old, new) == ["body.authors[0].share", "body.due"]
