"""What a member keeps on disk of its link: keys made here, and what the hub gave."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sangkien.custody import SealKey


@dataclass(frozen=True, slots=True)
class NewKeys:
    """The public halves of keys just made: what a member sends when it joins or rotates."""

    csr_pem: str
    user_public: str
    seal_public: str


@dataclass(frozen=True, slots=True)
class Link:
    """What a member knows of its place in the federation. `epoch` is its life, from 1."""

    node: str
    name: str
    profile: str
    epoch: int
    leaf_url: str
    hub_key: str


class MemberFolder:
    """One folder, 0700, files 0600. May be empty or missing until `make_keys`."""

    def __init__(self, path: Path) -> None:
        raise NotImplementedError

    def make_keys(self, node: str) -> NewKeys:
        """Make TLS key, leaf user key and seal key beside those in use; asked again before `install`, the same ones."""
        raise NotImplementedError

    def install(  # noqa: PLR0913
        self,
        *,
        certificate_pem: str,
        authority_pem: str,
        user_jwt: str,
        leaf_url: str,
        hub_key: str,
        node: str,
        epoch: int,
        profile: str,
        name: str,
    ) -> None:
        """Put what the hub answered beside the keys that were made for it, and make all of it the one in use.

        Idempotent. Raises FolderRefused when certificate or JWT do not belong to the keys that wait here.
        """
        raise NotImplementedError

    def prepare(self, *, certificate_pem: str, user_jwt: str) -> None:
        """Rotation: put the hub's answer beside the new keys without using them yet. Checks as `install`."""
        raise NotImplementedError

    def activate(self) -> None:
        """Rotation: use what was prepared from the next start of the leaf server on. Raises FolderRefused."""
        raise NotImplementedError

    @property
    def joined(self) -> bool:
        """Whether keys and what the hub gave are complete."""
        raise NotImplementedError

    @property
    def seal_key(self) -> "SealKey":
        raise NotImplementedError

    @property
    def hub_key(self) -> str:
        """The hub's public seal key."""
        raise NotImplementedError

    @property
    def link(self) -> Link:
        raise NotImplementedError

    @property
    def certificate_until(self) -> datetime:
        raise NotImplementedError

    @property
    def authority_pem(self) -> str:
        raise NotImplementedError

    def config(self, port: int) -> Path:
        """Write the leaf server's configuration and return its path; it serves clients on 127.0.0.1:`port`."""
        raise NotImplementedError

    def broker_url(self, port: int) -> str:
        """Where `exchange` connects to, with the user and password made for this folder."""
        raise NotImplementedError
