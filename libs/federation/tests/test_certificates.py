"""What the authority signs, and what it does not."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sangkien.federation import Authority, FolderRefused, RequestRefused, new_key_and_csr
from sangkien.federation.certificates import belongs, hosts_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("Thành phố", NOW)


def request(*names: tuple[x509.ObjectIdentifier, str], key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode()


def test_node_certificate_is_for_a_client_of_that_name_for_ninety_days(authority: Authority) -> None:
    key_pem, csr = new_key_and_csr("ward-1")

    pem = authority.sign_csr(csr, "ward-1", NOW)
    certificate = x509.load_pem_x509_certificate(pem.encode())

    assert certificate.subject.rfc4514_string() == "CN=ward-1"
    assert certificate.not_valid_after_utc == NOW + timedelta(days=90)
    assert hosts_of(certificate) == {"ward-1"}
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert belongs(pem, key_pem, authority.certificate_pem, "ward-1")


def test_server_certificate_names_its_hosts_and_addresses(authority: Authority) -> None:
    issued = authority.issue_server(["hub.example.vn", "192.0.2.7", "::1"], NOW)
    certificate = x509.load_pem_x509_certificate(issued.certificate_pem.encode())

    assert hosts_of(certificate) == {"hub.example.vn", "192.0.2.7", "::1"}
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_serials_differ_and_authority_signs_no_authority(authority: Authority) -> None:
    _, csr = new_key_and_csr("a")
    signed = [x509.load_pem_x509_certificate(authority.sign_csr(csr, "a", NOW).encode()) for _ in range(3)]
    own = x509.load_pem_x509_certificate(authority.certificate_pem.encode())

    assert len({each.serial_number for each in [*signed, own]}) == 4
    constraints = own.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)


def test_requests_that_are_not_for_this_node_and_key_are_refused(authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name, unit = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME
    good = new_key_and_csr("a")[1]
    broken = x509.load_pem_x509_csr(good.encode()).public_bytes(serialization.Encoding.DER)
    tampered = x509.load_der_x509_csr(broken[:-1] + bytes([broken[-1] ^ 1]))
    cases = {
        "csr_subject": [new_key_and_csr("b")[1], request((name, "a"), (unit, "x"), key=key), request(key=key)],
        "csr_key": [
            request((name, "a"), key=rsa.generate_private_key(65537, 2048)),
            request((name, "a"), key=ec.generate_private_key(ec.SECP384R1())),
        ],
        "csr_signature": [tampered.public_bytes(serialization.Encoding.PEM).decode()],
        "csr_unreadable": ["", "-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n"],
    }

    for code, requests in cases.items():
        for each in requests:
            with pytest.raises(RequestRefused) as refused:
                authority.sign_csr(each, "a", NOW)
            assert refused.value.code == code
    with pytest.raises(ValueError, match="no node id"):
        authority.sign_csr(good, "a.b", NOW)


def test_certificate_of_another_authority_key_or_name_does_not_belong(authority: Authority) -> None:
    key_pem, csr = new_key_and_csr("a")
    pem = authority.sign_csr(csr, "a", NOW)
    other = Authority.create("Other", NOW)

    assert not belongs(pem, new_key_and_csr("a")[0], authority.certificate_pem, "a")
    assert not belongs(pem, key_pem, other.certificate_pem, "a")
    assert not belongs(pem, key_pem, authority.certificate_pem, "b")


def test_authority_is_loaded_from_what_it_gave_and_from_nothing_else(authority: Authority) -> None:
    again = Authority.load(authority.certificate_pem, authority.key_pem)
    _, csr = new_key_and_csr("a")

    assert authority.issued(x509.load_pem_x509_certificate(again.sign_csr(csr, "a", NOW).encode()))
    for certificate, key in (
        (authority.certificate_pem, Authority.create("Other", NOW).key_pem),
        ("", authority.key_pem),
        (authority.certificate_pem, ""),
    ):
        with pytest.raises(FolderRefused):
            Authority.load(certificate, key)
