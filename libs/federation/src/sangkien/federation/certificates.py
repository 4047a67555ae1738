"""The federation's certificate authority and what it signs (X.509, EC P-256)."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sangkien.federation.errors import FolderRefused, RequestRefused
from sangkien.federation.names import checked_node

AUTHORITY_LIFE: Final = timedelta(days=3650)
SERVER_LIFE: Final = timedelta(days=365)
NODE_LIFE: Final = timedelta(days=90)
BACKDATED: Final = timedelta(minutes=10)
"""How far a member's clock may be behind the hub's and the certificate still holds there."""

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and the private key that was made for it, both PEM."""

    certificate_pem: str
    key_pem: str


class Authority:
    """Signs the certificates of the hub's servers and of the members' leaves; its own is self-signed.

    Path length 0: a certificate it issues cannot issue others. Times are aware UTC; nothing here reads a clock.
    """

    def __init__(self, certificate: x509.Certificate, key: Key) -> None:
        self._certificate, self._key = certificate, key

    @classmethod
    def create(cls, name: str, now: datetime) -> Self:
        """A new authority whose subject is `name`, for ten years from `now`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(f"{name[:40]} federation CA")
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _draft(subject, subject, key.public_key(), now, AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def load(cls, certificate_pem: str, key_pem: str) -> Self:
        """Read what `certificate_pem` and `key_pem` gave. Raises FolderRefused when they are unreadable or no pair."""
        try:
            certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
            key = serialization.load_pem_private_key(key_pem.encode(), None)
        except ValueError as error:
            raise FolderRefused("folder_authority_unreadable", type(error).__name__) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
            raise FolderRefused("folder_authority_unreadable", "certificate and key are no pair")
        return cls(certificate, key)

    @property
    def certificate_pem(self) -> str:
        """What others need to trust what this signs."""
        return _pem(self._certificate)

    @property
    def key_pem(self) -> str:
        """The private key, PKCS#8 without a password: for a file 0600."""
        return _key_pem(self._key)

    @property
    def until(self) -> datetime:
        return self._certificate.not_valid_after_utc

    def issued(self, certificate: x509.Certificate) -> bool:
        """Whether this authority signed it."""
        try:
            certificate.verify_directly_issued_by(self._certificate)
        except (InvalidSignature, TypeError, ValueError):
            return False
        return True

    def sign_csr(self, csr_pem: str, node: str, now: datetime, life: timedelta = NODE_LIFE) -> str:
        """A client certificate for the node that holds the request's key, CN = `node`, PEM.

        Only subject and public key are taken from the request (RFC 2986); extensions it asks for are ignored.
        Raises RequestRefused: csr_unreadable, csr_signature, csr_subject (CN is not `node`, or more than a CN),
        csr_key (not EC P-256).
        """
        subject = _subject(checked_node(node))
        request = _request(csr_pem)
        if request.subject != subject:
            raise RequestRefused("csr_subject", f"the request is not for CN={node} alone")
        key = request.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise RequestRefused("csr_key", "the key is not EC P-256")
        if not request.is_signature_valid:
            raise RequestRefused("csr_signature", "the request is not signed by its own key")
        return _pem(self._sign(subject, key, now, life, [x509.DNSName(node)], ExtendedKeyUsageOID.CLIENT_AUTH))

    def issue_server(self, hosts: Sequence[str], now: datetime, life: timedelta = SERVER_LIFE) -> Issued:
        """A new key and server certificate for DNS names and IP addresses. Raises RequestRefused (csr_hosts)."""
        if not hosts:
            raise RequestRefused("csr_hosts", "a server certificate needs at least one host")
        key = ec.generate_private_key(ec.SECP256R1())
        names = [_general_name(host) for host in hosts]
        certificate = self._sign(
            _subject(hosts[0][:64]), key.public_key(), now, life, names, ExtendedKeyUsageOID.SERVER_AUTH
        )
        return Issued(_pem(certificate), _key_pem(key))

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        now: datetime,
        life: timedelta,
        names: Sequence[x509.GeneralName],
        purpose: x509.ObjectIdentifier,
    ) -> x509.Certificate:
        own = self._certificate.public_key()
        if not isinstance(own, ec.EllipticCurvePublicKey):  # pragma: no cover - `load` refused it
            raise FolderRefused("folder_authority_unreadable", "not an EC key")
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=False,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            _draft(subject, self._certificate.subject, key, now, life)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def hosts_of(certificate: x509.Certificate) -> frozenset[str]:
    """DNS names and IP addresses a certificate is good for."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    return frozenset([*names.get_values_for_type(x509.DNSName), *addresses])


def new_key_and_csr(node: str) -> tuple[str, str]:
    """A new EC P-256 key and a request for CN = `node`, both PEM (RFC 2986)."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _key_pem(key), csr_for(key, node)


def csr_for(key: Key, node: str) -> str:
    """The request for a key that exists already."""
    request = x509.CertificateSigningRequestBuilder().subject_name(_subject(checked_node(node)))
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def valid_until(certificate_pem: str) -> datetime:
    """End of a certificate's life, UTC. Raises ValueError when it is unreadable."""
    return x509.load_pem_x509_certificate(certificate_pem.encode()).not_valid_after_utc


def belongs(certificate_pem: str, key_pem: str, authority_pem: str, node: str) -> bool:
    """Whether the certificate is for this key and node and the authority signed it. Raises ValueError if unreadable."""
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    key = serialization.load_pem_private_key(key_pem.encode(), None)
    authority = x509.load_pem_x509_certificate(authority_pem.encode())
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return certificate.public_key() == key.public_key() and certificate.subject == _subject(node)


def _request(csr_pem: str) -> x509.CertificateSigningRequest:
    try:
        return x509.load_pem_x509_csr(csr_pem.encode())
    except ValueError as error:
        raise RequestRefused("csr_unreadable", "this is no PKCS#10 request in PEM") from error


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    start = now.astimezone(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - BACKDATED)
        .not_valid_after(start + life)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: Key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
