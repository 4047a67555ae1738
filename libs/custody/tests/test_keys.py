import base64
import hashlib
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import assume, given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey

from sangkien.custody import SealBroken, SealKey, key_id, read_unverified, verify_jws

KEY = SealKey.from_bytes(b"k" * 32)
CLAIMS = {"v": 1, "node": "union", "text": "Sáng kiến, sáng tạo Thủ đô"}
SIGNED = KEY.sign(CLAIMS)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: object = None, payload: bytes = b'{"v":1}') -> str:
    """Truly signed by KEY: only what the header or the payload says can be refused."""
    says = {"alg": "EdDSA", "kid": KEY.kid} if header is None else header
    return truly(f"{b64(says if isinstance(says, bytes) else json.dumps(says).encode())}.{b64(payload)}")


def truly(text: str) -> str:
    return f"{text}.{b64(Ed25519PrivateKey.from_private_bytes(KEY.seed).sign(text.encode()))}"


def jwk(*, private: bool) -> OKPKey:
    members: dict[str, str | list[str]] = {"kty": "OKP", "crv": "Ed25519", "x": KEY.public}
    return OKPKey.import_key(members | {"d": b64(KEY.seed)} if private else members)


def test_key_of_rfc_8032_is_found_from_its_seed() -> None:
    key = SealKey.from_bytes(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert key.public == b64(public)
    assert key.kid == key_id(key.public) == hashlib.sha256(public).hexdigest()[:16]


def test_another_library_reads_our_signature() -> None:
    with pytest.warns(SecurityWarning, match="9864"):
        read = jws.deserialize_compact(SIGNED, jwk(private=False), algorithms=["EdDSA"])
    assert read.headers() == {"alg": "EdDSA", "kid": KEY.kid}
    assert json.loads(read.payload) == CLAIMS


def test_signature_of_another_library_is_read() -> None:
    header = {"kid": KEY.kid, "alg": "EdDSA"}
    with pytest.warns(SecurityWarning, match="9864"):
        theirs = jws.serialize_compact(header, json.dumps(CLAIMS), jwk(private=True), algorithms=["EdDSA"])
    assert verify_jws(theirs, [SealKey.create().public, KEY.public]) == CLAIMS


def test_key_shows_its_seed_to_nobody() -> None:
    shown = f"{KEY!r} {KEY}"
    assert [form for form in (KEY.seed.hex(), b64(KEY.seed), "kkkk") if form in shown] == []


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (signed(header={"alg": "none", "kid": KEY.kid}), "algorithm"),
        (signed(header={"alg": "HS256", "kid": KEY.kid}), "algorithm"),
        (signed(header={"alg": "Ed25519", "kid": KEY.kid}), "algorithm"),
        (signed(header={"kid": KEY.kid}), "algorithm"),
        (signed(header={"alg": "EdDSA"}), "malformed"),
        (signed(header={"alg": "EdDSA", "kid": 7}), "malformed"),
        (signed(header={"alg": "EdDSA", "kid": KEY.kid, "crit": ["b64"], "b64": False}), "malformed"),
        (signed(header={"alg": "EdDSA", "kid": KEY.kid, "jwk": {}}), "malformed"),
        (signed(header=b'{"alg":"none","alg":"EdDSA","kid":"%b"}' % KEY.kid.encode()), "malformed"),
        (signed(header={"alg": "EdDSA", "kid": SealKey.from_bytes(bytes(32)).kid}), "unknown_key"),
        (signed(header=b'{"alg":"EdDSA","kid":"%b"%b}' % (KEY.kid.encode(), b" " * 100)), "malformed"),
        (signed(header=[]), "malformed"),
        (signed(header=b"[" * 2000), "malformed"),
        (signed(payload=b'{"v":1,"n":1,"n":2}'), "malformed"),
        (signed(payload=b'{"v":1,"at":{"n":1,"n":2}}'), "malformed"),
        (signed(payload=b'{"v":1,"n":1.0}'), "malformed"),
        (signed(payload=b'{"v":1,"n":NaN}'), "malformed"),
        (signed(payload=b'{"v":1,"n":' + b"9" * 2000 + b"}x"), "malformed"),
        (signed(payload=b'{"v":1,"n":' + b"[" * 2000), "malformed"),
        (signed(payload=b'{"v":1,"n":"\xff"}'), "malformed"),
        (signed(payload=b'\xef\xbb\xbf{"v":1}'), "malformed"),
        (signed(payload=b"[1]"), "malformed"),
        (signed(payload=b"{}"), "version"),
        (signed(payload=b'{"v":2}'), "version"),
        (signed(payload=b'{"v":true}'), "version"),
        (signed(payload=b'{"v":"1"}'), "version"),
        (signed(payload=b'{"v":1,"x":"' + b"x" * 4096 + b'"}'), "too_large"),
        (SIGNED + "=", "malformed"),
        (SIGNED + "\n", "malformed"),
        (".\n".join(SIGNED.rsplit(".", 1)), "malformed"),
        (truly(signed().rpartition(".")[0] + "="), "malformed"),
        (truly(signed().rpartition(".")[0] + "\n"), "malformed"),
        (truly("=" + signed().rpartition(".")[0]), "malformed"),
        (SIGNED + ".", "malformed"),
        (SIGNED.rpartition(".")[0], "malformed"),
        (SIGNED.rpartition(".")[0] + ".", "signature"),
        (SIGNED.replace("e", "е", 1), "malformed"),  # a Cyrillic letter
        ("\udce9".join(SIGNED.rsplit(".", 1)), "malformed"),
        (".\udce9".join(SIGNED.split(".", 1)), "malformed"),
        ("", "malformed"),
    ],
)
def test_malformed_signature_is_refused_with_its_code(broken: str, code: str) -> None:
    with pytest.raises(SealBroken) as refused:
        verify_jws(broken, [KEY.public])
    assert refused.value.code == code


def test_second_way_to_write_the_same_bytes_is_refused() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = SIGNED[:-1] + alphabet[alphabet.index(SIGNED[-1]) | 1]
    assert base64.urlsafe_b64decode(other.split(".")[2] + "==") == base64.urlsafe_b64decode(SIGNED.split(".")[2] + "==")
    with pytest.raises(SealBroken, match=r"^malformed$"):
        verify_jws(other, [KEY.public])


@given(st.integers(0, len(SIGNED) - 1), st.characters(min_codepoint=33, max_codepoint=126))
def test_any_changed_character_breaks_the_signature(place: int, character: str) -> None:
    assume(SIGNED[place] != character)
    with pytest.raises(SealBroken):
        verify_jws(SIGNED[:place] + character + SIGNED[place + 1 :], [KEY.public])


def test_key_named_by_the_signer_must_be_among_those_given() -> None:
    with pytest.raises(SealBroken, match=r"^unknown_key kid$"):
        verify_jws(SIGNED, [SealKey.create().public])
    with pytest.raises(SealBroken, match=r"^unknown_key kid$"):
        verify_jws(SIGNED, [])


def test_unverified_claims_are_those_of_a_forged_signature() -> None:
    forged = SIGNED.rpartition(".")[0] + "." + b64(bytes(64))
    assert read_unverified(forged) == CLAIMS
    with pytest.raises(SealBroken, match=r"^signature$"):
        verify_jws(forged, [KEY.public])


def test_statement_too_large_to_be_read_is_not_signed() -> None:
    with pytest.raises(ValueError, match="too_large"):
        KEY.sign({"v": 1, "x": "x" * 4096})


@pytest.mark.parametrize("public", ["", "AAAA", KEY.public + "=", KEY.public[:-1], KEY.public[:-1] + "!"])
def test_text_that_is_no_key_is_refused(public: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        key_id(public)


def test_key_that_anybody_can_sign_for_is_refused() -> None:
    weak = bytes([1]) + bytes(31)
    forged = weak + bytes(32)

    for said in (b"one thing", b"another"):
        Ed25519PublicKey.from_public_bytes(weak).verify(forged, said)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(KEY.public + "=")).verify(forged, b"one thing")

    with pytest.raises(ValueError, match="anybody"):
        key_id(b64(weak))
