"""HubService and JoinService over gRPC: decode, ask the use case, answer."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from sangkien.api.hub.v1 import hub_pb2 as api
from sangkien.api.hub.v1.hub_pb2_grpc import HubServiceServicer, JoinServiceServicer
from sangkien.hub.application.hold_nodes import HoldNodes
from sangkien.hub.application.invite_node import InviteNode, Inviting
from sangkien.hub.application.join_node import Joining, JoinNode
from sangkien.hub.application.ports import Away, Line
from sangkien.hub.application.queries import PeerView, Queries
from sangkien.hub.application.rotate_keys import RotateKeys, Rotating
from sangkien.hub.domain.node import Node
from sangkien.rpc import PUBLIC, Policy, Unavailable, page_size
from sangkien.text import nfc

_SERVICE = "/sangkien.api.hub.v1.HubService/"
_JOIN = "/sangkien.api.hub.v1.JoinService/"
_OPERATOR = frozenset({"operator"})

POLICY = Policy(
    {
        _SERVICE + "InviteNode": _OPERATOR,
        _SERVICE + "ListNodes": {"operator", "leader", "secretary", "service"},
        _SERVICE + "SuspendNode": _OPERATOR,
        _SERVICE + "ReinstateNode": _OPERATOR,
        _SERVICE + "RevokeNode": _OPERATOR,
        _SERVICE + "ListPeers": _OPERATOR,
        _SERVICE + "GetMessage": _OPERATOR,
        _SERVICE + "ListEntries": _OPERATOR,
        _SERVICE + "ListStamps": _OPERATOR,
        _SERVICE + "GetProof": _OPERATOR,
    }
)

JOIN_POLICY = Policy({_JOIN + "Join": PUBLIC, _JOIN + "RotateKeys": PUBLIC})
"""Without tokens: a one-time secret, or a seal of the node's, is asked for inside."""


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the service can do. `hub_key` is the hub's public seal key."""

    invite: InviteNode
    hold: HoldNodes
    queries: Queries
    hub_key: str


class HubServicer(HubServiceServicer):
    """The servicer."""

    def __init__(self, use_cases: UseCases) -> None:
        self._do = use_cases

    async def InviteNode(self, request: api.InviteNodeRequest, context: object) -> api.InviteNodeResponse:
        inviting = Inviting(
            node=request.node,
            name=nfc(request.name),
            profile=request.profile,
            parent=request.parent,
            hours=request.hours,
            again=request.again,
        )
        bundle = await self._do.invite(inviting)
        return api.InviteNodeResponse(bundle=bundle.text, expires_at=timestamp(bundle.expires_at))

    async def ListNodes(self, request: api.ListNodesRequest, context: object) -> api.ListNodesResponse:
        return api.ListNodesResponse(nodes=[node_message(node) for node in self._do.queries.nodes(request.state)])

    async def SuspendNode(self, request: api.SuspendNodeRequest, context: object) -> api.SuspendNodeResponse:
        with_broker = self._do.hold.suspend(request.node, nfc(request.reason))
        await _answered(with_broker)
        return api.SuspendNodeResponse()

    async def ReinstateNode(self, request: api.ReinstateNodeRequest, context: object) -> api.ReinstateNodeResponse:
        await _answered(self._do.hold.reinstate(request.node))
        return api.ReinstateNodeResponse()

    async def RevokeNode(self, request: api.RevokeNodeRequest, context: object) -> api.RevokeNodeResponse:
        await _answered(self._do.hold.revoke(request.node, nfc(request.reason)))
        return api.RevokeNodeResponse()

    async def ListPeers(self, request: api.ListPeersRequest, context: object) -> api.ListPeersResponse:
        overview = await self._do.queries.overview()
        return api.ListPeersResponse(
            peers=[_peer(view) for view in overview.peers],
            state=overview.state,
            stamped_at=timestamp(overview.stamped_at),
        )

    async def GetMessage(self, request: api.GetMessageRequest, context: object) -> api.GetMessageResponse:
        found = await self._do.queries.message(request.id)
        return api.GetMessageResponse(
            entry=_entry(found.line), fate=found.fate, taken_at=timestamp(found.taken_at), batch=found.batch
        )

    async def ListEntries(self, request: api.ListEntriesRequest, context: object) -> api.ListEntriesResponse:
        size = page_size(request.page_size, default=1_000)
        lines, following = await self._do.queries.entries(request.from_position, size, request.node)
        return api.ListEntriesResponse(entries=[_entry(line) for line in lines], next_position=following)

    async def ListStamps(self, request: api.ListStampsRequest, context: object) -> api.ListStampsResponse:
        size = page_size(request.page_size, default=1_000)
        stamps, following = await self._do.queries.stamps(request.from_batch, size)
        return api.ListStampsResponse(
            stamps=[api.Stamp(stamp=one.stamp, timestamp_token=one.token) for one in stamps],
            next_batch=following,
            hub_key=self._do.hub_key,
        )

    async def GetProof(self, request: api.GetProofRequest, context: object) -> api.GetProofResponse:
        return api.GetProofResponse(proof=await self._do.queries.proof(request.id))


class JoinServicer(JoinServiceServicer):
    """The servicer. `leaf_url` and `hub_key` are told to whoever joins."""

    def __init__(self, join: JoinNode, rotate: RotateKeys, *, authority_pem: str, leaf_url: str, hub_key: str) -> None:
        self._join = join
        self._rotate = rotate
        self._authority_pem = authority_pem
        self._leaf_url = leaf_url
        self._hub_key = hub_key

    async def Join(self, request: api.JoinRequest, context: object) -> api.JoinResponse:
        joining = Joining(
            node=request.node,
            secret=request.secret,
            csr_pem=request.csr_pem,
            user_key=request.user_key,
            seal_key=request.seal_key,
            software=request.version,
            now=request.now.ToDatetime(UTC),
        )
        joined = await self._join(joining)
        return api.JoinResponse(
            certificate_pem=joined.credentials.certificate_pem,
            authority_pem=self._authority_pem,
            user_jwt=joined.credentials.user_jwt,
            leaf_url=self._leaf_url,
            hub_key=self._hub_key,
            epoch=joined.node.epoch,
            now=timestamp(datetime.now(UTC)),
            registry=[node_message(node) for node in joined.registry],
            profile=joined.node.profile,
            name=joined.node.name,
        )

    async def RotateKeys(self, request: api.RotateKeysRequest, context: object) -> api.RotateKeysResponse:
        rotating = Rotating(request.node, request.csr_pem, request.user_key, request.seal_key, request.proof)
        credentials = await self._rotate(rotating)
        return api.RotateKeysResponse(certificate_pem=credentials.certificate_pem, user_jwt=credentials.user_jwt)


async def _answered(call: Awaitable[None]) -> None:
    try:
        await call
    except Away:
        raise Unavailable("broker") from None


def node_message(node: Node) -> api.Node:
    """A node as the registry tells of it."""
    credentials = node.credentials
    return api.Node(
        node=node.node,
        name=node.name,
        profile=node.profile,
        parent=node.parent,
        state=node.state.value,
        epoch=node.epoch,
        seal_keys=node.every_key,
        registered_at=timestamp(node.registered_at),
        certificate_until=timestamp(credentials.certificate_until if credentials else None),
        version=node.software,
        reason=node.reason,
    )


def _peer(view: PeerView) -> api.Peer:
    node, peer, stock = view.node, view.peer, view.stock
    return api.Peer(
        node=node.node,
        state=node.state.value,
        connected=view.connected,
        backlog_in=stock.arrived if stock else 0,
        backlog_out=view.waiting,
        oldest_out=timestamp(view.oldest),
        rate_per_minute=view.per_minute,
        last_receipt=timestamp(view.last_receipt),
        retries=view.retries,
        version=node.software,
        certificate_until=timestamp(node.credentials.certificate_until if node.credentials else None),
        chain_number=peer.n,
        clock_skew_s=peer.skew_s,
        refused=view.refused,
        discarded=view.discarded,
    )


def _entry(line: Line) -> api.Entry:
    return api.Entry(position=line.position, entry=line.raw, seal=line.seal, delivered_at=timestamp(line.delivered_at))


def timestamp(moment: datetime | None) -> Timestamp | None:
    """None stays unset."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
