"""Short-lived Ed25519 tokens: how directory mints them and every service verifies them by itself (DESIGN §9).

JSON Web Tokens (RFC 7519) with `alg` Ed25519 (RFC 9864; its older name EdDSA is read too). Issuer and audience are the
node, so another node's token is refused even where its key is known.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog
from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet, KeySetSerialization, OKPKey
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from sangkien.rpc.principal import Principal
from sangkien.rpc.refusals import TokenExpired, TokenInvalid, Unavailable

_ALGORITHM = "Ed25519"
_LEEWAY_S = 30

_log = structlog.get_logger("sangkien.rpc.tokens")


class _Signatures(JWSRegistry):
    """Ed25519 and nothing else, under either of its names: `none` and every keyed hash are unknown here."""

    def __init__(self) -> None:
        super().__init__(algorithms=[_ALGORITHM])

    def get_alg(self, name: str) -> Any:
        return super().get_alg(_ALGORITHM if name == "EdDSA" else name)


def new_signing_key() -> OKPKey:
    """A fresh private key; its `kid` is its RFC 7638 thumbprint."""
    return OKPKey.generate_key("Ed25519", {"use": "sig"}, private=True, auto_kid=True)


def public_keys(keys: Iterable[OKPKey]) -> KeySetSerialization:
    """The public halves as a JWK set (RFC 7517), for whoever verifies. Never contains a private half."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


class TokenMinter:
    """Signs tokens of one node."""

    def __init__(self, issuer: str, key: OKPKey, *, now: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._key = key
        self._now = now

    def mint(self, subject: str, roles: Iterable[str], organisation: str, ttl: float) -> str:
        """A token for `ttl` seconds from now. `subject` is a person's id or `service_subject(name)`."""
        now = int(self._now())
        claims = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": subject,
            "roles": sorted(roles),
            "org": organisation,
            "iat": now,
            "nbf": now,
            "exp": now + int(ttl),
        }
        header = {"alg": _ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, registry=_Signatures())


class TokenVerifier:
    """Turns tokens into principals, with the node's public keys.

    A verified token is remembered until it expires. An unknown key id causes one fetch of the keys, at most every
    `refetch_after` seconds; keys older than `keys_max_age` seconds are fetched again, so a withdrawn key dies. While
    the keys cannot be had, what needs them is `Unavailable`: not knowing is no proof of a bad token.
    """

    def __init__(
        self,
        issuer: str,
        fetch_keys: Callable[[], Awaitable[KeySet]],
        *,
        refetch_after: float = 10.0,
        keys_max_age: float = 600.0,
        remembered: int = 10_000,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._fetch_keys = fetch_keys
        self._refetch_after = refetch_after
        self._keys_max_age = keys_max_age
        self._remembered = remembered
        self._now = now
        self._registry = _Signatures()
        self._claims = JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": issuer},
            sub={"essential": True},
            exp={"essential": True},
            nbf={"essential": True},
        )
        self._keys: dict[str, OKPKey] = {}
        self._fetched_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._known: dict[str, tuple[Principal, float]] = {}

    def remembered(self, token: str) -> Principal | None:
        """The principal of a token verified before and not expired yet, without any work."""
        known = self._known.get(token)
        return known[0] if known is not None and self._now() < known[1] else None

    async def verify(self, token: str) -> Principal:
        """The principal of a token. Raises `TokenInvalid`, `TokenExpired` or `Unavailable` (the keys cannot be had)."""
        caller = self.remembered(token)
        if caller is not None:
            return caller
        key = await self._key(_key_id(token))
        try:
            claims = jwt.decode(token, key, registry=self._registry).claims
            self._claims.validate(claims)
        except ExpiredTokenError:
            self._known.pop(token, None)
            raise TokenExpired from None
        except (JoseError, ValueError) as error:
            raise TokenInvalid(reason=type(error).__name__) from None
        caller = _principal(claims, self._issuer)
        while len(self._known) >= self._remembered:
            del self._known[next(iter(self._known))]
        self._known[token] = (caller, claims["exp"] + _LEEWAY_S)
        return caller

    async def _key(self, key_id: str) -> OKPKey:
        if key_id not in self._keys or self._now() - self._fetched_at > self._keys_max_age:
            async with self._fetching:
                await self._fetch_for(key_id)
        key = self._keys.get(key_id)
        if key is None:
            raise TokenInvalid(reason="UnknownKey")
        return key

    async def _fetch_for(self, key_id: str) -> None:
        age = self._now() - self._fetched_at
        if age < self._refetch_after or (key_id in self._keys and age <= self._keys_max_age):
            return
        try:
            async with asyncio.timeout(5.0):
                fetched = await self._fetch_keys()
        except Exception as error:
            _log.warning("keys_not_fetched", error_type=type(error).__name__)
            if key_id in self._keys:
                return  # a key that was good goes on being so while directory is away
            raise Unavailable("directory") from error
        keys = {str(key.kid): key for key in fetched.keys if isinstance(key, OKPKey) and key.kid}
        if not self._keys.keys() <= keys.keys():
            self._known.clear()  # a key was withdrawn: nobody stays in on the strength of it
        self._keys, self._fetched_at = keys, self._now()


def _key_id(token: str) -> str:
    try:
        kid = jws.extract_compact(token.encode()).headers().get("kid")
    except (JoseError, ValueError) as error:
        raise TokenInvalid(reason=type(error).__name__) from None
    if not isinstance(kid, str):
        raise TokenInvalid(reason="NoKeyId")
    return kid


def _principal(claims: dict[str, Any], node: str) -> Principal:
    roles, organisation = claims.get("roles"), claims.get("org")
    if not isinstance(roles, list) or not isinstance(organisation, str) or not claims["sub"]:
        raise TokenInvalid(reason="Claims")
    return Principal(str(claims["sub"]), frozenset(map(str, roles)), organisation, node)
