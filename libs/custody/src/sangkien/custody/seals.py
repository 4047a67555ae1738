"""A seal: what its sender says of one message, and of the message before it (ADR 0008)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sangkien.custody.claims import (
    ID,
    KEY,
    NODE,
    TRACE,
    TYPE,
    VERSION,
    WrongClaim,
    closed,
    count,
    digest,
    instant,
    text,
    time,
)
from sangkien.custody.errors import SealBroken
from sangkien.custody.keys import Keys, SealKey, read_unverified, verify_jws

_NAMES: Final = frozenset("v id from to type key epoch n prev at sha256 size trace".split())


@dataclass(frozen=True, slots=True)
class Seal:
    """One message of a sender. `n` counts from 1 within `epoch`; `sha256` and `size` are of the body as sent."""

    id: str
    sender: str
    receiver: str
    type: str
    key: str
    epoch: int
    n: int
    prev: str
    at: datetime
    sha256: str
    size: int
    trace: str
    compact: str

    @property
    def hash(self) -> str:
        """SHA-256 of the compact form, hex: the `prev` of the next seal."""
        return hashlib.sha256(self.compact.encode()).hexdigest()


def make_seal(  # noqa: PLR0913 (a seal is what these say)
    key: SealKey,
    *,
    id: str,
    sender: str,
    receiver: str,
    type: str,  # noqa: A002 (as in the seal)
    business_key: str,
    epoch: int,
    n: int,
    prev: str,
    at: datetime,
    body: bytes,
    trace: str = "",
) -> Seal:
    """Seal a body. Raises ValueError when a value could not be read back."""
    claims = {
        "v": VERSION,
        "id": id,
        "from": sender,
        "to": receiver,
        "type": type,
        "key": business_key,
        "epoch": epoch,
        "n": n,
        "prev": prev,
        "at": instant(at),
        "sha256": hashlib.sha256(body).hexdigest(),
        "size": len(body),
        "trace": trace,
    }
    return _seal(claims, key.sign(claims))


def read_seal(compact: str, keys: Keys) -> Seal:
    """The seal that one of these keys signed. Whose keys those are is the caller's to know. Raises SealBroken."""
    try:
        return _seal(verify_jws(compact, keys), compact)
    except WrongClaim as wrong:
        raise SealBroken(wrong.code, wrong.claim) from None


def seal_in(compact: str) -> Seal:
    """What a seal says, whoever signed it: for one whose hash somebody else vouches for. Raises SealBroken."""
    try:
        return _seal(read_unverified(compact), compact)
    except WrongClaim as wrong:
        raise SealBroken(wrong.code, wrong.claim) from None


def check_body(seal: Seal, body: bytes) -> None:
    """See that this is the body that was sealed. Raises SealBroken `body`."""
    if len(body) != seal.size or hashlib.sha256(body).hexdigest() != seal.sha256:
        raise SealBroken("body")


def _seal(claims: Mapping[str, Any], compact: str) -> Seal:
    closed(claims, _NAMES)
    return Seal(
        id=text(claims, "id", ID),
        sender=text(claims, "from", NODE),
        receiver=text(claims, "to", NODE),
        type=text(claims, "type", TYPE),
        key=text(claims, "key", KEY),
        epoch=count(claims, "epoch"),
        n=count(claims, "n"),
        prev=digest(claims, "prev"),
        at=time(claims),
        sha256=digest(claims, "sha256"),
        size=count(claims, "size", least=0),
        trace=text(claims, "trace", TRACE),
        compact=compact,
    )
