"""The node's signing key, in a file of its own: a store is copied and backed up by people who need not have it."""

import json
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from sangkien.rpc import new_signing_key

_log = structlog.get_logger("sangkien.directory.signing_key")


class SigningKeyUnusable(Exception):
    """The file is there but holds no Ed25519 private key. Put back the right one, or remove it to begin anew."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} holds no Ed25519 private key as a JWK; put back the right file, or remove it")
        self.path = path


def signing_key(path: Path) -> OKPKey:
    """The key in the file (a JWK, RFC 8037), made at the first start and readable by its owner alone.

    Processes that start together agree on one. Raises SigningKeyUnusable, and OSError when the file cannot be had.
    """
    if not path.exists():
        _create(path)
    try:
        key = OKPKey.import_key(json.loads(path.read_text("utf-8")))
    except (JoseError, ValueError, TypeError, KeyError):
        raise SigningKeyUnusable(path) from None
    if not key.is_private or key.curve_name != "Ed25519":
        raise SigningKeyUnusable(path)
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        _log.warning("signing_key_readable_by_others", path=str(path))
    key.ensure_kid()
    return key


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # for its owner alone: mode 0600
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(new_signing_key().as_dict(private=True), file)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first: its key is the node's
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
