"""A stamp: the hub's signature under a batch of its custody log (ADR 0008)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sangkien.custody.claims import VERSION, WrongClaim, closed, count, digest, instant, time
from sangkien.custody.errors import SealBroken
from sangkien.custody.keys import Keys, SealKey, read_unverified, verify_jws

_NAMES: Final = frozenset("v batch first last root at prev".split())


@dataclass(frozen=True, slots=True)
class Stamp:
    """Positions `first` to `last` and their Merkle root (32 bytes). `batch` counts from 1; `prev` as of a seal."""

    batch: int
    first: int
    last: int
    root: bytes
    at: datetime
    prev: str
    compact: str

    @property
    def hash(self) -> str:
        """SHA-256 of the compact form, hex: the `prev` of the next stamp, and what a time-stamp token is over."""
        return hashlib.sha256(self.compact.encode()).hexdigest()

    @property
    def size(self) -> int:
        """How many entries it covers."""
        return self.last - self.first + 1


def make_stamp(hub_key: SealKey, *, batch: int, first: int, last: int, root: bytes, at: datetime, prev: str) -> str:
    """Stamp the entries whose leaf hashes have this root. Raises ValueError for what could not be read back."""
    claims = {
        "v": VERSION,
        "batch": batch,
        "first": first,
        "last": last,
        "root": root.hex(),
        "at": instant(at),
        "prev": prev,
    }
    _stamp(claims, "")
    return hub_key.sign(claims)


def read_stamp(compact: str, hub_public: Keys) -> Stamp:
    """The stamp that the hub signed. Raises SealBroken."""
    try:
        return _stamp(verify_jws(compact, hub_public), compact)
    except WrongClaim as wrong:
        raise SealBroken(wrong.code, wrong.claim) from None


def stamp_in(compact: str) -> Stamp:
    """What a stamp says, whoever signed it. Raises SealBroken."""
    try:
        return _stamp(read_unverified(compact), compact)
    except WrongClaim as wrong:
        raise SealBroken(wrong.code, wrong.claim) from None


def _stamp(claims: Mapping[str, Any], compact: str) -> Stamp:
    closed(claims, _NAMES)
    first = count(claims, "first")
    return Stamp(
        batch=count(claims, "batch"),
        first=first,
        last=count(claims, "last", least=first),
        root=bytes.fromhex(digest(claims, "root")),
        at=time(claims),
        prev=digest(claims, "prev"),
        compact=compact,
    )
