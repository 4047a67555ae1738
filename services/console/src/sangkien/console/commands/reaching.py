"""How commands of the federation reach the two services that join nodes, and show what they answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from sangkien.api.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from sangkien.api.hub.v1.hub_pb2_grpc import HubServiceStub
from sangkien.console.commands.speaking import Stop, node_at
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import LocalNode, local_node
from sangkien.console.node.plan import usual
from sangkien.text.catalogue import label

_VIETNAM = timezone(timedelta(hours=7))


def member_folder(data_dir: Path) -> NodeFolder:
    """The folder of a node that has joined. Raises Stop, and starts nothing, where it has not."""
    folder = node_at(data_dir)
    if not _runs(folder, "exchange"):
        raise _not_joined(folder)
    return folder


def federated_folder(data_dir: Path) -> NodeFolder:
    """The folder of a node that is a member or has the hub. Raises Stop, and starts nothing, where it is neither."""
    folder = node_at(data_dir)
    if not _runs(folder, "exchange") and not _runs(folder, "hub"):
        raise _not_joined(folder)
    return folder


@asynccontextmanager
async def member_at(data_dir: Path) -> AsyncIterator[tuple[LocalNode, ExchangeServiceStub]]:
    """The node of a folder and its end of the link. Raises Stop where the node has joined no federation."""
    async with local_node(member_folder(data_dir)) as node:
        yield node, exchange_of(node)


@asynccontextmanager
async def hub_at(data_dir: Path) -> AsyncIterator[tuple[LocalNode, HubServiceStub]]:
    """The node of a folder and the hub it runs. Raises Stop where the node runs none."""
    folder = node_at(data_dir)
    if not _runs(folder, "hub"):
        raise Stop(
            "hub_not_here",
            f"{folder.path}: nút này không phải trung tâm · this node does not run the hub",
            "chạy lệnh tại trung tâm, --data-dir của trung tâm · run it at the hub, with the hub's --data-dir",
        )
    async with local_node(folder) as node:
        yield node, hub_of(node)


def exchange_of(node: LocalNode) -> ExchangeServiceStub:
    """The node's end of the link, called by its operator. Raises Stop where it runs none now."""
    if "exchange" not in node.running.targets:
        raise _not_joined(node.folder)
    return ExchangeServiceStub(node.channel("exchange", node.operator()))


def hub_of(node: LocalNode) -> HubServiceStub:
    """The hub of a node that runs it, called by its operator."""
    return HubServiceStub(node.channel("hub", node.operator()))


def _runs(folder: NodeFolder, service: str) -> bool:
    """Whether the node runs the service, or would if it were started."""
    running = folder.running()
    if running is not None:
        return service in running.targets
    from sangkien.console.node.links import joined

    services = usual(folder).services
    return service in services and (service != "exchange" or "hub" in services or joined(folder))


def _not_joined(folder: NodeFolder) -> Stop:
    return Stop(
        "node_not_joined",
        f"{folder.path}: nút chưa tham gia mạng lưới nào · the node has joined no federation",
        "sangkien node join <gói mời · bundle> --data-dir …",
    )


def plain(message: Message) -> dict[str, Any]:
    """Every field, zeros too; integers as numbers (protobuf's JSON writes 64-bit ones as text), no time as null."""
    values: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    for field in message.DESCRIPTOR.fields:
        if field.name in values and not field.is_repeated and field.type in {field.TYPE_INT64, field.TYPE_UINT64}:
            values[field.name] = int(values[field.name])
        if field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp":
            values.setdefault(field.name, None)
    return values


def told(stamp: Timestamp) -> str:
    """A time as people here read it; a dash where there is none."""
    return f"{stamp.ToDatetime(UTC).astimezone(_VIETNAM):%d/%m/%Y %H:%M:%S}" if stamp.seconds else "–"


def worded(group: str, key: str) -> str:
    """A state in Vietnamese and English; one without words as it is."""
    vi, en = label(f"{group}.{key}"), label(f"{group}.{key}", "en")
    return f"{vi} · {en}" if vi != en else key


def since(stamp: Timestamp, now: datetime) -> str:
    """How long ago, roughly; a dash where there is no time."""
    if not stamp.seconds:
        return "–"
    seconds = max(0, int((now - stamp.ToDatetime(UTC)).total_seconds()))
    for unit, size in (("ngày · d", 86_400), ("giờ · h", 3_600), ("phút · min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
