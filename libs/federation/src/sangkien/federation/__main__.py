"""`python -m sangkien.federation link | hub`: folders for containers, where server and service do not share one.

`link FOLDER SERVER --node N [--from TAR]` takes a member folder (`sangkien node join`), from a tar archive if one is
named (`-` is standard input), and writes to SERVER what the member's nats-server needs: its configuration is
SERVER/leaf.conf. `hub FOLDER SERVER --name N --public tls://host:port` makes the hub's folder if there is none, renews
its server certificate in its last 30 days, and writes SERVER/hub.conf. Both may be run again at each start; what the
servers stored stays.
"""

import argparse
import os
import sys
import tarfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sangkien.federation.errors import FolderRefused
from sangkien.federation.hub_folder import HubFolder
from sangkien.federation.member_folder import MemberFolder
from sangkien.runtime import utc_now

CLIENT_PORT = 4222
LEAF_PORT = 7422
RENEW_BEFORE = timedelta(days=30)
"""Of the server certificate's year; the alert comes at 14."""
_EVERYWHERE = "0.0.0.0"  # noqa: S104 (leaves of other organisations connect here)


def main() -> None:
    """Do what the arguments ask; exits with 1 and one line where a folder cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m sangkien.federation")
    commands = parser.add_subparsers(dest="command", required=True)
    link = commands.add_parser("link", help="a member's link server")
    hub = commands.add_parser("hub", help="the hub's server")
    for each in (link, hub):
        each.add_argument("folder", type=Path)
        each.add_argument("server", type=Path)
    link.add_argument("--node", required=True, help="the node this must be the folder of")
    link.add_argument("--from", dest="archive", default="", help="tar archive of the folder, - for standard input")
    hub.add_argument("--name", required=True, help="of the authority, for people")
    hub.add_argument("--public", required=True, help="where leaves reach the hub: tls://host:port")
    chosen = parser.parse_args()
    os.umask(0o077)
    try:
        written = _link(chosen) if chosen.command == "link" else _hub(chosen)
    except (FolderRefused, tarfile.TarError, OSError) as error:
        sys.exit(f"{chosen.command}: {error}")
    sys.stderr.write(f"wrote {written}\n")


def _link(chosen: argparse.Namespace) -> Path:
    if chosen.archive:
        _unpack(chosen.archive, chosen.folder)
    _close_to_others(chosen.folder)
    member = MemberFolder(chosen.folder)
    if member.link.node != chosen.node:
        raise FolderRefused("folder_foreign", f"{chosen.folder} is the folder of {member.link.node}, not {chosen.node}")
    return member.config(CLIENT_PORT, apart=chosen.server)


def _hub(chosen: argparse.Namespace) -> Path:
    host = urlsplit(chosen.public).hostname
    if not host or not chosen.public.startswith("tls://"):
        raise FolderRefused("folder_hosts", f"{chosen.public!r} names no host under which leaves reach the hub")
    _close_to_others(chosen.folder)
    folder = HubFolder.create(chosen.folder, name=chosen.name, hosts=[host])
    if folder.server_certificate_until - utc_now() < RENEW_BEFORE:
        folder.renew_server_certificate()
    return folder.config(CLIENT_PORT, _EVERYWHERE, LEAF_PORT, apart=chosen.server)


def _unpack(archive: str, folder: Path) -> None:
    """Files, folders and the link to the keys in use; the filter keeps all of it inside the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|*") if archive == "-" else tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")


def _close_to_others(folder: Path) -> None:
    """Kubernetes gives a volume's files to the pod's group; the folders are refused when others may read a key."""
    for path in folder.rglob("*") if folder.is_dir() else ():
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)


if __name__ == "__main__":
    main()
