import asyncio
import base64
import json
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet, OctKey, OKPKey

from sangkien.rpc import (
    Principal,
    RemoteRefusal,
    RenewedToken,
    TokenMinter,
    TokenVerifier,
    Unavailable,
    new_signing_key,
    public_keys,
    service_subject,
)
from sangkien.rpc.refusals import PersonRequired, TokenExpired, TokenInvalid

PERSON = "ba-dinh:01ARZ3NDEKTSV4RRFFQ69G5FAV"
NOON = 1_700_000_000.0


class Directory:
    """Holds the node's keys, and counts how often it is asked for them."""

    def __init__(self, *keys: OKPKey) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.reachable = True

    async def __call__(self) -> KeySet:
        self.asked += 1
        await asyncio.sleep(0)
        if not self.reachable:
            raise ConnectionError
        return KeySet.import_key_set(public_keys(self.keys))


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key() -> OKPKey:
    return new_signing_key()


@pytest.fixture
def directory(key: OKPKey) -> Directory:
    return Directory(key)


@pytest.fixture
def minter(key: OKPKey, clock: Clock) -> TokenMinter:
    return TokenMinter("ba-dinh", key, now=clock)


@pytest.fixture
def verifier(directory: Directory, clock: Clock) -> TokenVerifier:
    return TokenVerifier("ba-dinh", directory, now=clock, remembered=3)


def forged(key: Any, algorithm: str, kid: str | None, **changes: Any) -> str:
    claims = {"iss": "ba-dinh", "aud": "ba-dinh", "sub": PERSON, "roles": ["clerk"], "org": "", "nbf": NOON}
    claims |= {"exp": NOON + 60, **changes}
    header = {"alg": algorithm, **({"kid": kid} if kid else {})}
    registry = jws.JWSRegistry(algorithms=[algorithm])
    return jwt.encode(header, {name: value for name, value in claims.items() if value is not None}, key, None, registry)


async def test_token_says_who_acts_for_whom(minter: TokenMinter, verifier: TokenVerifier) -> None:
    person = await verifier.verify(minter.mint(PERSON, ["clerk", "author"], "ba-dinh:UNIT", 60))
    assert person == Principal(PERSON, frozenset({"author", "clerk"}), "ba-dinh:UNIT", "ba-dinh")
    assert (person.is_service, person.person_id) == (False, PERSON)
    service = await verifier.verify(minter.mint(service_subject("intake"), ["service"], "", 60))
    assert (service.is_service, service.subject) == (True, "service/intake")
    with pytest.raises(PersonRequired):
        _ = service.person_id


async def test_token_of_another_node_is_refused_though_its_key_is_known(
    verifier: TokenVerifier, directory: Directory, clock: Clock
) -> None:
    other = new_signing_key()
    directory.keys.append(other)
    with pytest.raises(TokenInvalid):
        await verifier.verify(TokenMinter("hoan-kiem", other, now=clock).mint(PERSON, ["clerk"], "", 60))
    with pytest.raises(TokenInvalid):
        await verifier.verify(forged(other, "Ed25519", other.kid, aud="hoan-kiem"))
    with pytest.raises(TokenInvalid):
        await verifier.verify(forged(other, "Ed25519", other.kid, iss="hoan-kiem"))
    assert (await verifier.verify(forged(other, "Ed25519", other.kid))).subject == PERSON


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp", "nbf", "roles", "org"])
async def test_token_without_one_of_its_claims_is_refused(key: OKPKey, verifier: TokenVerifier, claim: str) -> None:
    with pytest.raises(TokenInvalid):
        await verifier.verify(forged(key, "Ed25519", key.kid, **{claim: None}))


async def test_token_lives_from_its_first_second_to_its_last_with_some_leeway(
    minter: TokenMinter, verifier: TokenVerifier, clock: Clock
) -> None:
    token = minter.mint(PERSON, ["clerk"], "", 60)
    clock.now = NOON - 31
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)
    for clock.now in (NOON - 29, NOON + 89):
        assert (await verifier.verify(token)).subject == PERSON
    clock.now = NOON + 91
    assert verifier.remembered(token) is None
    with pytest.raises(TokenExpired):
        await verifier.verify(token)


async def test_token_under_a_weaker_algorithm_is_refused(key: OKPKey, verifier: TokenVerifier) -> None:
    payload = base64.urlsafe_b64encode(json.dumps({"iss": "ba-dinh", "sub": PERSON}).encode()).decode().rstrip("=")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": key.kid}).encode()).decode().rstrip("=")
    public = OctKey.import_key(json.dumps(key.as_dict(private=False)).encode())
    for token in (f"{header}.{payload}.", forged(public, "HS256", key.kid)):
        with pytest.raises(TokenInvalid):
            await verifier.verify(token)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_token_under_the_older_name_of_its_algorithm_is_read(key: OKPKey, verifier: TokenVerifier) -> None:
    assert (await verifier.verify(forged(key, "EdDSA", key.kid))).subject == PERSON


async def test_token_that_was_touched_is_refused(minter: TokenMinter, verifier: TokenVerifier) -> None:
    token = minter.mint(PERSON, ["clerk"], "", 60)
    head, body, signature = token.split(".")
    other = minter.mint(PERSON, ["admin"], "", 60).split(".")[1]
    for touched in (f"{head}.{other}.{signature}", f"{head}.{body}.{signature[::-1]}", head, "", "a.b.c", "ế.ế.ế"):
        with pytest.raises(TokenInvalid):
            await verifier.verify(touched)


async def test_verifier_asks_for_keys_once_however_many_come_at_once(
    minter: TokenMinter, verifier: TokenVerifier, directory: Directory
) -> None:
    tokens = [minter.mint(PERSON, [f"role-{number}"], "", 60) for number in range(20)]
    await asyncio.gather(*map(verifier.verify, tokens))
    assert directory.asked == 1


async def test_verifier_asks_again_for_an_unknown_key_but_not_for_each(
    minter: TokenMinter, verifier: TokenVerifier, directory: Directory, clock: Clock
) -> None:
    await verifier.verify(minter.mint(PERSON, ["clerk"], "", 600))
    fresh = new_signing_key()
    directory.keys.append(fresh)
    token = TokenMinter("ba-dinh", fresh, now=clock).mint(PERSON, ["clerk"], "", 600)
    for _ in range(5):
        with pytest.raises(TokenInvalid):
            await verifier.verify(token)
    assert directory.asked == 1
    clock.now += 11
    assert (await verifier.verify(token)).subject == PERSON
    assert directory.asked == 2


async def test_verifier_forgets_a_withdrawn_key_and_everyone_it_let_in(
    key: OKPKey, minter: TokenMinter, verifier: TokenVerifier, directory: Directory, clock: Clock
) -> None:
    token = minter.mint(PERSON, ["clerk"], "", 7200)
    await verifier.verify(token)
    directory.keys[:] = [new_signing_key()]
    clock.now += 601
    with pytest.raises(TokenInvalid):
        await verifier.verify(minter.mint(PERSON, ["another"], "", 7200))
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)


async def test_verifier_that_cannot_have_the_keys_calls_nobody_a_liar(
    minter: TokenMinter, verifier: TokenVerifier, directory: Directory, clock: Clock
) -> None:
    directory.reachable = False
    with pytest.raises(Unavailable):
        await verifier.verify(minter.mint(PERSON, ["clerk"], "", 7200))
    directory.reachable = True
    await verifier.verify(minter.mint(PERSON, ["clerk"], "", 7200))
    directory.reachable = False
    clock.now += 601
    assert (await verifier.verify(minter.mint(PERSON, ["clerk"], "", 7200))).subject == PERSON
    with pytest.raises(Unavailable):
        await verifier.verify(TokenMinter("ba-dinh", new_signing_key(), now=clock).mint(PERSON, ["clerk"], "", 60))


async def test_verifier_remembers_only_so_many(minter: TokenMinter, verifier: TokenVerifier) -> None:
    tokens = [minter.mint(PERSON, [f"role-{number}"], "", 60) for number in range(5)]
    for token in tokens:
        await verifier.verify(token)
    assert [verifier.remembered(token) is not None for token in tokens] == [False, False, True, True, True]


def test_public_keys_hold_no_private_half(key: OKPKey) -> None:
    (published,) = public_keys([key])["keys"]
    assert published == {"kty": "OKP", "crv": "Ed25519", "x": published["x"], "use": "sig", "kid": key.kid}


async def test_server_without_keys_is_unavailable_and_with_a_bad_token_unauthenticated(node: Any) -> None:
    directory = Directory()
    directory.reachable = False
    served = await node.serve(verifier=TokenVerifier("ba-dinh", directory))
    with pytest.raises(Unavailable):
        await served.call("Once", "a")
    refusing = await node.serve(verifier=TokenVerifier("ba-dinh", Directory(new_signing_key())))
    with pytest.raises(RemoteRefusal) as refused:
        await refusing.call("Once", "a")
    assert (refused.value.code, refused.value.kind) == ("token_invalid", "unauthenticated")


async def test_renewed_token_is_fetched_before_it_runs_out_and_once_for_all(minter: TokenMinter, clock: Clock) -> None:
    fetched: list[str] = []

    async def fetch() -> str:
        await asyncio.sleep(0)
        fetched.append(minter.mint(service_subject("intake"), ["service"], "", 100))
        return fetched[-1]

    source = RenewedToken(fetch, now=clock)
    assert list(await asyncio.gather(source(), source(), source())) == fetched * 3
    clock.now += 79
    assert (await source(), len(fetched)) == (fetched[0], 1)
    clock.now += 2
    assert (await source(), len(fetched)) == (fetched[1], 2)


async def test_renewed_token_is_used_to_its_end_while_directory_is_away(minter: TokenMinter, clock: Clock) -> None:
    token = minter.mint(service_subject("intake"), ["service"], "", 100)
    answers: list[str] = [token]

    async def fetch() -> str:
        if not answers:
            raise Unavailable("directory")
        return answers.pop()

    source = RenewedToken(fetch, now=clock)
    await source()
    clock.now += 95
    assert await source() == token
    clock.now += 6
    with pytest.raises(Unavailable):
        await source()
