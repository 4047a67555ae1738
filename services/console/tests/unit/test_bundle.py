"""Reading what the hub's operator handed over."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sangkien.console.node.bundle import Bundle, read_bundle
from sangkien.console.node.joining import write_secret
from sangkien.console.node.stopping import Stop

UNTIL = datetime(2026, 11, 25, 9, tzinfo=UTC)
SAID = {
    "v": 1,
    "node": "ba-dinh",
    "name": "Quận Ba Đình",
    "profile": "district",
    "parent": "ha-noi",
    "join": "hub.example.vn:7443",
    "authority_pem": "-----BEGIN CERTIFICATE-----",
    "secret": "một-lần",
    "expires_at": UNTIL.isoformat(),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ba-dinh.bundle.json"


def test_bundle_is_read_back_as_it_was_written(file: Path) -> None:
    text = json.dumps(SAID, ensure_ascii=False)
    write_secret(file, text)

    assert (file.stat().st_mode & 0o777, [each.name for each in file.parent.iterdir()]) == (0o600, [file.name])
    assert read_bundle(file) == Bundle(
        text=text,
        node="ba-dinh",
        name="Quận Ba Đình",
        profile="district",
        join="hub.example.vn:7443",
        authority_pem="-----BEGIN CERTIFICATE-----",
        secret="một-lần",
        expires_at=UNTIL,
    )


def test_bundle_expires_at_the_moment_it_says(file: Path) -> None:
    write_secret(file, json.dumps(SAID))
    bundle = read_bundle(file)

    assert (bundle.expired(UNTIL - timedelta(seconds=1)), bundle.expired(UNTIL)) == (False, True)


def test_fingerprint_tells_two_invitations_of_one_node_apart_without_the_secret(file: Path) -> None:
    write_secret(file, json.dumps(SAID))
    first = read_bundle(file)
    write_secret(file, json.dumps(SAID | {"secret": "lần khác"}))

    assert first.fingerprint != read_bundle(file).fingerprint
    assert "một-lần" not in first.fingerprint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bundle_unreadable"),
        ("[]", "bundle_unreadable"),
        (json.dumps(SAID)[:-20], "bundle_unreadable"),
        (json.dumps({name: said for name, said in SAID.items() if name != "secret"}), "bundle_unreadable"),
        (json.dumps(SAID | {"expires_at": "mai"}), "bundle_unreadable"),
        (json.dumps(SAID | {"v": 2}), "bundle_newer"),
    ],
)
def test_what_is_no_bundle_is_refused_in_words(file: Path, text: str, code: str) -> None:
    file.write_text(text)

    with pytest.raises(Stop) as refused:
        read_bundle(file)
    assert refused.value.code == code


def test_bundle_that_is_not_there_is_refused_in_words(file: Path) -> None:
    with pytest.raises(Stop) as refused:
        read_bundle(file)
    assert refused.value.code == "bundle_not_found"
