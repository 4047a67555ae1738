"""New keys for a member: asked for under a seal of the old one, taken into use once the hub has registered them."""

import json
import os
import signal
from hashlib import sha256

from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.api.hub.v1.hub_pb2_grpc import JoinServiceStub
from sangkien.api.ops.v1.ops_pb2 import GetStatusRequest
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.joining import ASKED, CALL_S, calling_hub, joined_by, write_secret
from sangkien.console.node.local import LocalNode
from sangkien.console.node.stopping import Stop
from sangkien.console.operations import Operations
from sangkien.console.patience import WaitedTooLong, until
from sangkien.federation import FederationError, MemberFolder, NewKeys
from sangkien.runtime import utc_now


async def rotate(folder: NodeFolder) -> None:
    """Have the hub register new keys and take them into use at the next start of the leaf server and exchange.

    Killed at any point, run again it goes on with the same new keys. Raises Stop and RemoteRefusal.
    """
    member = MemberFolder(folder.link)
    if not folder.link.is_dir() or not member.joined:
        raise Stop(
            "node_not_joined",
            f"{folder.path}: nút chưa tham gia mạng lưới nào · the node has joined no federation",
            "sangkien node join <gói mời · bundle> --data-dir …",
        )
    asked = joined_by(folder)
    node = member.link.node
    keys = member.make_keys(node)
    request = pb.RotateKeysRequest(
        node=node,
        csr_pem=keys.csr_pem,
        user_key=keys.user_public,
        seal_key=keys.seal_public,
        proof=_proof(member, node, keys),
    )

    async def ask(stub: JoinServiceStub) -> pb.RotateKeysResponse:
        answer: pb.RotateKeysResponse = await stub.RotateKeys(request, timeout=CALL_S)
        return answer

    answer = await calling_hub(asked["join"], member.authority_pem, ask)
    try:
        member.prepare(certificate_pem=answer.certificate_pem, user_jwt=answer.user_jwt)
        member.activate()
    except FederationError as error:
        raise Stop(
            "rotation_unusable",
            f"Trung tâm trả lời không khớp với khóa mới ({error}) · the hub's answer does not fit the new keys",
            "chạy lại; khóa cũ vẫn dùng được · run it again; the old keys go on working",
        ) from error
    write_secret(folder.link / ASKED, json.dumps(asked | {"seal_key": keys.seal_public}))


async def in_use(node: LocalNode) -> None:
    """Have a running node take its new keys up, and wait until its exchange has. Raises Stop."""
    stub = Operations(node).stubs["exchange"]

    async def started() -> int:
        return int((await stub.GetStatus(GetStatusRequest(), timeout=CALL_S)).started_at.ToMicroseconds())

    before = await started()
    os.kill(node.running.pid, signal.SIGHUP)
    try:
        await until("exchange to start again with the new keys", started, lambda at: at != before)
    except WaitedTooLong as error:
        raise Stop(
            "rotation_not_taken_up",
            "Khóa mới đã đăng ký nhưng nút chưa khởi động lại với chúng · the new keys are registered, but the node has"
            " not started again with them",
            "dừng rồi chạy lại nút · stop the node and start it again",
        ) from error


def _proof(member: MemberFolder, node: str, keys: NewKeys) -> str:
    """That the one who asks holds the key in use (proto: RotateKeysRequest.proof)."""
    return member.seal_key.sign(
        {
            "v": 1,
            "node": node,
            "csr": sha256(keys.csr_pem.encode()).hexdigest(),
            "user_key": keys.user_public,
            "seal_key": keys.seal_public,
            "at": utc_now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
    )
