"""Who is let in: every method of every running service, called the wrong way."""

import base64
import importlib
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
from joserfc.jwk import OKPKey

from sangkien.api.ops.v1 import ops_pb2
from sangkien.chassis.operations import OPS_POLICY
from sangkien.console.node.local import LocalNode
from sangkien.console.node.plan import SERVICES
from sangkien.rpc import Policy, RemoteFault, RemoteRefusal, TokenMinter, new_signing_key, retrying

PUBLIC = {
    "/sangkien.api.directory.v1.DirectoryService/GetKeys",
    "/sangkien.api.directory.v1.DirectoryService/IssueServiceToken",
    "/sangkien.api.directory.v1.DirectoryService/SignIn",
    "/sangkien.api.recognition.v1.RecognitionService/ListInitiatives",
    "/sangkien.api.recognition.v1.RecognitionService/VerifyCertificate",
}
"""All that may be called by anyone: to sign in, to check a certificate, to read the public register."""
ROLES = {"author", "union_officer", "secretary", "council_member", "leader", "finance", "operator", "service"}
HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a running service."""

    service: str
    path: str
    streams_in: bool
    streams_out: bool


Attack = Callable[[Method, str], Awaitable[str]]


def methods() -> Iterator[Method]:
    """Every method the proto files declare, of every service; what all services serve, once for each."""
    for service in SERVICES:
        own = importlib.import_module(f"sangkien.api.{service}.v1.{service}_pb2").DESCRIPTOR
        for file in (own, ops_pb2.DESCRIPTOR):
            for declared in file.services_by_name.values():
                for each in declared.methods:
                    path = f"/{declared.full_name}/{each.name}"
                    yield Method(service, path, bool(each.client_streaming), bool(each.server_streaming))


METHODS = list(methods())
GUARDED = [each for each in METHODS if each.path not in PUBLIC]


def policy_of(service: str) -> Policy:
    own: Policy = importlib.import_module(f"sangkien.{service}.entrypoints.grpc_service").POLICY
    return own | OPS_POLICY


@pytest.fixture(scope="module")
def attack(node: LocalNode) -> Attack:
    """Call with an empty request and a token, "" for none; gives the refusal's code, "" for any other end."""
    used = {"token": ""}

    async def token() -> str:
        return used["token"]

    channels = {(name, signed): node.channel(name, token if signed else None) for name in SERVICES for signed in (0, 1)}

    async def once(method: Method) -> str:
        kind = ("stream" if method.streams_in else "unary") + ("_stream" if method.streams_out else "_unary")
        stub = getattr(channels[method.service, int(bool(used["token"]))], kind)(
            method.path, request_serializer=bytes, response_deserializer=bytes
        )
        answer = stub([b""] if method.streams_in else b"", timeout=20)
        try:
            if method.streams_out:
                async for _ in answer:
                    pass
            else:
                await answer
        except RemoteRefusal as refusal:
            return refusal.code
        except RemoteFault:
            return ""
        return ""

    async def call(method: Method, given: str) -> str:
        used["token"] = given
        return await retrying(lambda: once(method))

    return call


@pytest.fixture(scope="module")
def key(node: LocalNode) -> OKPKey:
    """The node's own signing key, which only its directory may read."""
    return OKPKey.import_key(json.loads((node.folder.path / "keys" / "signing.jwk").read_text()))


def minted(node: str, key: OKPKey) -> str:
    """A token with every role, signed as this node with this key."""
    return TokenMinter(node, key).mint(f"{node}:X", ROLES, "", HOUR_S)


def expired(key: OKPKey) -> str:
    return TokenMinter("local", key, now=lambda: 1_600_000_000).mint("local:X", ROLES, "", HOUR_S)


def unsigned(key: OKPKey) -> str:
    """A token that says of itself that it needs no signature (RFC 8725, section 2.1)."""
    _, claims, _ = minted("local", key).split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": key.kid}).encode()).rstrip(b"=").decode()
    return f"{header}.{claims}."


def raised(key: OKPKey) -> str:
    """A token of an author, whose roles were changed after it was signed."""
    head, claims, signature = TokenMinter("local", key).mint("local:X", ["author"], "", HOUR_S).split(".")
    read = json.loads(base64.urlsafe_b64decode(claims + "=="))
    changed = base64.urlsafe_b64encode(json.dumps(read | {"roles": sorted(ROLES)}).encode()).rstrip(b"=").decode()
    return f"{head}.{changed}.{signature}"


async def test_call_without_a_token_is_refused_by_all_but_the_public_methods(attack: Attack) -> None:
    refused = {each.path for each in METHODS if await attack(each, "") == "token_missing"}

    assert {each.path for each in METHODS} - refused == PUBLIC


async def test_own_key_lets_in_where_the_other_tokens_are_refused(attack: Attack, key: OKPKey) -> None:
    """What the refusals below are measured against: only what differs there can be why."""
    everything = minted("local", key)
    statuses = [each for each in METHODS if each.path == "/sangkien.api.ops.v1.OpsService/GetStatus"]

    assert {each.service: await attack(each, everything) for each in statuses} == dict.fromkeys(SERVICES, "")


@pytest.mark.parametrize(
    ("forge", "code"),
    [
        pytest.param(lambda _: minted("other", new_signing_key()), "token_invalid", id="another node's"),
        pytest.param(lambda _: minted("local", new_signing_key()), "token_invalid", id="another key under our name"),
        pytest.param(lambda key: minted("other", key), "token_invalid", id="our key under another name"),
        pytest.param(expired, "token_expired", id="expired"),
        pytest.param(unsigned, "token_invalid", id="unsigned"),
        pytest.param(raised, "token_invalid", id="roles raised"),
        pytest.param(lambda _: "not.a.token", "token_invalid", id="no token at all"),
    ],
)
async def test_wrong_token_is_refused_by_every_guarded_method(
    forge: Callable[[OKPKey], str], code: str, attack: Attack, key: OKPKey
) -> None:
    token = forge(key)

    assert {(each.service, each.path): await attack(each, token) for each in GUARDED} == {
        (each.service, each.path): code for each in GUARDED
    }


async def test_role_a_method_does_not_ask_for_is_refused(attack: Attack, key: OKPKey) -> None:
    minter = TokenMinter("local", key)
    let_in = []
    for role in sorted(ROLES):
        token = minter.mint("local:X", [role], "", HOUR_S)
        for each in GUARDED:
            rule = policy_of(each.service).rule(each.path)
            asked = isinstance(rule, frozenset) and role not in rule
            if asked and await attack(each, token) != "role_missing":
                let_in.append((each.path, role))

    assert let_in == []
