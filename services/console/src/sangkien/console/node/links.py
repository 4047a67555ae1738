"""The nats-servers between nodes as children of this one: the hub's own, and a member's leaf (ADR 0008)."""

import json
from dataclasses import dataclass

from sangkien.console.node.folder import NodeFolder, NodeFolderError
from sangkien.console.node.plan import LinkServer, nats_server
from sangkien.federation import FolderRefused, HubFolder, MemberFolder
from sangkien.runtime.ports import free_ports

HUB, LEAF = "hub-nats-server", "link-nats-server"
"""Names of the children."""
_HERE, _EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104 (a hub that was given host names is there to be reached)


@dataclass(frozen=True, slots=True)
class HubPorts:
    """Where members reach the hub: written into bundles and into every member's folder, so they never change."""

    leaf: int
    join: int


def joined(folder: NodeFolder) -> bool:
    """Whether the node has what it needs to be a member. Raises NodeFolderError for a damaged folder."""
    try:
        return folder.link.is_dir() and MemberFolder(folder.link).joined
    except FolderRefused as error:
        raise NodeFolderError(_damaged(folder.link, error)) from error


def link_servers(folder: NodeFolder, services: tuple[str, ...]) -> list[LinkServer]:
    """The link servers that a node with these services runs. Makes the hub's folder when there is none.

    Raises NodeFolderError when a folder is damaged.
    """
    servers = []
    if "hub" in services:
        servers.append(hub_server(folder))
    if "exchange" in services and joined(folder):
        servers.append(leaf_server(folder))
    return servers


def hub_server(folder: NodeFolder) -> LinkServer:
    """The hub's nats-server, and what the hub service is told. Raises NodeFolderError."""
    hosts = folder.chosen().hub_hosts
    listens = _EVERYWHERE if hosts else _HERE
    public = hosts[0] if hosts else _HERE
    name = folder.chosen().name or folder.identity().node
    try:
        home = HubFolder.create(folder.hub, name=name, hosts=list(dict.fromkeys((*hosts, _HERE, "localhost"))))
        ports = hub_ports(folder)
        (client,) = free_ports(1)
        child = nats_server(HUB, home.config(client, listens, ports.leaf), folder, client)
    except FolderRefused as error:
        raise NodeFolderError(_damaged(folder.hub, error)) from error
    url = f"nats://{_HERE}:{client}"
    settings = {
        "HUB_FOLDER": str(folder.hub),
        "HUB_BROKER_URL": url,
        "HUB_JOIN_LISTEN": f"{listens}:{ports.join}",
        "HUB_JOIN_PUBLIC": f"{_bracketed(public)}:{ports.join}",
        "HUB_LEAF_PUBLIC": f"tls://{_bracketed(public)}:{ports.leaf}",
    }
    links = {
        "hub_broker": url,
        "hub_leaf": f"{listens}:{ports.leaf}",
        "hub_join": f"{listens}:{ports.join}",
    }
    return LinkServer(child, links, settings)


def leaf_server(folder: NodeFolder, port: int = 0) -> LinkServer:
    """The link server of a node that has joined, and what exchange is told. Raises NodeFolderError."""
    try:
        member = MemberFolder(folder.link)
        port = port or free_ports(1)[0]
        child = nats_server(LEAF, member.config(port), folder, port)
        url = member.broker_url(port)
    except FolderRefused as error:
        raise NodeFolderError(_damaged(folder.link, error)) from error
    return LinkServer(child, {"leaf": url}, {"EXCHANGE_FOLDER": str(folder.link), "EXCHANGE_LEAF_URL": url})


def hub_ports(folder: NodeFolder, chosen: HubPorts | None = None) -> HubPorts:
    """The hub's two ports, chosen when first asked for. `chosen` changes them: every member then has to be told."""
    file = folder.hub / "ports.json"
    if chosen is None and file.exists():
        try:
            return HubPorts(**json.loads(file.read_text()))
        except (ValueError, TypeError) as error:
            raise NodeFolderError(
                f"{file}: tệp hỏng; ghi lại hai cổng đã dùng · damaged: write the two ports that were in use, as"
                ' {"leaf": …, "join": …}'
            ) from error
    ports = chosen or HubPorts(*free_ports(2, _EVERYWHERE if folder.chosen().hub_hosts else _HERE))
    folder.hub.mkdir(mode=0o700, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({"leaf": ports.leaf, "join": ports.join}) + "\n")
    beside.chmod(0o600)
    beside.replace(file)
    return ports


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _damaged(path: object, error: FolderRefused) -> str:
    return (
        f"{path}: khóa không dùng được ({error}); khôi phục từ bản sao lưu, hoặc xin gói mời mới · the keys cannot be"
        " used: restore the folder from a backup, or ask for a new invitation"
    )
