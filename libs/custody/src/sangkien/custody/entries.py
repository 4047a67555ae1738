"""Entries of the hub's custody log: exact bytes, each with the hash of the one before."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sangkien.custody.claims import (
    ID,
    NODE,
    TYPE,
    VERSION,
    WrongClaim,
    closed,
    count,
    digest,
    from_json,
    instant,
    text,
    time,
    to_json,
)
from sangkien.custody.errors import EntryBroken
from sangkien.custody.merkle import leaf_hash
from sangkien.custody.seals import Seal

FORWARDED: Final = "forwarded"
MOST_ENTRY_BYTES: Final = 2048
_NAMES: Final = frozenset("v position from to type id epoch n seal verdict at prev".split())
_VERDICT: Final = re.compile(r"forwarded|refused:[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as the hub took it. `position` counts from 1; `prev` is the `hash` of the one before or 64 zeros."""

    position: int
    sender: str
    receiver: str
    type: str
    id: str
    epoch: int
    n: int
    seal_sha256: str
    verdict: str
    at: datetime
    prev: str
    raw: bytes

    @property
    def leaf(self) -> bytes:
        """RFC 6962 leaf hash of `raw`, 32 bytes."""
        return leaf_hash(self.raw)

    @property
    def hash(self) -> str:
        """The same in hex: the `prev` of the next entry."""
        return self.leaf.hex()

    def is_of(self, seal: Seal) -> bool:
        """Say whether this is the entry of that seal."""
        said = (self.sender, self.receiver, self.type, self.id, self.epoch, self.n, self.seal_sha256)
        return said == (seal.sender, seal.receiver, seal.type, seal.id, seal.epoch, seal.n, seal.hash)


def make_entry(*, position: int, seal: Seal, verdict: str, at: datetime, prev: str) -> Entry:
    """The entry of a seal. `verdict` is `forwarded` or `refused:<code>`.

    Raises ValueError for what could not be read back.
    """
    claims = {
        "v": VERSION,
        "position": position,
        "from": seal.sender,
        "to": seal.receiver,
        "type": seal.type,
        "id": seal.id,
        "epoch": seal.epoch,
        "n": seal.n,
        "seal": seal.hash,
        "verdict": verdict,
        "at": instant(at),
        "prev": prev,
    }
    return _entry(claims, to_json(claims))


def read_entry(raw: bytes) -> Entry:
    """The entry of these exact bytes. Raises EntryBroken."""
    if len(raw) > MOST_ENTRY_BYTES:
        raise EntryBroken("too_large")
    try:
        return _entry(from_json(raw), raw)
    except WrongClaim as wrong:
        raise EntryBroken(wrong.code, wrong.claim) from None


def _entry(claims: Mapping[str, Any], raw: bytes) -> Entry:
    closed(claims, _NAMES)
    return Entry(
        position=count(claims, "position"),
        sender=text(claims, "from", NODE),
        receiver=text(claims, "to", NODE),
        type=text(claims, "type", TYPE),
        id=text(claims, "id", ID),
        epoch=count(claims, "epoch"),
        n=count(claims, "n"),
        seal_sha256=digest(claims, "seal"),
        verdict=text(claims, "verdict", _VERDICT),
        at=time(claims),
        prev=digest(claims, "prev"),
        raw=raw,
    )
