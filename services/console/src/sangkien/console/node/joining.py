"""Becoming a member: keys made here, the bundle's secret given for a certificate and an account, over pinned TLS."""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.api.hub.v1.hub_pb2_grpc import HubServiceStub, JoinServiceStub
from sangkien.console.node.bundle import Bundle, expired, parse_bundle
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import LocalNode
from sangkien.console.node.profiles import PROFILES
from sangkien.console.node.stopping import Stop
from sangkien.federation import FederationError, MemberFolder, NewKeys
from sangkien.rpc import RemoteUnavailable, retrying
from sangkien.rpc.remote import remote_error
from sangkien.runtime import utc_now

A = TypeVar("A")

CALL_S = 20.0
TRY_S = 45.0
REGISTRY = "registry.json"
"""In the link folder: the nodes as the hub named them when this one joined."""
ASKED = "asked.json"
"""In the link folder: which bundle was used with which keys, and where the hub answers; written before it is asked."""


@dataclass(frozen=True, slots=True)
class Joined:
    """How a node stands after it joined. `clock_skew_s`: the hub's clock minus ours; None when it had joined before."""

    node: str
    name: str
    profile: str
    epoch: int
    already: bool
    clock_skew_s: float | None = None


def software() -> str:
    """The version of this software, as peers are told it."""
    return version("sangkien-console")


async def join(folder: NodeFolder, bundle: Bundle) -> Joined:
    """Make the folder's node a member. With the same bundle again it goes on wherever it was stopped.

    Raises Stop with what is wrong with the bundle, the folder or the way to the hub; RemoteRefusal for the hub's no.
    """
    if bundle.profile not in PROFILES:
        raise Stop(
            "profile_unknown",
            f"{bundle.profile}: phần mềm này không biết loại nút đó · this software knows no such profile",
            "nâng cấp phần mềm · upgrade this software",
        )
    folder.identity(bundle.node)
    member = MemberFolder(folder.link)
    skew = None
    if not _installed_from(bundle, folder, member):
        if bundle.expired(utc_now()):
            raise expired(bundle)
        answer, skew = await _asked(bundle, _request(bundle, folder, member.make_keys(bundle.node)))
        write_secret(folder.link / REGISTRY, json.dumps([_known(node) for node in answer.registry], ensure_ascii=False))
        _install(member, bundle, answer)
    link = member.link
    folder.choose(replace(folder.chosen(), profile=link.profile, name=link.name))
    return Joined(link.node, link.name, link.profile, link.epoch, already=skew is None, clock_skew_s=skew)


def _known(node: pb.Node) -> dict[str, Any]:
    """A node of the registry as exchange reads it before the hub tells it of changes."""
    names = ("node", "name", "profile", "parent", "state", "epoch")
    return {name: getattr(node, name) for name in names} | {"seal_keys": list(node.seal_keys)}


def _request(bundle: Bundle, folder: NodeFolder, keys: NewKeys) -> pb.JoinRequest:
    """What the hub is asked, remembered first: with one bundle it has to be the same to the last byte."""
    asked = {"bundle": bundle.fingerprint, "seal_key": keys.seal_public, "join": bundle.join, "csr": keys.csr_pem}
    file = folder.link / ASKED
    before = json.loads(file.read_text()) if file.is_file() else {}
    if all(before.get(name) == asked[name] for name in ("bundle", "seal_key")):
        asked["csr"] = before["csr"]  # a signature over the same key is never the same twice
    write_secret(file, json.dumps(asked))
    return pb.JoinRequest(
        node=bundle.node,
        secret=bundle.secret,
        csr_pem=asked["csr"],
        user_key=keys.user_public,
        seal_key=keys.seal_public,
        version=software(),
    )


def joined_by(folder: NodeFolder) -> dict[str, str]:
    """What the node asked the hub when it joined: `join` is where. Raises Stop where that was lost."""
    try:
        return dict(json.loads((folder.link / ASKED).read_text()))
    except (OSError, ValueError) as error:
        raise Stop(
            "join_address_unknown",
            f"{folder.link / ASKED}: mất hoặc hỏng · missing or damaged",
            "khôi phục từ bản sao lưu, hoặc xin gói mời mới · restore it from a backup, or ask for a new bundle",
        ) from error


def _installed_from(bundle: Bundle, folder: NodeFolder, member: MemberFolder) -> bool:
    """Whether the keys in use are those that this bundle was good for."""
    asked = folder.link / ASKED
    if not asked.is_file() or not member.joined:
        return False
    said = json.loads(asked.read_text())
    return bool((said["bundle"], said["seal_key"]) == (bundle.fingerprint, member.seal_key.public))


def _install(member: MemberFolder, bundle: Bundle, answer: pb.JoinResponse) -> None:
    try:
        member.install(
            certificate_pem=answer.certificate_pem,
            authority_pem=answer.authority_pem,
            user_jwt=answer.user_jwt,
            leaf_url=answer.leaf_url,
            hub_key=answer.hub_key,
            node=bundle.node,
            epoch=answer.epoch,
            profile=answer.profile,
            name=answer.name,
        )
    except FederationError as error:
        raise Stop(
            "join_answer_unusable",
            f"Trung tâm trả lời không khớp với khóa ở đây ({error}) · the hub's answer does not fit the keys here",
            "chạy lại; nếu vẫn vậy, xin gói mời mới · run it again; if it stays, ask for a new invitation",
        ) from error


async def _asked(bundle: Bundle, request: pb.JoinRequest) -> tuple[pb.JoinResponse, float]:
    """The hub's answer, and its clock minus ours in seconds."""

    async def ask(stub: JoinServiceStub) -> tuple[pb.JoinResponse, float]:
        request.now.CopyFrom(_stamp(sent := utc_now()))
        answer: pb.JoinResponse = await stub.Join(request, timeout=CALL_S)
        middle = sent + (utc_now() - sent) / 2
        return answer, (answer.now.ToDatetime(UTC) - middle).total_seconds()

    return await calling_hub(bundle.join, bundle.authority_pem, ask)


async def calling_hub(target: str, authority_pem: str, ask: Callable[[JoinServiceStub], Awaitable[A]]) -> A:
    """Call the hub's JoinService, trusting nobody but the authority. Raises Stop (hub_unreachable, hub_not_pinned)."""
    method = "sangkien.api.hub.v1.JoinService"

    async def once() -> A:
        async with _channel(target, authority_pem) as channel:
            try:
                return await ask(JoinServiceStub(channel))
            except grpc.aio.AioRpcError as error:
                raise remote_error(method, error) from None

    try:
        await _reachable(target, authority_pem)
        return await retrying(once, deadline=TRY_S)
    except RemoteUnavailable as error:
        raise _unreachable(target, error.status) from error


@asynccontextmanager
async def _channel(target: str, authority_pem: str) -> AsyncIterator[grpc.aio.Channel]:
    credentials = grpc.ssl_channel_credentials(root_certificates=authority_pem.encode())
    async with grpc.aio.secure_channel(target, credentials, options=[("grpc.enable_http_proxy", 0)]) as channel:
        yield channel


async def _reachable(target: str, authority_pem: str) -> None:
    """Tell a hub that is away from one that is not the bundle's, which gRPC's own error does not."""
    host, _, port = target.rpartition(":")
    try:
        trust = ssl.create_default_context(cadata=authority_pem)
        trust.set_alpn_protocols(["h2"])
        async with asyncio.timeout(CALL_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port), ssl=trust)
    except ssl.SSLError as error:
        raise Stop(
            "hub_not_pinned",
            f"{target}: chứng thư của máy chủ không phải của trung tâm đã mời, hoặc đồng hồ máy này sai"
            f" ({error.reason or 'TLS'}) · that server's certificate is not the inviting hub's, or this clock is wrong",
            "kiểm tra đồng hồ, địa chỉ và thiết bị chặn TLS; không nhập khóa ở đâu khác · check the clock, the address"
            " and any TLS interception on the way",
        ) from error
    except (OSError, TimeoutError, ValueError) as error:
        raise _unreachable(target, str(error) or type(error).__name__) from error
    writer.close()


def _unreachable(target: str, why: str) -> Stop:
    return Stop(
        "hub_unreachable",
        f"{target}: không kết nối được trung tâm ({why}) · the hub cannot be reached",
        "mở cổng ra tới địa chỉ này trên tường lửa, rồi chạy lại cùng lệnh · open the way out to this address in the"
        " firewall, then run the same command again",
    )


async def join_own_hub(node: LocalNode) -> Joined:
    """The node that runs the hub invites itself and joins, over this machine's own address."""
    folder, chosen, identity = node.folder, node.folder.chosen(), node.folder.identity()
    kept = folder.path / "own.bundle.json"
    stub = HubServiceStub(node.channel("hub", node.operator()))
    bundle = parse_bundle(kept.read_text(), str(kept)) if kept.exists() else None
    if bundle is None or bundle.expired(utc_now()):
        states = {each.node: each.state for each in (await stub.ListNodes(pb.ListNodesRequest())).nodes}
        answer = await stub.InviteNode(
            pb.InviteNodeRequest(
                node=identity.node,
                name=chosen.name or identity.node,
                profile=chosen.profile or "city",
                again=states.get(identity.node, "invited") != "invited",
            )
        )
        write_secret(kept, answer.bundle)
        bundle = parse_bundle(answer.bundle, str(kept))
    leaf, port = (node.running.links[name].rpartition(":")[2] for name in ("hub_leaf", "hub_join"))
    done = await join(folder, replace(bundle, join=f"127.0.0.1:{port}"))
    MemberFolder(folder.link).reach_hub_at(f"tls://127.0.0.1:{leaf}")
    kept.unlink(missing_ok=True)
    return done


def write_secret(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text if text.endswith("\n") else f"{text}\n")
    beside.replace(path)


def _stamp(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
