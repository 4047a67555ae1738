"""What nats-server is told at both ends (ADR 0008). Paths and keys come from the folders, which write these texts.

Both servers fsync before they acknowledge. Neither reads new certificates or credentials of a leaf link while it runs:
the supervisor restarts it, which takes less than a second and loses nothing.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from sangkien.federation.accounts import ACCOUNT_DISK, MOST_PAYLOAD
from sangkien.federation.names import Names

MOST_NODES = 1_000
"""Accounts the hub's JetStream promises space to; a promise, not an allocation."""
_PING = 'ping_interval: "5s"\nping_max: 2'
"""A cable that was pulled is noticed after some 20 s; until then the node's one leaf connection counts as taken."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of one end."""

    certificate: Path
    key: Path
    authority: Path


def hub_configuration(  # noqa: PLR0913
    *,
    client_port: int,
    leaf_host: str,
    leaf_port: int,
    operator_jwt: str,
    system_account: str,
    system_account_jwt: str,
    accounts: Path,
    store: Path,
    tls: TlsFiles,
) -> str:
    """The hub's server. Clients are served on loopback only; leaves must show a certificate of the authority."""
    return f"""\
server_name: hub
listen: "127.0.0.1:{client_port}"
max_payload: {MOST_PAYLOAD}
{_PING}
operator: {operator_jwt}
system_account: {system_account}
resolver {{
  type: full
  dir: {_quoted(accounts)}
  allow_delete: false
  interval: "2m"
}}
resolver_preload {{
  {system_account}: {system_account_jwt}
}}
jetstream {{
  store_dir: {_quoted(store)}
  domain: hub
  max_memory_store: 0
  max_file_store: {MOST_NODES * ACCOUNT_DISK}
}}
leafnodes {{
  listen: {json.dumps(f"{leaf_host}:{leaf_port}")}
  no_advertise: true
  tls {{ {_tls(tls)}, verify: true }}
}}
"""


def leaf_configuration(
    *,
    names: Names,
    port: int,
    user: str,
    password: str,
    leaf_url: str,
    credentials: Path,
    store: Path,
    tls: TlsFiles,
) -> str:
    """A member's link server. Only its own services reach it, on loopback, with this folder's password.

    `deny_imports` keeps the hub from the member's own streams even if the hub's permissions failed.
    """
    denied = _denied(names)
    return f"""\
server_name: {names.domain}
listen: "127.0.0.1:{port}"
max_payload: {MOST_PAYLOAD}
{_PING}
jetstream {{
  store_dir: {_quoted(store)}
  domain: {names.domain}
  max_memory_store: 0
}}
accounts {{
  LINK {{
    jetstream: enabled
    users: [ {{ user: {json.dumps(user)}, password: {json.dumps(password)} }} ]
  }}
  SYS {{ }}
}}
system_account: SYS
leafnodes {{
  reconnect: "1s"
  remotes: [ {{
    url: {json.dumps(leaf_url)}
    account: LINK
    credentials: {_quoted(credentials)}
    deny_imports: {json.dumps(denied)}
    tls {{ {_tls(tls)} }}
  }} ]
}}
"""


def _tls(files: TlsFiles) -> str:
    named = {"cert_file": files.certificate, "key_file": files.key, "ca_file": files.authority}
    return ", ".join([*(f"{name}: {_quoted(path)}" for name, path in named.items()), "timeout: 5"])


def _denied(names: Names) -> list[str]:
    parts = ("INFO", "STREAM.>", "DIRECT.>", "CONSUMER.MSG.>")
    return ["out.>", "in.>", "$JS.API.>", *(f"$JS.{names.domain}.API.{each}" for each in parts)]


def _quoted(path: Path) -> str:
    return json.dumps(str(path.absolute()), ensure_ascii=False)
