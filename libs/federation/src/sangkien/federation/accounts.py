"""nkeys and the JWTs of nats-server's operator mode: who may log in to the hub's server, and what for.

The format is that of github.com/nats-io/jwt v2: header `ed25519-nkey`, claims under `nats`.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Self

import nkeys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sangkien.federation.errors import ClaimsRefused, RequestRefused
from sangkien.federation.names import Names

Kind = Literal["operator", "account", "user"]
_PREFIX: Final[Mapping[str, int]] = {
    "operator": nkeys.PREFIX_BYTE_OPERATOR,
    "account": nkeys.PREFIX_BYTE_ACCOUNT,
    "user": nkeys.PREFIX_BYTE_USER,
}
_HEADER: Final = {"typ": "JWT", "alg": "ed25519-nkey"}
_UNLIMITED: Final = -1
FOR_EVER: Final = 253_402_300_799
"""A revocation names the time up to which JWTs of a key are refused: the end of the year 9999."""

MiB: Final = 1 << 20
MOST_PAYLOAD: Final = MiB
FED_BYTES: Final = 64 * MiB
DOWN_BYTES: Final = 64 * MiB
ACCOUNT_DISK: Final = FED_BYTES + DOWN_BYTES + 16 * MiB
ACCOUNT_STREAMS: Final = 2
ACCOUNT_CONSUMERS: Final = 20
ACCOUNT_CLIENTS: Final = 8


class NKey:
    """An Ed25519 key pair in NATS' notation: seeds begin with S, public keys with O, A or U."""

    def __init__(self, seed: str) -> None:
        try:
            prefix, raw = nkeys.decode_seed(seed.encode())
            self._key = Ed25519PrivateKey.from_private_bytes(bytes(raw))
        except (nkeys.NkeysError, ValueError) as error:
            raise RequestRefused("key_unreadable", "this is no nkey seed") from error
        self.seed = seed
        self.public = _encode(prefix, self._key.public_key().public_bytes_raw())

    @classmethod
    def create(cls, kind: Kind) -> Self:
        return cls(nkeys.encode_seed(os.urandom(32), _PREFIX[kind]).decode())

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def checked_public(public: str, kind: Kind) -> str:
    """The key itself. Raises RequestRefused (key_unreadable) unless it is a public nkey of this kind."""
    _raw_public(public, kind)
    return public


def operator_jwt(operator: NKey, system_account: str, now: datetime) -> str:
    """The operator's word on itself."""
    return _mint(operator, operator.public, "sangkien", now, {"type": "operator", "system_account": system_account})


def system_account_jwt(operator: NKey, account: str, now: datetime) -> str:
    """The system account: no JetStream, no leaves."""
    return _mint(operator, account, "SYS", now, _account(leaf=0, clients=64, jetstream=False, revoked=()))


def node_account_jwt(
    operator: NKey, account: str, names: Names, now: datetime, *, leaves: int = 1, revoked: Sequence[str] = ()
) -> str:
    """A node's account: one leaf, two bounded streams, no exports or imports. `revoked` are public user keys."""
    claims = _account(leaf=leaves, clients=ACCOUNT_CLIENTS, jetstream=True, revoked=revoked)
    return _mint(operator, account, names.account, now, claims)


def leaf_user_jwt(account: NKey, user_public: str, names: Names, now: datetime) -> str:
    """The user of a node's leaf: leaf connections only, and the ADR's table of subjects."""
    claims = {
        "type": "user",
        "pub": {"allow": names.leaf_may_publish()},
        "sub": {"allow": names.leaf_may_subscribe()},
        "subs": _UNLIMITED,
        "data": _UNLIMITED,
        "payload": MOST_PAYLOAD,
        "allowed_connection_types": ["LEAFNODE"],
    }
    return _mint(account, checked_public(user_public, "user"), names.domain, now, claims)


def service_user_jwt(account: NKey, user_public: str, name: str, now: datetime) -> str:
    """A user of the hub itself in an account: everything there, client connections only."""
    claims = {
        "type": "user",
        "pub": {},
        "sub": {},
        "subs": _UNLIMITED,
        "data": _UNLIMITED,
        "payload": _UNLIMITED,
        "allowed_connection_types": ["STANDARD"],
    }
    return _mint(account, user_public, name, now, claims)


def credentials(jwt: str, user: NKey) -> str:
    """A credentials file's text (`nsc` format): secret."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified JWT says."""

    issuer: str
    subject: str
    kind: str
    nats: Mapping[str, Any]


def read_claims(jwt: str) -> Claims:
    """Read a JWT whose signature is that of the issuer it names. Raises ClaimsRefused (claims_unreadable, _signature).

    Who that issuer is, is for the caller to judge.
    """
    try:
        head, body, signature = jwt.strip().split(".")
        header, claims = json.loads(_unb64(head)), json.loads(_unb64(body))
        issuer, subject, nats = str(claims["iss"]), str(claims["sub"]), dict(claims["nats"])
        kind, alg, raw_signature = str(nats["type"]), header["alg"], _unb64(signature)
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise ClaimsRefused("claims_unreadable", "this is no NATS JWT") from error
    if alg != _HEADER["alg"]:
        raise ClaimsRefused("claims_signature", "another algorithm")
    by: Kind = "account" if kind == "user" else "operator"
    try:
        Ed25519PublicKey.from_public_bytes(_raw_public(issuer, by)).verify(raw_signature, f"{head}.{body}".encode())
    except (InvalidSignature, RequestRefused) as error:
        raise ClaimsRefused("claims_signature", "not signed by the issuer it names") from error
    return Claims(issuer, subject, kind, nats)


def checked_account(jwt: str, operator_public: str, account: str) -> Claims:
    """The claims of `account` issued by this operator. Raises ClaimsRefused (claims_issuer, claims_subject) otherwise.

    Asked before any push: the server answers "jwt updated" to a stranger's claims too, stores them, and refuses the
    account after its next start.
    """
    claims = read_claims(jwt)
    if claims.issuer != operator_public or claims.kind != "account":
        raise ClaimsRefused("claims_issuer", "these claims are not the operator's word on an account")
    if claims.subject != account:
        raise ClaimsRefused("claims_subject", "these claims are about another account")
    return claims


def _account(*, leaf: int, clients: int, jetstream: bool, revoked: Sequence[str]) -> dict[str, Any]:
    limits: dict[str, Any] = {
        "subs": 2_000,
        "data": _UNLIMITED,
        "payload": MOST_PAYLOAD,
        "imports": 0,
        "exports": 0,
        "wildcards": False,
        "conn": clients,
        "leaf": leaf,
        "disallow_bearer": True,
    }
    if jetstream:
        limits |= {
            "mem_storage": 0,
            "disk_storage": ACCOUNT_DISK,
            "streams": ACCOUNT_STREAMS,
            "consumer": ACCOUNT_CONSUMERS,
            "disk_max_stream_bytes": max(FED_BYTES, DOWN_BYTES),
            "max_bytes_required": True,
        }
    claims: dict[str, Any] = {"type": "account", "limits": limits, "default_permissions": {"pub": {}, "sub": {}}}
    if revoked:
        claims["revocations"] = dict.fromkeys(revoked, FOR_EVER)
    return claims


def _mint(issuer: NKey, subject: str, name: str, now: datetime, nats: Mapping[str, Any]) -> str:
    claims = {
        "iat": int(now.timestamp()),
        "iss": issuer.public,
        "name": name,
        "sub": subject,
        "nats": {**nats, "version": 2},
    }
    digest = hashlib.new("sha512_256", _json(claims)).digest()
    claims["jti"] = base64.b32encode(digest).rstrip(b"=").decode()
    signed = f"{_b64(_json(_HEADER))}.{_b64(_json(claims))}"
    return f"{signed}.{_b64(issuer.sign(signed.encode()))}"


def _encode(prefix: int, raw: bytes) -> str:
    body = bytes([prefix]) + raw
    return base64.b32encode(body + nkeys.crc16(bytearray(body)).to_bytes(2, "little")).rstrip(b"=").decode()


def _raw_public(public: str, kind: Kind) -> bytes:
    try:
        data = base64.b32decode(public + "=" * (-len(public) % 8))
    except (binascii.Error, ValueError) as error:
        raise RequestRefused("key_unreadable", f"this is no public {kind} key") from error
    raw = data[1:-2]
    if len(raw) != 32 or data[0] != _PREFIX[kind] or _encode(_PREFIX[kind], raw) != public:
        raise RequestRefused("key_unreadable", f"this is no public {kind} key")
    return raw


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
