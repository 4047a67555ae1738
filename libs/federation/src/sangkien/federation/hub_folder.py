"""What the hub keeps on disk: its keys, the authority, the accounts of its nodes."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from sangkien.custody import SealKey
from sangkien.federation.certificates import Authority


class HubFolder:
    """One folder, 0700, files 0600. Raises FolderRefused when it is half made or open to others."""

    def __init__(self, path: Path) -> None:
        raise NotImplementedError

    @classmethod
    def create(cls, path: Path, *, name: str, hosts: Sequence[str], now: datetime | None = None) -> Self:
        """Make what is missing of the operator, the system account, the authority, the server certificate and the key.

        `hosts` are the DNS names and IP addresses under which leaves reach the hub. Idempotent; finishes a half-made
        folder; never overwrites a key. New `hosts` lead to a new server certificate.
        """
        raise NotImplementedError

    @property
    def seal_key(self) -> "SealKey":
        raise NotImplementedError

    @property
    def authority(self) -> Authority:
        raise NotImplementedError

    @property
    def server_certificate(self) -> tuple[Path, Path]:
        """PEM files of the server's certificate and key, also good for the join listener (EKU server)."""
        raise NotImplementedError

    @property
    def server_certificate_until(self) -> datetime:
        raise NotImplementedError

    def renew_server_certificate(self, *, now: datetime | None = None) -> None:
        """Issue the server certificate anew. The servers that use it must be restarted to present it."""
        raise NotImplementedError

    def config(self, client_port: int, leaf_host: str, leaf_port: int) -> Path:
        """Write the nats-server configuration and return its path. Clients are served on 127.0.0.1 only."""
        raise NotImplementedError
