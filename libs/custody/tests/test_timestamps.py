"""Time-stamp tokens: one recorded from OpenSSL's authority (data/), the others of an authority made here."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from sangkien.custody import (
    NOTHING_BEFORE,
    BrokenLink,
    LogAudit,
    Proof,
    ProofBroken,
    SealKey,
    TimestampBroken,
    check_imprint,
    check_timestamp,
    make_entry,
    make_proof,
    make_seal,
    make_stamp,
    timestamp_request,
    timestamp_token,
    verify_proof,
)

DATA = Path(__file__).parent / "data"
STAMP = (DATA / "stamp.jws").read_text()
RESPONSE = (DATA / "response.tsr").read_bytes()
TOKEN = timestamp_token(RESPONSE, STAMP)
ROOT = x509.load_pem_x509_certificate((DATA / "root.pem").read_bytes())
STAMPED_AT = datetime(2026, 11, 22, 10, 4, 6, tzinfo=UTC)
OTHER = STAMP[:-1] + "A"

SHA256 = bytes.fromhex("300d06096086480165030402010500")


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(sorted(parts) if tag == 0x31 else parts)
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, size) if size < 128 else (tag, 0x80 | len(octets), *octets)) + content


def oid(dotted: str) -> bytes:
    numbers = [int(number) for number in dotted.split(".")]
    coded = bytearray([numbers[0] * 40 + numbers[1]])
    for number in numbers[2:]:
        sevens = [number & 127]
        while number := number >> 7:
            sevens.append(number & 127 | 128)
        coded += bytes(reversed(sevens))
    return der(0x06, bytes(coded))


class Authority:
    """A time-stamping authority (RFC 3161) with a root of its own."""

    def __init__(self, *, purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING, days: int = 30) -> None:
        self.root_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = self._certificate("root", self.root_key, None, days)
        self.certificate = self._certificate("stamps", self.key, purpose, days)

    def _certificate(
        self, name: str, key: ec.EllipticCurvePrivateKey, purpose: x509.ObjectIdentifier | None, days: int
    ) -> x509.Certificate:
        named, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)]) for cn in (name, "root"))
        usage = x509.KeyUsage(
            digital_signature=purpose is not None,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=purpose is None,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        built = (
            x509.CertificateBuilder(by, named, key.public_key(), x509.random_serial_number())
            .not_valid_before(STAMPED_AT - timedelta(days=1))
            .not_valid_after(STAMPED_AT + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=purpose is None, path_length=None), critical=True)
            .add_extension(usage, critical=True)
        )
        if purpose is not None:
            built = built.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
        return built.sign(self.root_key, hashes.SHA256())

    def answer(self, imprint: bytes, at: datetime = STAMPED_AT, status: int = 0) -> bytes:
        """A TimeStampResp over a SHA-256, as it comes from the network."""
        info = der(
            0x30,
            b"\x02\x01\x01",
            oid("1.2.3.4.1"),
            der(0x30, SHA256, der(0x04, imprint)),
            b"\x02\x01\x07",
            der(0x18, at.strftime("%Y%m%d%H%M%SZ").encode()),
        )
        certificate = self.certificate.public_bytes(Encoding.DER)
        attributes = [
            der(0x30, oid("1.2.840.113549.1.9.3"), der(0x31, oid("1.2.840.113549.1.9.16.1.4"))),
            der(0x30, oid("1.2.840.113549.1.9.4"), der(0x31, der(0x04, hashlib.sha256(info).digest()))),
            der(
                0x30,
                oid("1.2.840.113549.1.9.16.2.47"),
                der(0x31, der(0x30, der(0x30, der(0x30, der(0x04, hashlib.sha256(certificate).digest()))))),
            ),
        ]
        signed = der(0x31, *attributes)
        serial = self.certificate.serial_number
        signer = der(
            0x30,
            b"\x02\x01\x01",
            der(
                0x30,
                self.certificate.issuer.public_bytes(),
                der(0x02, serial.to_bytes(serial.bit_length() // 8 + 1, "big")),
            ),
            SHA256,
            b"\xa0" + signed[1:],
            der(0x30, oid("1.2.840.10045.4.3.2")),
            der(0x04, self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
        )
        content = der(0x30, oid("1.2.840.113549.1.9.16.1.4"), der(0xA0, der(0x04, info)))
        data = der(0x30, b"\x02\x01\x03", der(0x31, SHA256), content, der(0xA0, certificate), der(0x31, signer))
        return der(0x30, der(0x30, bytes((2, 1, status))), der(0x30, oid("1.2.840.113549.1.7.2"), der(0xA0, data)))

    def token(self, stamp: str, at: datetime = STAMPED_AT) -> bytes:
        return timestamp_token(self.answer(hashlib.sha256(stamp.encode()).digest(), at), stamp)


AUTHORITY = Authority()


def code_of(token: bytes, stamp: str = STAMP, root: x509.Certificate = ROOT) -> str:
    with pytest.raises(TimestampBroken) as broken:
        check_timestamp(token, stamp, [root])
    return broken.value.code


def test_request_is_the_one_openssl_would_send() -> None:
    assert timestamp_request(STAMP) == (DATA / "request.tsq").read_bytes()


def test_token_of_openssl_holds_after_its_certificate_has_run_out() -> None:
    assert check_timestamp(TOKEN, STAMP, [AUTHORITY.root, ROOT]) == STAMPED_AT


def test_token_over_another_stamp_is_found() -> None:
    assert code_of(TOKEN, OTHER) == "imprint"
    with pytest.raises(TimestampBroken, match=r"^imprint$"):
        timestamp_token(RESPONSE, OTHER)
    with pytest.raises(TimestampBroken, match=r"^imprint$"):
        check_imprint(TOKEN, OTHER)


def test_token_of_an_unknown_authority_is_refused() -> None:
    assert code_of(TOKEN, root=AUTHORITY.root) == "token"
    assert code_of(AUTHORITY.token(STAMP)) == "token"
    with pytest.raises(ValueError, match="root"):
        check_timestamp(TOKEN, STAMP, [])


def test_token_signed_for_another_purpose_or_out_of_time_is_refused() -> None:
    other = Authority(purpose=ExtendedKeyUsageOID.CODE_SIGNING)
    assert check_timestamp(AUTHORITY.token(STAMP), STAMP, [AUTHORITY.root]) == STAMPED_AT
    assert code_of(other.token(STAMP), root=other.root) == "token"
    late = AUTHORITY.token(STAMP, at=STAMPED_AT + timedelta(days=31))
    assert code_of(late, root=AUTHORITY.root) == "token"


@given(st.integers(0, len(TOKEN) - 1), st.integers(1, 255))
def test_changed_byte_of_a_token_never_gives_another_time(place: int, flip: int) -> None:
    """A few bytes of its wrapping are signed by nobody and say nothing; the rest break it."""
    changed = bytearray(TOKEN)
    changed[place] ^= flip
    try:
        found = check_timestamp(bytes(changed), STAMP, [ROOT])
    except TimestampBroken:
        return
    assert found == STAMPED_AT


@pytest.mark.parametrize("status", [2, 3, 4, 5, 6])
def test_token_the_authority_did_not_grant_is_refused(status: int) -> None:
    imprint = hashlib.sha256(STAMP.encode()).digest()
    granted = timestamp_token(AUTHORITY.answer(imprint, status=1), STAMP)
    assert check_timestamp(granted, STAMP, [AUTHORITY.root]) == STAMPED_AT
    with pytest.raises(TimestampBroken, match=r"^token$"):
        timestamp_token(AUTHORITY.answer(imprint, status=status), STAMP)


@pytest.mark.parametrize("answer", [b"", b"<html>", RESPONSE[:-1], bytes.fromhex("30053003020102"), TOKEN])
def test_answer_without_a_granted_token_is_refused(answer: bytes) -> None:
    with pytest.raises(TimestampBroken, match=r"^token$"):
        timestamp_token(answer, STAMP)


HUB = SealKey.from_bytes(bytes(32))
SEAL = make_seal(
    HUB,
    id="1",
    sender="hub",
    receiver="city",
    type="registry.changed.v1",
    business_key="registry.changed.v1:city:1",
    epoch=1,
    n=1,
    prev=NOTHING_BEFORE,
    at=STAMPED_AT,
    body=b"{}",
)
ENTRY = make_entry(position=1, seal=SEAL, verdict="forwarded", at=STAMPED_AT, prev=NOTHING_BEFORE)
BATCH = make_stamp(HUB, batch=1, first=1, last=1, root=ENTRY.leaf, at=STAMPED_AT, prev=NOTHING_BEFORE)


def test_audit_names_the_stamp_whose_token_does_not_hold() -> None:
    def audit(token: bytes, authorities: list[x509.Certificate]) -> tuple[int, datetime | None]:
        audit = LogAudit(HUB.public, lambda _: [HUB.public], authorities=authorities)
        audit.entry(ENTRY.raw, SEAL.compact)
        audit.stamp(BATCH, token)
        held = audit.finish()
        return held.tokens, held.timestamped_at

    token = AUTHORITY.token(BATCH)
    assert audit(token, [AUTHORITY.root]) == (1, STAMPED_AT)
    assert audit(token, []) == (1, None)
    for wrong, authorities, code in ((TOKEN, [], "imprint"), (TOKEN, [ROOT], "imprint"), (token, [ROOT], "token")):
        with pytest.raises(BrokenLink) as broken:
            audit(wrong, authorities)
        assert (broken.value.where, broken.value.code) == ("token:1", code)


def test_proof_carries_the_token_and_its_time() -> None:
    def proof(token: bytes) -> str:
        made = make_proof(seal=SEAL.compact, entry=ENTRY.raw, leaves=[ENTRY.leaf], stamp=BATCH, token=token)
        assert Proof.from_json(made.to_json()) == made
        return made.to_json()

    token = AUTHORITY.token(BATCH)
    assert verify_proof(proof(token), HUB.public, None, authorities=[AUTHORITY.root]).timestamped_at == STAMPED_AT
    assert verify_proof(proof(token), HUB.public, None).timestamped_at is None
    with pytest.raises(ProofBroken, match=r"^token: token$"):
        verify_proof(proof(token), HUB.public, None, authorities=[ROOT])
    with pytest.raises(ProofBroken, match=r"^token: imprint$"):
        verify_proof(proof(TOKEN), HUB.public, None)
