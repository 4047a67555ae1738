import asyncio
import json
import unicodedata
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import KeySet

from sangkien.api.directory.v1 import directory_pb2 as api
from sangkien.directory.adapters.account_store import TRIES
from sangkien.directory.adapters.person_store import PEOPLE
from sangkien.rpc import Principal, RemoteRefusal, TokenVerifier
from sangkien.runtime import utc_now
from sangkien.store import Replace
from sangkien.testkit.directory_double import NODE_SECRET

PASSWORD = "con đường có lá me bay"


async def signed_in(directory: Any, token: str) -> Principal:
    """The caller that any other service sees behind the token."""

    async def keys() -> KeySet:
        answer = await directory.anyone.GetKeys(api.GetKeysRequest())
        return KeySet.import_key_set(json.loads(answer.jwks))

    return await TokenVerifier("local", keys).verify(token)


async def refusal(call: Any) -> tuple[str, str]:
    with pytest.raises(RemoteRefusal) as refused:
        await call
    return refused.value.code, refused.value.item.field


def sign_in(directory: Any, login: str, password: str = PASSWORD) -> Any:
    return directory.anyone.SignIn(api.SignInRequest(login=login, password=password))


async def grant(directory: Any, person_id: str, organisation_id: str, *roles: str, **days: str) -> None:
    asked = api.GrantRolesRequest(person_id=person_id, organisation_id=organisation_id, roles=roles, **days)
    await directory.operator.GrantRoles(asked)


async def test_sign_in_gives_the_roles_of_today(directory: Any) -> None:
    unit = await directory.organisation()
    person = await directory.account(unit, "khai")
    await grant(directory, person, unit, "secretary", "leader")
    await grant(directory, person, unit, "finance", valid_from="2020-01-01", valid_to="2020-12-31")
    await grant(directory, person, unit, "operator", valid_from="2999-01-01")

    answer = await sign_in(directory, " KHAI ")

    assert answer.person_id == person
    assert await signed_in(directory, answer.token) == Principal(
        person, frozenset({"secretary", "leader"}), unit, "local"
    )
    life = answer.expires_at - utc_now().timestamp()
    assert timedelta(minutes=15).total_seconds() < life <= timedelta(hours=8).total_seconds()


async def test_secretary_of_another_organisation_acts_for_that_one(directory: Any) -> None:
    school, district = await directory.organisation("Trường A"), await directory.organisation()
    person = await directory.account(school, "thu.ky")
    await grant(directory, person, district, "secretary")
    answer = await sign_in(directory, "thu.ky")
    assert await signed_in(directory, answer.token) == Principal(person, frozenset({"secretary"}), district, "local")


async def test_role_that_was_ended_is_gone_at_the_next_sign_in(directory: Any) -> None:
    unit = await directory.organisation()
    person = await directory.account(unit, "khai")
    await grant(directory, person, unit, "operator", valid_from="2023-01-01")
    await grant(directory, person, unit, "operator", valid_from="2023-01-01", valid_to="2023-12-31")
    answer = await sign_in(directory, "khai")
    assert (await signed_in(directory, answer.token)).roles == frozenset()


async def test_wrong_password_and_unknown_login_are_refused_alike(directory: Any) -> None:
    await directory.account(await directory.organisation(), "khai")
    refused = [
        await refusal(sign_in(directory, login, password))
        for login, password in [
            ("khai", "con đường có lá me"),
            ("nobody", PASSWORD),
            ("", ""),
            ("a\0b", PASSWORD),
            ("khai", PASSWORD + "x" * 100_000),
        ]
    ]
    assert refused == [("sign_in_failed", "")] * 5


async def test_people_as_an_older_version_wrote_them_are_refused_in_words(directory: Any) -> None:
    person = await directory.account(await directory.organisation(), "khai")
    store = directory.running.host._store
    document = await store.get(PEOPLE, person)
    document["folded_name"] = document.pop("name_key")
    await store.apply([Replace(PEOPLE, document, document["ver"])])

    assert await refusal(sign_in(directory, "khai")) == ("directory_store_older", "")
    assert await refusal(sign_in(directory, "khai", "con đường có lá me")) == ("sign_in_failed", "")


async def test_guessing_is_stopped_even_when_the_guesses_come_at_once(directory: Any) -> None:
    await directory.account(await directory.organisation(), "khai")
    guesses = [refusal(sign_in(directory, "khai", f"sai mật khẩu số {number}")) for number in range(20)]
    outcomes = Counter(code for code, _ in await asyncio.gather(*guesses))
    assert outcomes["sign_in_failed"] <= 5
    assert await refusal(sign_in(directory, "khai")) == ("sign_in_blocked", "login")


async def test_unknown_login_is_blocked_like_a_known_one(directory: Any) -> None:
    codes = [(await refusal(sign_in(directory, "nobody")))[0] for _ in range(6)]
    assert codes == ["sign_in_failed"] * 5 + ["sign_in_blocked"]


async def test_block_survives_a_restart(start: Any) -> None:
    directory = await start()
    await directory.account(await directory.organisation(), "khai")
    for _ in range(5):
        await refusal(sign_in(directory, "khai", "sai mật khẩu rồi"))
    directory = await start()
    assert await refusal(sign_in(directory, "khai")) == ("sign_in_blocked", "login")


async def test_success_forgets_failures(directory: Any) -> None:
    await directory.account(await directory.organisation(), "khai")
    for _ in range(4):
        await refusal(sign_in(directory, "khai", "sai mật khẩu rồi"))
    await sign_in(directory, "khai")
    assert await directory.running.host._store.count(TRIES) == 0


async def test_new_password_replaces_the_old_and_lifts_the_block(directory: Any) -> None:
    person = await directory.account(await directory.organisation(), "khai")
    for _ in range(5):
        await refusal(sign_in(directory, "khai", "sai mật khẩu rồi"))
    new = api.SetPasswordRequest(person_id=person, login="khai", password="một mật khẩu khác hẳn")
    await directory.operator.SetPassword(new)
    assert (await sign_in(directory, "khai", "một mật khẩu khác hẳn")).person_id == person
    assert await refusal(sign_in(directory, "khai")) == ("sign_in_failed", "")


async def test_password_typed_in_decomposed_letters_fits(directory: Any) -> None:
    person = await directory.account(await directory.organisation(), "khai")
    typed = unicodedata.normalize("NFD", PASSWORD)
    assert typed != PASSWORD
    assert (await sign_in(directory, "khai", typed)).person_id == person


async def test_person_sets_their_own_password_and_nobody_elses(directory: Any) -> None:
    unit = await directory.organisation()
    khai, other = await directory.account(unit, "khai"), await directory.account(unit, "other")
    own = await directory.with_token((await sign_in(directory, "khai")).token)
    stolen = api.SetPasswordRequest(person_id=other, login="other", password="mật khẩu bị đánh cắp")
    renamed = api.SetPasswordRequest(person_id=khai, login="khai.nguyen", password=PASSWORD)

    assert await refusal(own.SetPassword(stolen)) == ("password_not_yours", "")
    await own.SetPassword(renamed)

    assert (await sign_in(directory, "other")).person_id == other
    assert (await sign_in(directory, "khai.nguyen")).person_id == khai
    assert await refusal(sign_in(directory, "khai")) == ("sign_in_failed", "")


@pytest.mark.parametrize(
    ("login", "password", "refused"),
    [
        ("other", PASSWORD, ("login_taken", "login")),
        ("x", PASSWORD, ("login_malformed", "login")),
        ("khai", "quá ngắn", ("password_too_short", "password")),
        ("khai", "x" * 257, ("password_too_long", "password")),
    ],
)
async def test_account_that_cannot_be_is_refused(
    directory: Any, login: str, password: str, refused: tuple[str, str]
) -> None:
    unit = await directory.organisation()
    await directory.account(unit, "other")
    person = await directory.person(unit)
    asked = api.SetPasswordRequest(person_id=person, login=login, password=password)
    assert await refusal(directory.operator.SetPassword(asked)) == refused
    assert (await sign_in(directory, "other")).person_id != person


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"person_id": "local:NOBODY"}, ("person_unknown", "person_id")),
        ({"organisation_id": "local:NOBODY"}, ("organisation_unknown", "organisation_id")),
        ({"roles": ["service"]}, ("role_unknown", "roles")),
        ({"roles": []}, ("roles_missing", "roles")),
        ({"valid_to": "2000-01-01"}, ("validity_reversed", "valid_to")),
    ],
)
async def test_grant_that_cannot_be_is_refused(
    directory: Any, changes: dict[str, Any], refused: tuple[str, str]
) -> None:
    unit = await directory.organisation()
    asked = {"person_id": await directory.person(unit), "organisation_id": unit, "roles": ["author"], **changes}
    assert await refusal(directory.operator.GrantRoles(api.GrantRolesRequest(**asked))) == refused


@pytest.mark.parametrize(("service", "role"), [("intake", "service"), ("console", "operator")])
async def test_service_token_names_the_service(directory: Any, service: str, role: str) -> None:
    asked = api.IssueServiceTokenRequest(service=service, node_secret=NODE_SECRET)
    answer = await directory.anyone.IssueServiceToken(asked)
    caller = await signed_in(directory, answer.token)
    assert caller == Principal(f"service/{service}", frozenset({role}), "", "local")


@pytest.mark.parametrize(
    ("service", "secret", "refused"),
    [
        ("intake", NODE_SECRET[:-1], ("node_secret_wrong", "node_secret")),
        ("console", "", ("node_secret_wrong", "node_secret")),
        ("../x", NODE_SECRET, ("service_name_malformed", "service")),
    ],
)
async def test_service_token_needs_the_secret_and_a_name(
    directory: Any, service: str, secret: str, refused: tuple[str, str]
) -> None:
    asked = api.IssueServiceTokenRequest(service=service, node_secret=secret)
    assert await refusal(directory.anyone.IssueServiceToken(asked)) == refused


async def test_keys_hold_no_private_half_and_stay_after_a_restart(start: Any) -> None:
    before = json.loads((await (await start()).anyone.GetKeys(api.GetKeysRequest())).jwks)
    after = json.loads((await (await start()).anyone.GetKeys(api.GetKeysRequest())).jwks)
    assert after == before
    assert [set(key) for key in before["keys"]] == [{"kty", "crv", "x", "kid", "use"}]
