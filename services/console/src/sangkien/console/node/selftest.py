"""The conformance checklist a node goes through when it has joined, and whenever somebody asks."""

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, timedelta
from pathlib import Path

from sangkien.api.exchange.v1 import exchange_pb2 as pb
from sangkien.api.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from sangkien.console.node.doctor import Check, broker_version
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.joining import joined_by, software
from sangkien.console.node.links import joined
from sangkien.console.node.local import LocalNode
from sangkien.console.node.stopping import Stop
from sangkien.console.operations import Operations
from sangkien.federation import HubFolder, MemberFolder
from sangkien.rpc import RemoteError
from sangkien.runtime import utc_now

CLOCK_MOST_S = 5.0
"""Seals say when they were made: a clock that is further off makes terms and audits hard to read."""
RENEW_BEFORE = timedelta(days=14)
LINK_WITHIN_S = 45.0
ECHO_S = 20
_LOOK_AGAIN_S = 0.2
_REACH_S = 10.0
_OLDEST_BROKER = (2, 11)


async def self_test(node: LocalNode, *, clock_skew_s: float | None = None) -> list[Check]:
    """Every check in order, whatever the first finding is. `clock_skew_s` is what joining measured, if it just did."""
    stub = ExchangeServiceStub(node.channel("exchange", node.operator()))
    checks = [check_software(), check_keys(node.folder), check_certificate(node.folder)]
    checks.append(await _services(node))
    link = await _connected(stub)
    checks.append(
        Check(
            "đường truyền tới trung tâm · link to the hub",
            link is not None and link.connected,
            "không lên · does not come up" if link is None else f"{link.state}, {link.sending or 'open'}",
            f"mở cổng ra tới · open the way out to {_leaf_url(node.folder)};"
            f" {node.folder.path}/logs/link-nats-server.log",
            "link",
        )
    )
    checks.append(await _echo(stub))
    checks.append(_clock(clock_skew_s if clock_skew_s is not None else await _skew(stub)))
    return checks


async def look_over(folder: NodeFolder) -> list[Check]:
    """What can be checked while the node does not run: software, keys, certificate, the way out to the hub.

    Raises Stop where the node has joined no federation.
    """
    if not joined(folder):
        raise Stop(
            "node_not_joined",
            f"{folder.path}: nút chưa tham gia mạng lưới nào · the node has joined no federation",
            "sangkien node join <gói mời · bundle> --data-dir …",
        )
    leaf = _leaf_url(folder).partition("://")[2]
    return [
        check_software(),
        check_keys(folder),
        check_certificate(folder),
        *([check_hub_certificate(folder)] if folder.hub.is_dir() else []),
        await _way_out("cổng đường truyền · the link's port", leaf, "leaf_port"),
        await _way_out("cổng tham gia · the port for joining", joined_by(folder)["join"], "join_port"),
    ]


async def _way_out(what: str, target: str, code: str) -> Check:
    host, _, port = target.rpartition(":")
    fix = f"mở cổng ra tới · open the way out to {target}"
    try:
        async with asyncio.timeout(_REACH_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError, ValueError) as error:
        return Check(what, ok=False, found=f"{target}: {str(error) or type(error).__name__}", fix=fix, code=code)
    writer.close()
    return Check(what, ok=True, found=target, code=code)


def check_software() -> Check:
    broker = broker_version()
    ok = broker is not None and broker >= _OLDEST_BROKER
    shown = ".".join(map(str, broker)) if broker else "không có · missing"
    return Check(
        "phiên bản · versions",
        ok,
        f"sangkien {software()}, nats-server {shown}",
        f"cài nats-server ≥ {'.'.join(map(str, _OLDEST_BROKER))}: chạy · run `make setup`",
        "versions",
    )


def check_keys(folder: NodeFolder) -> Check:
    """Whether nobody but the owner can read the keys."""
    loose = [each for each in _of_the_node(folder.link) if _open_to_others(each)]
    return Check(
        "khóa của nút · the node's keys",
        not loose,
        f"{folder.link}" if not loose else f"người khác đọc được · others can read {loose[0]}",
        f"chmod -R go= {folder.link}",
        "keys",
    )


def _of_the_node(link: Path) -> Iterator[Path]:
    """The folder and all in it but the store of its server, which makes and removes files of its own as it runs."""
    yield link
    for place, folders, files in os.walk(link):
        folders[:] = [name for name in folders if name != "jetstream"]
        yield from (Path(place, name) for name in (*folders, *files))


def _open_to_others(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:  # put in place, or cleared away, at this moment
        return False
    return not stat.S_ISLNK(mode) and bool(stat.S_IMODE(mode) & 0o077)


def check_certificate(folder: NodeFolder) -> Check:
    until = MemberFolder(folder.link).certificate_until
    return Check(
        "chứng thư · certificate",
        utc_now() < until - RENEW_BEFORE,
        f"{until.astimezone(UTC):%Y-%m-%d}",
        "sangkien node rotate-keys",
        "certificate",
    )


def check_hub_certificate(folder: NodeFolder) -> Check:
    until = HubFolder(folder.hub).server_certificate_until
    return Check(
        "chứng thư máy chủ của trung tâm · the hub's server certificate",
        utc_now() < until - RENEW_BEFORE,
        f"{until.astimezone(UTC):%Y-%m-%d}",
        "chạy lại nút: chứng thư tự gia hạn · restart the node, which renews it",
        "hub_certificate",
    )


async def _services(node: LocalNode) -> Check:
    statuses = await Operations(node).statuses()
    down = [name for name, each in statuses.items() if each is None or not (each.store_ok and each.broker_ok)]
    return Check(
        "dịch vụ · services",
        not down,
        ", ".join(statuses) if not down else f"không chạy · not well: {', '.join(down)}",
        f"xem nhật ký · read the logs: {node.folder.path}/logs",
        "services",
    )


async def _connected(stub: ExchangeServiceStub) -> pb.GetLinkResponse | None:
    """How the link stands once it is up, or at the end of what a person waits for."""
    return await _until(lambda: stub.GetLink(pb.GetLinkRequest()), lambda link: link.connected)


async def _echo(stub: ExchangeServiceStub) -> Check:
    what = "tiếng vọng có ký · signed echo"
    fix = "xem bước trên; nếu đường truyền tốt, hỏi trung tâm · see the check above; if the link is up, ask the hub"
    try:
        answer = await stub.Echo(pb.EchoRequest(wait_s=ECHO_S), timeout=ECHO_S + 10)
    except RemoteError as error:
        return Check(what, ok=False, found=getattr(error, "code", "") or str(error), fix=fix, code="echo")
    found = f"{answer.round_trip_ms:.0f} ms, số · number {answer.number}"
    return Check(what, ok=answer.number > 0, found=found, fix=fix, code="echo")


async def _skew(stub: ExchangeServiceStub) -> float | None:
    try:
        link = await stub.GetLink(pb.GetLinkRequest())
    except RemoteError:
        return None
    return link.clock_skew_s if link.last_receipt.seconds else None


def _clock(skew: float | None) -> Check:
    found = "chưa biết · not known" if skew is None else f"{skew:+.1f} s"
    ok = skew is not None and abs(skew) <= CLOCK_MOST_S
    return Check("đồng hồ so với trung tâm · clock against the hub's", ok, found, "bật NTP · switch NTP on", "clock")


async def _until(
    look: Callable[[], Awaitable[pb.GetLinkResponse]], done: Callable[[pb.GetLinkResponse], bool]
) -> pb.GetLinkResponse | None:
    deadline = asyncio.get_running_loop().time() + LINK_WITHIN_S
    last = None
    while True:
        try:
            last = await look()
        except RemoteError:
            last = None
        if (last is not None and done(last)) or asyncio.get_running_loop().time() > deadline:
            return last
        await asyncio.sleep(_LOOK_AGAIN_S)


def _leaf_url(folder: NodeFolder) -> str:
    return MemberFolder(folder.link).link.leaf_url
