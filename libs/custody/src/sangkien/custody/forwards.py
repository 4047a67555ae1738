"""What the hub says with each message it sends down (ADR 0008)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sangkien.custody.claims import NODE, VERSION, WrongClaim, closed, count, digest, instant, text, time
from sangkien.custody.errors import SealBroken
from sangkien.custody.keys import Keys, SealKey, verify_jws

_NAMES: Final = frozenset("v to epoch n position seal at".split())


@dataclass(frozen=True, slots=True)
class Forward:
    """The `n`th message to `to` in its `epoch`, at this `position` of the log, of the seal with this hash."""

    to: str
    epoch: int
    n: int
    position: int
    seal_sha256: str
    at: datetime


def make_forward(
    hub_key: SealKey, *, to: str, epoch: int, n: int, position: int, seal_sha256: str, at: datetime
) -> str:
    """Sign it. Raises ValueError for what could not be read back."""
    claims = {
        "v": VERSION,
        "to": to,
        "epoch": epoch,
        "n": n,
        "position": position,
        "seal": seal_sha256,
        "at": instant(at),
    }
    _forward(claims)
    return hub_key.sign(claims)


def read_forward(jws: str, hub_public: Keys) -> Forward:
    """What the hub signed. Raises SealBroken."""
    try:
        return _forward(verify_jws(jws, hub_public))
    except WrongClaim as wrong:
        raise SealBroken(wrong.code, wrong.claim) from None


def _forward(claims: Mapping[str, Any]) -> Forward:
    closed(claims, _NAMES)
    return Forward(
        to=text(claims, "to", NODE),
        epoch=count(claims, "epoch"),
        n=count(claims, "n"),
        position=count(claims, "position"),
        seal_sha256=digest(claims, "seal"),
        at=time(claims),
    )
