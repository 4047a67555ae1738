"""Keys and the one form of signature used between nodes: compact JWS (RFC 7515) with Ed25519 (RFC 8037)."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sangkien.custody.claims import VERSION, WrongClaim, from_json, to_json
from sangkien.custody.errors import SealBroken

ALGORITHM: Final = "EdDSA"
MOST_BYTES: Final = 4096
"""Of a compact JWS, receipts apart."""
_MOST_HEADER: Final = 128
"""Characters. Headers are remembered, so that nobody may fill the memory with them."""
_WEAK: Final = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""Points of small order (RFC 8032 §5.1.3 decodes them), sign bit off. One signature then fits many messages, so that
who registers one could deny all it signed."""
Keys = str | Sequence[str]
"""One public key, or those a signer has or had: any of them may have signed."""


class SealKey:
    """A private Ed25519 key. Its text never shows the seed."""

    __slots__ = ("_header", "_private", "kid", "public")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        raw = private.public_key().public_bytes_raw()
        self.public = to_base64url(raw)
        self.kid = _kid(raw)
        self._header = to_base64url(to_json({"alg": ALGORITHM, "kid": self.kid}))

    @classmethod
    def create(cls) -> "SealKey":
        """A fresh one."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, seed32: bytes) -> "SealKey":
        """The key of a seed. Raises ValueError unless it has 32 bytes."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed32))

    @property
    def seed(self) -> bytes:
        """The secret itself, 32 bytes."""
        return self._private.private_bytes_raw()

    def sign(self, claims: Mapping[str, object], *, most: int = MOST_BYTES) -> str:
        """A compact JWS over these claims, in their order. Raises ValueError when it is larger than `most` bytes."""
        signed = f"{self._header}.{to_base64url(to_json(claims))}"
        jws = f"{signed}.{to_base64url(self._private.sign(signed.encode()))}"
        if len(jws) > most:
            raise WrongClaim("too_large")
        return jws

    def __repr__(self) -> str:
        return f"SealKey(kid={self.kid!r})"


def verify_jws(jws: str, keys: Keys, *, most: int = MOST_BYTES) -> dict[str, Any]:
    """The claims of a JWS that one of these keys signed.

    Read is what was signed, byte for byte. Raises SealBroken: `too_large`, `malformed` (parts, base64url, JSON),
    `algorithm`, `unknown_key`, `signature`, `version`; ValueError when a key of `keys` is none.
    """
    header, payload, signature = _parts(jws, most)
    key = _key_named(_kid_in(header), (keys,) if isinstance(keys, str) else keys)
    try:
        key.verify(from_base64url(signature), jws[: -len(signature) - 1].encode())
    except InvalidSignature:
        raise SealBroken("signature") from None
    return _claims_in(payload)


def read_unverified(jws: str, *, most: int = MOST_BYTES) -> dict[str, Any]:
    """The claims as they stand, whoever signed: to look up whose key is needed, never to act on. Raises SealBroken."""
    header, payload, _ = _parts(jws, most)
    _kid_in(header)
    return _claims_in(payload)


def key_id(public: str) -> str:
    """The `kid` of a public key: the first 16 hex digits of the SHA-256 of its 32 bytes.

    Raises ValueError for what is no key, or one that anybody can sign for: a registry asks before it keeps one.
    """
    return _public(public)[0]


def to_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes of a text in the one form that encodes them (RFC 4648 §3.5). Raises SealBroken `malformed`."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise SealBroken("malformed") from None
    if to_base64url(raw) != text:
        raise SealBroken("malformed")
    return raw


def _parts(jws: str, most: int) -> list[str]:
    if len(jws) > most:
        raise SealBroken("too_large")
    parts = jws.split(".")
    if len(parts) != 3 or not jws.isascii() or len(parts[0]) > _MOST_HEADER:
        raise SealBroken("malformed")
    return parts


def _claims_in(payload: str) -> dict[str, Any]:
    try:
        claims = from_json(from_base64url(payload))
    except WrongClaim as wrong:
        raise SealBroken(wrong.code) from None
    version = claims.get("v")
    if type(version) is not int or version != VERSION:
        raise SealBroken("version", "v")
    return claims


@lru_cache(maxsize=1024)
def _kid_in(header: str) -> str:
    """The kid of a header that says no more than it must: neither `crit` nor keys or addresses to fetch keys from."""
    try:
        members = from_json(from_base64url(header))
    except WrongClaim as wrong:
        raise SealBroken(wrong.code) from None
    if members.get("alg") != ALGORITHM:
        raise SealBroken("algorithm", "alg")
    kid = members.get("kid")
    if members.keys() != {"alg", "kid"} or not isinstance(kid, str):
        raise SealBroken("malformed")
    return kid


def _key_named(kid: str, keys: Sequence[str]) -> Ed25519PublicKey:
    for text in keys:
        named, key = _public(text)
        if named == kid:
            return key
    raise SealBroken("unknown_key", "kid")


@lru_cache(maxsize=4096)
def _public(text: str) -> tuple[str, Ed25519PublicKey]:
    try:
        raw = from_base64url(text)
    except SealBroken:
        raise ValueError("a public key is 32 bytes in base64url without padding") from None
    key = Ed25519PublicKey.from_public_bytes(raw)
    if raw[:-1] + bytes((raw[-1] & 0x7F,)) in _WEAK:
        raise ValueError("anybody can sign for this public key")
    return _kid(raw), key


def _kid(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]
