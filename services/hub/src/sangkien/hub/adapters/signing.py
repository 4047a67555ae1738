"""The hub's keys and authority, from its folder."""

from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_csr

from sangkien.custody import SealKey
from sangkien.federation import HubFolder, RequestRefused
from sangkien.federation.accounts import checked_public
from sangkien.federation.certificates import valid_until
from sangkien.hub.domain.errors import JoinKeysMalformed


class FolderSigner:
    """The port `Signer`."""

    def __init__(self, folder: HubFolder) -> None:
        self._folder = folder

    @property
    def authority_pem(self) -> str:
        return self._folder.authority.certificate_pem

    @property
    def hub_key(self) -> SealKey:
        return self._folder.seal_key

    def sign(self, csr_pem: str, node: str, now: datetime) -> tuple[str, datetime]:
        try:
            certificate = self._folder.authority.sign_csr(csr_pem, node, now)
        except RequestRefused as refused:
            raise JoinKeysMalformed(field="csr_pem", why=refused.code) from None
        return certificate, valid_until(certificate)

    def requested_key(self, csr_pem: str) -> str:
        try:
            key = load_pem_x509_csr(csr_pem.encode()).public_key()
        except (ValueError, UnsupportedAlgorithm):
            raise JoinKeysMalformed(field="csr_pem", why="csr_unreadable") from None
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()

    def check_user_key(self, user_key: str) -> None:
        try:
            checked_public(user_key, "user")
        except RequestRefused as refused:
            raise JoinKeysMalformed(field="user_key", why=refused.code) from None
