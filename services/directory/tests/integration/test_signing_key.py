import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sangkien.directory.adapters.signing_key import SigningKeyUnusable, signing_key


def test_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing.json"
    made = signing_key(path)
    assert signing_key(path).as_dict(private=True) == made.as_dict(private=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["signing.json"]


def test_key_id_is_the_thumbprint(tmp_path: Path) -> None:
    key = signing_key(tmp_path / "signing.json")
    assert key.kid == key.thumbprint()


def test_keys_made_at_once_are_one(tmp_path: Path) -> None:
    path = tmp_path / "signing.json"
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: signing_key(path).kid, range(8)))
    assert len(ids) == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not json",
        "[]",
        json.dumps({"kty": "oct", "k": "c2VjcmV0"}),
        json.dumps({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
    ],
)
def test_file_without_a_private_key_is_never_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "signing.json"
    path.write_text(content)
    with pytest.raises(SigningKeyUnusable):
        signing_key(path)
    assert path.read_text() == content
