"""What the hub keeps on disk: its keys, the authority, the accounts of its nodes."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_pem_x509_certificate

from sangkien.custody import SealKey
from sangkien.federation.accounts import NKey, operator_jwt, service_user_jwt, system_account_jwt
from sangkien.federation.certificates import Authority, hosts_of, valid_until
from sangkien.federation.errors import FolderRefused, RequestRefused, UnknownNode
from sangkien.federation.names import checked_node
from sangkien.federation.private_files import private_folder, read_json, read_private, write_json, write_private
from sangkien.federation.servers import TlsFiles, hub_configuration
from sangkien.runtime import utc_now

_COMPLETE: Final = "hub.json"
_OPERATOR: Final = "operator.nk"
_SYSTEM: Final = "system.nk"
_AUTHORITY: Final = "authority.pem"
_SEAL: Final = "seal.key"
_SECRETS: Final = (_OPERATOR, _SYSTEM, _AUTHORITY, _SEAL)
"""What cannot be made again: without one of these the folder has to come back from a backup."""


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """What the hub knows of a node's account. `users` are leaf user keys in force, newest last."""

    account_seed: str
    users: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    state: str = "active"

    @property
    def account(self) -> NKey:
        return NKey(self.account_seed)


class HubFolder:
    """One folder, 0700; every key in it 0600. The operator and SYS keys never leave it.

    Raises FolderRefused: folder_incomplete when `create` has not finished here or a key is missing, folder_open when
    others may read one, folder_unreadable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._about = read_json(path / _COMPLETE)
        self._operator = NKey(read_private(path / _OPERATOR).strip())
        self._system = NKey(read_private(path / _SYSTEM).strip())
        self._seal = SealKey.from_bytes(bytes.fromhex(read_private(path / _SEAL).strip()))
        pem = read_private(path / _AUTHORITY)
        self._authority = Authority.load(pem, pem)

    @classmethod
    def create(cls, path: Path, *, name: str, hosts: Sequence[str], now: datetime | None = None) -> Self:
        """Make what is missing of the operator, the system account, the authority, the server certificate and the key.

        `hosts` are the DNS names and IP addresses under which leaves reach the hub. Idempotent: a half-made folder is
        finished, a finished one keeps its keys, and other `hosts` lead to a new server certificate. Raises
        FolderRefused (folder_incomplete) for a finished one that lost a key: nothing could make up for that.
        """
        at = now or utc_now()
        if not hosts:
            raise FolderRefused("folder_hosts", "name at least one host under which leaves reach the hub")
        private_folder(path)
        finished = (path / _COMPLETE).exists() or (path / "nodes").exists()
        lost = [each for each in _SECRETS if not (path / each).exists()]
        if finished and lost:
            raise FolderRefused("folder_incomplete", f"{path} lost {', '.join(lost)}: bring it back from a backup")
        for each in lost:
            write_private(path / each, _new_secret(each, name, at))
        write_json(path / _COMPLETE, {"version": 1, "name": name, "hosts": list(hosts)})
        private_folder(path / "nodes")
        folder = cls(path)
        if not folder.server_certificate_fits(at):
            folder.renew_server_certificate(now=at)
        return folder

    @property
    def name(self) -> str:
        return str(self._about["name"])

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self._about["hosts"])

    @property
    def seal_key(self) -> SealKey:
        """The hub's own: it signs stamps, forwards and receipts."""
        return self._seal

    @property
    def authority(self) -> Authority:
        return self._authority

    @property
    def operator(self) -> NKey:
        return self._operator

    @property
    def server_certificate(self) -> tuple[Path, Path]:
        """PEM files of the server's certificate and key; good for the join listener as well (EKU server)."""
        return self.path / "server.crt", self.path / "server.key"

    @property
    def server_certificate_until(self) -> datetime:
        return valid_until(read_private(self.server_certificate[0]))

    def server_certificate_fits(self, now: datetime) -> bool:
        """Whether certificate and key are there, a pair, from this authority, in force, and name `hosts`."""
        try:
            certificate = load_pem_x509_certificate(read_private(self.server_certificate[0]).encode())
            key = serialization.load_pem_private_key(read_private(self.server_certificate[1]).encode(), None)
        except (FolderRefused, ValueError):
            return False
        return (
            certificate.public_key() == key.public_key()
            and self._authority.issued(certificate)
            and certificate.not_valid_after_utc > now
            and hosts_of(certificate) == frozenset(map(_plain_host, self.hosts))
        )

    def renew_server_certificate(self, *, now: datetime | None = None) -> None:
        """Issue the server certificate anew. The servers that use it have to be restarted to present it."""
        issued = self._authority.issue_server(self.hosts, now or utc_now())
        certificate, key = self.server_certificate
        write_private(key, issued.key_pem)
        write_private(certificate, issued.certificate_pem)

    def config(self, client_port: int, leaf_host: str, leaf_port: int, *, apart: Path | None = None) -> Path:
        """Write the nats-server configuration and return its path.

        With `apart`, a folder of its own for the server: everything that the server needs is put there, and none of
        the hub's own keys, so that a server in a container of its own need not see them.

        Clients are served on 127.0.0.1 only. New certificates and another configuration are taken up by a restart of
        the server, which its supervisor does; members reconnect within seconds and nothing is lost.
        """
        now = utc_now()
        home = private_folder(apart or self.path)
        certificate, key = self.server_certificate
        if apart:
            certificate, key = (write_private(home / each.name, read_private(each)) for each in (certificate, key))
        text = hub_configuration(
            client_port=client_port,
            leaf_host=leaf_host,
            leaf_port=leaf_port,
            operator_jwt=operator_jwt(self._operator, self._system.public, now),
            system_account=self._system.public,
            system_account_jwt=system_account_jwt(self._operator, self._system.public, now),
            accounts=private_folder(home / "accounts"),
            store=private_folder(home / "jetstream"),
            tls=TlsFiles(certificate, key, write_private(home / "authority.crt", self._authority.certificate_pem)),
        )
        return write_private(home / "hub.conf", text)

    def system_login(self) -> tuple[str, NKey]:
        """JWT and key of a fresh user of the system account: for one connection, never written anywhere."""
        return self._login(self._system, "hub-system")

    def service_login(self, node: str) -> tuple[str, NKey]:
        """The same for the hub service in a node's account. Raises UnknownNode."""
        return self._login(self.keys_of(node).account, "hub-service")

    def nodes(self) -> list[str]:
        """Every node that ever had an account here, in order of name."""
        return sorted(each.stem for each in (self.path / "nodes").glob("*.json") if not each.name.startswith("."))

    def keys_of(self, node: str) -> NodeKeys:
        """Raises UnknownNode, FolderRefused."""
        path = self._node_path(node)
        if not path.exists():
            raise UnknownNode("node_unknown", f"{node} has no account here")
        kept = read_json(path)
        try:
            return NodeKeys(kept["account_seed"], tuple(kept["users"]), tuple(kept["revoked"]), kept["state"])
        except (KeyError, TypeError):
            raise FolderRefused("folder_unreadable", f"{path} is damaged") from None

    def keep_keys(self, node: str, keys: NodeKeys) -> NodeKeys:
        """Write what is known of a node's account; returns it."""
        write_json(self._node_path(node), asdict(keys))
        return keys

    def with_user(self, node: str, user_public: str) -> NodeKeys:
        """The node's account with this leaf user as its only one, made when it is not there yet.

        A revoked node is active again, a suspended one stays suspended. Nothing is written.

        Raises RequestRefused (key_revoked).
        """
        try:
            kept = self.keys_of(node)
        except UnknownNode:
            kept = NodeKeys(NKey.create("account").seed)
        if user_public in kept.revoked:
            raise RequestRefused("key_revoked", "this key was revoked: make another")
        former = [user for user in kept.users if user != user_public]
        revoked = _unique([*kept.revoked, *former])
        state = "suspended" if kept.state == "suspended" else "active"
        return replace(kept, users=(user_public,), revoked=revoked, state=state)

    def _node_path(self, node: str) -> Path:
        return self.path / "nodes" / f"{checked_node(node)}.json"

    def _login(self, account: NKey, name: str) -> tuple[str, NKey]:
        user = NKey.create("user")
        return service_user_jwt(account, user.public, name, utc_now()), user


def _new_secret(file: str, name: str, now: datetime) -> str:
    if file == _OPERATOR:
        return NKey.create("operator").seed + "\n"
    if file == _SYSTEM:
        return NKey.create("account").seed + "\n"
    if file == _SEAL:
        return SealKey.create().seed.hex() + "\n"
    authority = Authority.create(name, now)
    # In one file, so that no crash leaves one without the other.
    return authority.certificate_pem + authority.key_pem


def _plain_host(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
