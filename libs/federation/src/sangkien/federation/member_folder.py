"""What a member keeps on disk of its link: keys made here, and what the hub gave."""

import secrets
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sangkien.custody import SealKey
from sangkien.federation.accounts import NKey, credentials, read_claims
from sangkien.federation.certificates import belongs, csr_for, new_key_and_csr, valid_until
from sangkien.federation.errors import ClaimsRefused, FolderRefused
from sangkien.federation.names import Names, checked_node
from sangkien.federation.private_files import private_folder, read_json, read_private, write_json, write_private
from sangkien.federation.servers import TlsFiles, leaf_configuration

_MADE: Final = "made.json"
"""Last of the files of a set of keys: without it the set is half made and made again."""
_GIVEN: Final = "link.json"
"""Last of the files of what the hub answered."""
_IN_USE: Final = "current"


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
    """One folder, 0700; files 0600. May be empty or missing until `make_keys`.

    Keys lie in numbered sets under `keys/`; `keys/current` points to the one in use and is moved in one step. Sets
    before it are kept: what was sealed with them may have to be offered again. Raises FolderRefused: folder_incomplete
    for what has not been made or installed yet, folder_open, folder_unreadable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def make_keys(self, node: str) -> NewKeys:
        """Make TLS key, leaf user key and seal key beside those in use; until they are in use, the same ones again."""
        checked_node(node)
        waiting = self._waiting()
        if (waiting / _MADE).exists() and read_json(waiting / _MADE)["node"] == node:
            return self._public_halves(waiting, node)
        if waiting.exists():  # half made, or for a node this never became
            shutil.rmtree(waiting)
        private_folder(self.path)
        private_folder(self.path / "keys")
        private_folder(waiting)
        key_pem, _ = new_key_and_csr(node)
        write_private(waiting / "tls.key", key_pem)
        write_private(waiting / "user.nk", NKey.create("user").seed + "\n")
        write_private(waiting / "seal.key", SealKey.create().seed.hex() + "\n")
        write_json(waiting / _MADE, {"version": 1, "node": node})
        return self._public_halves(waiting, node)

    def install(  # noqa: PLR0913 - the hub's answer to a join, part by part
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

        The same answer again changes nothing. Raises FolderRefused (folder_foreign) when certificate or JWT do not
        belong to the keys that wait here; nothing is changed then.
        """
        link = Link(node, name, profile, epoch, leaf_url, hub_key)
        waiting = self._waiting()
        if not waiting.exists() and self.joined and self._fits(self._current(), certificate_pem, user_jwt):
            write_json(self._current() / _GIVEN, asdict(link))
            return
        self._receive(waiting, certificate_pem, authority_pem, user_jwt, link)
        self.activate()

    def prepare(self, *, certificate_pem: str, user_jwt: str) -> None:
        """Rotation: put the hub's answer beside the new keys without using them yet. Checked as in `install`."""
        self._receive(self._waiting(), certificate_pem, self.authority_pem, user_jwt, self.link)

    def activate(self) -> None:
        """Use what was prepared, in one step.

        The leaf server takes it up when its supervisor restarts it (a SIGHUP does not reload a leaf's credentials);
        what it stored is kept, and messages go on where they stopped. Raises FolderRefused when nothing is prepared.
        """
        waiting = self._waiting()
        if not (waiting / _GIVEN).exists():
            raise FolderRefused("folder_incomplete", "no prepared keys wait here")
        draft = self.path / "keys" / ".current.new"
        draft.unlink(missing_ok=True)
        draft.symlink_to(waiting.name)
        draft.replace(self.path / "keys" / _IN_USE)

    def reach_hub_at(self, leaf_url: str) -> None:
        """Reach the hub under another address from the leaf server's next start: it moved, or is behind a relay.

        The hub still has to prove itself by the authority's certificate. Raises FolderRefused before the node joined.
        """
        write_json(self._current() / _GIVEN, asdict(replace(self.link, leaf_url=leaf_url)))

    @property
    def joined(self) -> bool:
        """Whether keys and what the hub gave are complete."""
        return (self.path / "keys" / _IN_USE / _GIVEN).exists()

    @property
    def rotating(self) -> bool:
        """Whether keys wait beside those in use."""
        return self.joined and (self._waiting() / _MADE).exists()

    @property
    def seal_key(self) -> SealKey:
        return _seal_key(self._current())

    @property
    def former_seal_keys(self) -> list[SealKey]:
        """Those of earlier sets, newest first."""
        current = int(self._current().resolve().name)
        return [_seal_key(self._set(number)) for number in range(current - 1, 0, -1) if self._set(number).exists()]

    @property
    def hub_key(self) -> str:
        """The hub's public seal key."""
        return self.link.hub_key

    @property
    def link(self) -> Link:
        kept = read_json(self._current() / _GIVEN)
        try:
            return Link(**kept)
        except TypeError:
            raise FolderRefused("folder_unreadable", f"{self._current() / _GIVEN} is damaged") from None

    @property
    def certificate_until(self) -> datetime:
        return valid_until(read_private(self._current() / "tls.crt"))

    @property
    def authority_pem(self) -> str:
        return read_private(self._current() / "authority.crt")

    def config(self, port: int, *, apart: Path | None = None) -> Path:
        """Write the leaf server's configuration and return its path; it serves clients on 127.0.0.1:`port`.

        It names the set in use, not its number, so that a restart after `activate` needs no new one. With `apart`, a
        folder of its own for the server: what it needs of the set in use is copied there, the seal key is not, and
        `activate` calls for this again.
        """
        link, keys, home = self.link, self._current(), private_folder(apart or self.path)
        if apart:
            for name in ("tls.crt", "tls.key", "authority.crt", "leaf.creds"):
                write_private(home / name, read_private(keys / name))
            keys = home
        user, password = self._local_login()
        text = leaf_configuration(
            names=Names(link.node),
            port=port,
            user=user,
            password=password,
            leaf_url=link.leaf_url,
            credentials=keys / "leaf.creds",
            store=private_folder(home / "jetstream"),
            tls=TlsFiles(keys / "tls.crt", keys / "tls.key", keys / "authority.crt"),
        )
        return write_private(home / "leaf.conf", text)

    def broker_url(self, port: int) -> str:
        """Where `exchange` connects to, with the user and password made for this folder: secret."""
        return self.login_at(f"nats://127.0.0.1:{port}")

    def login_at(self, url: str) -> str:
        """The leaf server's URL with this folder's user and password, unless it names a user already: secret."""
        scheme, _, address = url.partition("://")
        if "@" in address:
            return url
        user, password = self._local_login()
        return f"{scheme}://{user}:{password}@{address}"

    def _receive(self, keys: Path, certificate_pem: str, authority_pem: str, user_jwt: str, link: Link) -> None:
        if not (keys / _MADE).exists():
            raise FolderRefused("folder_incomplete", "no keys wait here for what the hub gave: make them first")
        if not self._fits(keys, certificate_pem, user_jwt, authority_pem, link.node):
            raise FolderRefused("folder_foreign", "the hub's answer is not for the keys that wait here")
        if not link.leaf_url.startswith("tls://"):
            raise FolderRefused("folder_foreign", "a link is TLS: its address begins with tls://")
        write_private(keys / "tls.crt", certificate_pem)
        write_private(keys / "authority.crt", authority_pem)
        write_private(keys / "leaf.creds", credentials(user_jwt.strip(), _user_key(keys)))
        write_json(keys / _GIVEN, asdict(link))

    def _fits(
        self, keys: Path, certificate_pem: str, user_jwt: str, authority_pem: str | None = None, node: str | None = None
    ) -> bool:
        authority = authority_pem or read_private(keys / "authority.crt")
        made_for = str(read_json(keys / _MADE)["node"])
        try:
            claims = read_claims(user_jwt)
            ours = belongs(certificate_pem, read_private(keys / "tls.key"), authority, made_for)
        except (ClaimsRefused, ValueError):
            return False
        return ours and node in (None, made_for) and (claims.kind, claims.subject) == ("user", _user_key(keys).public)

    def _local_login(self) -> tuple[str, str]:
        path = self.path / "local.json"
        if not path.exists():
            write_json(path, {"user": "exchange", "password": secrets.token_urlsafe(32)})
        kept: dict[str, Any] = read_json(path)
        return str(kept["user"]), str(kept["password"])

    def _public_halves(self, keys: Path, node: str) -> NewKeys:
        key = serialization.load_pem_private_key(read_private(keys / "tls.key").encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise FolderRefused("folder_unreadable", f"{keys / 'tls.key'} is no EC key")
        return NewKeys(csr_for(key, node), _user_key(keys).public, _seal_key(keys).public)

    def _current(self) -> Path:
        return self.path / "keys" / _IN_USE

    def _waiting(self) -> Path:
        """The set after the one in use."""
        current = self._current()
        return self._set(int(current.readlink().name) + 1 if current.is_symlink() else 1)

    def _set(self, number: int) -> Path:
        return self.path / "keys" / str(number)


def _user_key(keys: Path) -> NKey:
    return NKey(read_private(keys / "user.nk").strip())


def _seal_key(keys: Path) -> SealKey:
    return SealKey.from_bytes(bytes.fromhex(read_private(keys / "seal.key").strip()))
