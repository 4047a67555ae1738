"""JWTs say what the ADR says, and nothing signed by another passes for ours."""

import base64
import json
from datetime import UTC, datetime

import pytest

from sangkien.federation import BadName, ClaimsRefused, Names, checked_node
from sangkien.federation.accounts import NKey, checked_account, leaf_user_jwt, node_account_jwt, read_claims

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_leaf_user_may_do_what_the_record_says_and_no_more() -> None:
    user = NKey.create("user")

    claims = read_claims(leaf_user_jwt(NKey.create("account"), user.public, Names("w1"), NOW))

    assert claims.subject == user.public
    assert claims.nats["allowed_connection_types"] == ["LEAFNODE"]
    assert claims.nats["pub"] == {
        "allow": ["deliver.up.w1.>", "$JSC.R.>", "$JS.hub.API.CONSUMER.CREATE.DOWN_w1.>", "$JS.FC.DOWN_w1.>"]
    }
    assert claims.nats["sub"] == {
        "allow": ["$JS.leaf-w1.API.CONSUMER.CREATE.OUT_w1.>", "$JS.FC.OUT_w1.>", "deliver.down.w1.>", "$JSC.R.>"]
    }


def test_account_is_limited() -> None:
    operator, account, gone = NKey.create("operator"), NKey.create("account"), NKey.create("user").public

    claims = read_claims(node_account_jwt(operator, account.public, Names("w1"), NOW, revoked=[gone]))

    limits = claims.nats["limits"]
    assert {name: limits[name] for name in ("leaf", "payload", "imports", "exports", "streams", "mem_storage")} == {
        "leaf": 1,
        "payload": 1 << 20,
        "imports": 0,
        "exports": 0,
        "streams": 2,
        "mem_storage": 0,
    }
    assert 0 < limits["disk_storage"] < 1 << 30
    assert limits["max_bytes_required"] is True
    assert list(claims.nats["revocations"]) == [gone]


def test_claims_that_are_not_the_operators_are_refused() -> None:
    operator, account = NKey.create("operator"), NKey.create("account")
    good = node_account_jwt(operator, account.public, Names("a"), NOW)
    head, body, signature = good.split(".")
    told = json.loads(base64.urlsafe_b64decode(body + "=="))
    told["nats"]["limits"]["leaf"] = 99
    changed = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
    stranger = node_account_jwt(NKey.create("operator"), account.public, Names("a"), NOW)
    cases = [
        (f"{head}.{changed}.{signature}", "claims_signature"),
        (stranger, "claims_issuer"),
        (node_account_jwt(operator, NKey.create("account").public, Names("a"), NOW), "claims_subject"),
        (leaf_user_jwt(account, NKey.create("user").public, Names("a"), NOW), "claims_issuer"),
        ("a.b", "claims_unreadable"),
        ("e30.e30.", "claims_unreadable"),
    ]

    assert checked_account(good, operator.public, account.public).subject == account.public
    for jwt, code in cases:
        with pytest.raises(ClaimsRefused) as refused:
            checked_account(jwt, operator.public, account.public)
        assert refused.value.code == code


def test_key_read_from_its_seed_is_the_same() -> None:
    key = NKey.create("user")

    assert NKey(key.seed).public == key.public
    assert (key.public[0], key.seed[:2], len(key.public)) == ("U", "SU", 56)


@pytest.mark.parametrize("node", ["", "A", "a.b", "a b", "a*", ">", "-a", "a-", "a" * 64, "hub", "à", "a\n", "../a"])
def test_name_that_could_mean_something_else_is_no_node(node: str) -> None:
    with pytest.raises(BadName):
        checked_node(node)


@pytest.mark.parametrize("node", ["a", "ward-12", "0", "a" * 63])
def test_plain_name_is_a_node(node: str) -> None:
    assert checked_node(node) == node
