import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sangkien.custody import (
    NOTHING_BEFORE,
    EntryBroken,
    Forward,
    HubReceipt,
    NodeReceipt,
    Refused,
    SealBroken,
    SealKey,
    Stamp,
    Stamped,
    check_body,
    make_entry,
    make_forward,
    make_seal,
    make_stamp,
    read_entry,
    read_forward,
    read_hub_receipt,
    read_node_receipt,
    read_seal,
    read_stamp,
    read_unverified,
)

KEY = SealKey.from_bytes(b"k" * 32)
AT = datetime(2026, 11, 22, 16, 45, 4, 100, tzinfo=timezone(timedelta(hours=7)))
BODY = '{"title":"Sáng kiến"}'.encode()
SEAL = make_seal(
    KEY,
    id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
    sender="union-dong-da",
    receiver="city",
    type="dossier.filed.v1",
    business_key="dossier.filed.v1:hồ sơ:1",
    epoch=2,
    n=7,
    prev="ab" * 32,
    at=AT,
    body=BODY,
    trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)
ENTRY = make_entry(position=9, seal=SEAL, verdict="refused:too_large", at=AT, prev="cd" * 32)
STAMP = make_stamp(KEY, batch=3, first=4, last=9, root=bytes(range(32)), at=AT, prev="ef" * 32)
FORWARD = make_forward(KEY, to="ward-1", epoch=1, n=4, position=9, seal_sha256=SEAL.hash, at=AT)
HUB_RECEIPT = HubReceipt(
    to="union-dong-da",
    at=AT.astimezone(UTC),
    epoch=2,
    n=7,
    head=SEAL.hash,
    position=9,
    refused=(Refused(7, SEAL.id, "too_large"),),
    waiting=(5, 6),
    stamped=Stamped(3, 9, AT.astimezone(UTC)),
    state="open",
    down=4,
)
NODE_RECEIPT = NodeReceipt(sender="ward-1", at=AT.astimezone(UTC), epoch=1, n=4, gap=True)
STATEMENTS: dict[str, tuple[str, Callable[[str, str], object]]] = {
    "seal": (SEAL.compact, read_seal),
    "stamp": (STAMP, read_stamp),
    "forward": (FORWARD, read_forward),
    "hub receipt": (HUB_RECEIPT.sign(KEY), read_hub_receipt),
    "node receipt": (NODE_RECEIPT.sign(KEY), read_node_receipt),
}


def test_seal_says_what_was_sealed() -> None:
    assert read_unverified(SEAL.compact) == {
        "v": 1,
        "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "from": "union-dong-da",
        "to": "city",
        "type": "dossier.filed.v1",
        "key": "dossier.filed.v1:hồ sơ:1",
        "epoch": 2,
        "n": 7,
        "prev": "ab" * 32,
        "at": "2026-11-22T09:45:04.000100Z",
        "sha256": hashlib.sha256(BODY).hexdigest(),
        "size": 24,
        "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    assert read_seal(SEAL.compact, [KEY.public]) == SEAL
    assert SEAL.at == AT


def test_body_that_is_not_the_sealed_one_is_found() -> None:
    check_body(SEAL, BODY)
    for other in (BODY + b" ", BODY[:-1], BODY.replace(b"S", b"s"), b""):
        with pytest.raises(SealBroken, match=r"^body$"):
            check_body(SEAL, other)
    with pytest.raises(SealBroken, match=r"^body$"):
        check_body(replace(SEAL, size=SEAL.size + 1), BODY)


def test_entry_is_read_from_its_exact_bytes() -> None:
    assert ENTRY.raw == (
        b'{"v":1,"position":9,"from":"union-dong-da","to":"city","type":"dossier.filed.v1",'
        b'"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","epoch":2,"n":7,"seal":"%b","verdict":"refused:too_large",'
        b'"at":"2026-11-22T09:45:04.000100Z","prev":"%b"}' % (SEAL.hash.encode(), b"cd" * 32)
    )
    assert read_entry(ENTRY.raw) == ENTRY
    assert ENTRY.is_of(SEAL)


def test_statements_are_read_as_they_were_signed() -> None:
    assert read_stamp(STAMP, KEY.public) == Stamp(3, 4, 9, bytes(range(32)), AT, "ef" * 32, STAMP)
    assert read_forward(FORWARD, KEY.public) == Forward("ward-1", 1, 4, 9, SEAL.hash, AT)
    assert read_hub_receipt(HUB_RECEIPT.sign(KEY), KEY.public) == HUB_RECEIPT
    assert read_node_receipt(NODE_RECEIPT.sign(KEY), KEY.public) == NODE_RECEIPT


@pytest.mark.parametrize("said", STATEMENTS)
@pytest.mark.parametrize("taken_for", STATEMENTS)
def test_statement_is_never_taken_for_another_of_the_same_key(said: str, taken_for: str) -> None:
    read = STATEMENTS[taken_for][1]
    if said == taken_for:
        assert read(STATEMENTS[said][0], KEY.public) is not None
        return
    with pytest.raises(SealBroken, match=r"^claims"):
        read(STATEMENTS[said][0], KEY.public)


WRONG: dict[str, list[object]] = {
    "id": ["", "a b", 1, None, "x" * 65],
    "from": ["", "Union", "a.b", "-a", "a" * 64, 1, "union\n"],
    "to": ["", "*", ">", None],
    "type": ["", "a..b", "a.*", "Dossier", "a" * 101, ["a"]],
    "key": ["", "a\nb", "\ud800", "x" * 401, 5],
    "epoch": [0, -1, True, "1", 2**53, None],
    "n": [0, True, "7", 2**53],
    "prev": ["", "AB" * 32, "ab" * 31, "ab" * 32 + "\n", None],
    "at": [
        "2026-11-22T09:45:04Z",
        "2026-11-22 09:45:04.000100Z",
        "2026-11-22T09:45:04.000100+00:00",
        "2026-11-22T16:45:04.000100+07:00",
        "2026-11-22T09:45:04.000100",
        "2026-13-22T09:45:04.000100Z",
        1795340704,
        None,
    ],
    "sha256": ["", "g" * 64, 0],
    "size": [-1, True, "24", None],
    "trace": ["á", "x" * 257, None],
}


@pytest.mark.parametrize(("claim", "value"), [(claim, value) for claim, wrong in WRONG.items() for value in wrong])
def test_seal_with_a_wrong_claim_is_refused(claim: str, value: Any) -> None:
    claims = read_unverified(SEAL.compact) | {claim: value}
    text = json.dumps(claims)
    with pytest.raises(SealBroken) as refused:
        read_seal(sign_text(text), [KEY.public])
    assert (refused.value.code, refused.value.claim) == ("claims", claim)


def sign_text(text: str) -> str:
    """Signed as it is written: also what our own maker would not write."""
    header = SEAL.compact.split(".")[0]
    signed = f"{header}.{base64.urlsafe_b64encode(text.encode()).rstrip(b'=').decode()}"
    signature = Ed25519PrivateKey.from_private_bytes(KEY.seed).sign(signed.encode())
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize("claim", [claim for claim in read_unverified(SEAL.compact) if claim != "v"])
def test_seal_without_one_of_its_claims_is_refused(claim: str) -> None:
    claims = read_unverified(SEAL.compact)
    del claims[claim]
    with pytest.raises(SealBroken) as refused:
        read_seal(KEY.sign(claims), [KEY.public])
    assert (refused.value.code, refused.value.claim) == ("claims", claim)


def test_seal_with_a_claim_nobody_knows_is_refused() -> None:
    with pytest.raises(SealBroken, match=r"^claims$"):
        read_seal(KEY.sign(read_unverified(SEAL.compact) | {"more": 1}), [KEY.public])


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (ENTRY.raw[:-1] + b',"more":1}', "claims"),
        (ENTRY.raw[:-1] + b',"n":7}', "malformed"),
        (ENTRY.raw.replace(b'"v":1', b'"v":2'), "version"),
        (ENTRY.raw.replace(b'"n":7', b'"n":7.0'), "malformed"),
        (ENTRY.raw.replace(b"refused:too_large", b"forwarded "), "claims"),
        (ENTRY.raw.replace(b"refused:too_large", b"refused:"), "claims"),
        (ENTRY.raw + b"x", "malformed"),
        (ENTRY.raw + b" " * 2048, "too_large"),
        (b"", "malformed"),
    ],
)
def test_entry_that_is_not_in_form_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(EntryBroken) as refused:
        read_entry(raw)
    assert refused.value.code == code


def test_full_receipt_is_read_and_a_fuller_one_not_signed() -> None:
    full = tuple(Refused(2**40 + n, "x" * 64, "y" * 64) for n in range(100)), tuple(range(2**40, 2**40 + 1000))
    receipt = HubReceipt("a", AT, 1, 1, NOTHING_BEFORE, 1, *full, None, "paused", 0)
    assert read_hub_receipt(receipt.sign(KEY), KEY.public) == receipt
    with pytest.raises(ValueError, match="waiting"):
        HubReceipt("a", AT, 1, 1, NOTHING_BEFORE, 1, full[0], (*full[1], 1), None, "paused", 0).sign(KEY)
    with pytest.raises(ValueError, match="state"):
        HubReceipt("a", AT, 1, 1, NOTHING_BEFORE, 1, (), (), None, "closed", 0).sign(KEY)  # type: ignore[arg-type]


def test_what_could_not_be_read_back_is_not_made() -> None:
    with pytest.raises(ValueError, match="at"):
        make_stamp(KEY, batch=1, first=1, last=1, root=bytes(32), at=AT.replace(tzinfo=None), prev=NOTHING_BEFORE)
    with pytest.raises(ValueError, match="last"):
        make_stamp(KEY, batch=1, first=2, last=1, root=bytes(32), at=AT, prev=NOTHING_BEFORE)
    with pytest.raises(ValueError, match="gap"):
        NodeReceipt("ward-1", AT, 1, 4, gap=1).sign(KEY)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="to"):
        make_forward(KEY, to="ward 1", epoch=1, n=4, position=9, seal_sha256=SEAL.hash, at=AT)
    with pytest.raises(ValueError, match="verdict"):
        make_entry(position=9, seal=SEAL, verdict="dropped", at=AT, prev="cd" * 32)
