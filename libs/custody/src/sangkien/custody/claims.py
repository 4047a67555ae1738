"""Reading what others say without believing it: JSON without surprises, closed sets of members, exact types.

Closed, because the set of members is what tells a seal from a stamp, a forward or a receipt signed by the same key:
none can be read as another, and a new member is a new version.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

VERSION: Final = 1
NOTHING_BEFORE: Final = "0" * 64
"""The hash that stands where nothing goes before."""
_MOST_COUNT: Final = 2**53 - 1

NODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
TYPE: Final = re.compile(r"(?=.{1,100}$)[a-z0-9_-]+(\.[a-z0-9_-]+)*")
ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
KEY: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,400}")
TRACE: Final = re.compile(r"[ -~]{0,256}")
CODE: Final = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class WrongClaim(ValueError):
    """A member that cannot stand. Makers let it through (ValueError); readers turn it into their own typed error."""

    def __init__(self, code: str, claim: str = "") -> None:
        super().__init__(f"{code} {claim}".rstrip())
        self.code = code
        self.claim = claim


def to_json(claims: Mapping[str, object]) -> bytes:
    """Members in the given order, no spaces, UTF-8. Signed and hashed as it is: nobody has to produce it again."""
    return json.dumps(claims, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def from_json(raw: bytes) -> dict[str, Any]:
    """One JSON object in UTF-8, without duplicate members, fractions or NaN. Raises WrongClaim `malformed`."""
    try:
        found = _decode(raw.decode())
    except (ValueError, RecursionError):
        raise WrongClaim("malformed") from None
    if not isinstance(found, dict):
        raise WrongClaim("malformed")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member twice")
    return found


def _never(_: str) -> NoReturn:
    raise ValueError("not a whole number")


_decode = json.JSONDecoder(object_pairs_hook=_once, parse_float=_never, parse_constant=_never).decode


def closed(claims: Mapping[str, object], names: frozenset[str]) -> None:
    """See that the version is known and the members are these and no others. Raises WrongClaim."""
    version = claims.get("v")
    if type(version) is not int or version != VERSION:
        raise WrongClaim("version", "v")
    if claims.keys() != names:
        raise WrongClaim("claims", min((claims.keys() ^ names) & names, default=""))


def text(claims: Mapping[str, object], name: str, form: re.Pattern[str]) -> str:
    value = claims[name]
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise WrongClaim("claims", name)
    return value


def digest(claims: Mapping[str, object], name: str) -> str:
    """A SHA-256 in lower-case hex."""
    return text(claims, name, _DIGEST)


def count(claims: Mapping[str, object], name: str, least: int = 1) -> int:
    value = claims[name]
    if type(value) is not int or not least <= value <= _MOST_COUNT:
        raise WrongClaim("claims", name)
    return value


def time(claims: Mapping[str, object], name: str = "at") -> datetime:
    """An instant as `instant` writes it, and in no other of the forms ISO 8601 knows."""
    value = claims[name]
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        read = None
    if read is None or instant(read) != value:
        raise WrongClaim("claims", name)
    return read


def instant(at: datetime) -> str:
    """RFC 3339 in UTC to the microsecond: `2026-11-22T09:45:04.123456Z`. Raises WrongClaim for a time without zone."""
    if at.tzinfo is None:
        raise WrongClaim("claims", "at")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
