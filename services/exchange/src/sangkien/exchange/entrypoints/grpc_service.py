"""ExchangeService over gRPC: decode, ask the use case, answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from google.protobuf.timestamp_pb2 import Timestamp

from sangkien.api.exchange.v1 import exchange_pb2 as api
from sangkien.api.exchange.v1.exchange_pb2_grpc import ExchangeServiceServicer
from sangkien.exchange.application.file_ports import FileCounts, Files
from sangkien.exchange.application.link_ports import NodeBook
from sangkien.exchange.application.live_in_federation import LiveInFederation
from sangkien.exchange.application.ports import CustodyStep
from sangkien.exchange.application.queries import Peer, Queries
from sangkien.exchange.application.take_messages import TakeMessages
from sangkien.exchange.domain.foreign import Certificate
from sangkien.exchange.domain.incoming import Received
from sangkien.exchange.domain.outgoing import Outgoing, OutState
from sangkien.exchange.entrypoints.fetching import FetchFiles
from sangkien.exchange.entrypoints.showing_files import shown_files
from sangkien.rpc import Policy

_SERVICE = "/sangkien.api.exchange.v1.ExchangeService/"
_OPERATOR = {"operator"}

POLICY = Policy(
    {
        _SERVICE + "GetLink": {"operator", "service"},
        _SERVICE + "ListPeers": _OPERATOR,
        _SERVICE + "GetMessage": _OPERATOR,
        _SERVICE + "ReplayMessage": _OPERATOR,
        _SERVICE + "GetCustody": {"union_officer", "secretary", "leader", "operator"},
        _SERVICE + "ListSeals": _OPERATOR,
        _SERVICE + "Echo": _OPERATOR,
        _SERVICE + "ListFiles": _OPERATOR,
        _SERVICE + "FetchFile": _OPERATOR,
        _SERVICE + "Leave": _OPERATOR,
    }
)


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the service can do."""

    queries: Queries
    life: LiveInFederation
    taking: TakeMessages
    book: NodeBook
    files: Files
    fetching: FetchFiles
    seal_key: str
    certificate_until: Callable[[], datetime]


class ExchangeServicer(ExchangeServiceServicer):
    """The servicer."""

    def __init__(self, use_cases: UseCases) -> None:
        self._do = use_cases

    async def GetLink(self, request: api.GetLinkRequest, context: object) -> api.GetLinkResponse:
        link = await self._do.queries.link()
        return api.GetLinkResponse(
            node=self._do.book.me.node,
            state=link.state,
            connected=link.connected,
            epoch=link.epoch,
            sealed=link.sealed,
            receipted=link.receipted,
            waiting=link.waiting,
            oldest_waiting=_timestamp(link.oldest_waiting),
            last_receipt=_timestamp(link.last_receipt),
            sending=link.sending,
            received=link.received,
            certificate_until=_timestamp(self._do.certificate_until()),
            version=version("sangkien-exchange"),
            clock_skew_s=link.skew_s,
        )

    async def ListPeers(self, request: api.ListPeersRequest, context: object) -> api.ListPeersResponse:
        peers, files = await self._do.queries.peers(), await self._do.files.counts()
        return api.ListPeersResponse(peers=[_peer(peer, files.get(peer.id, FileCounts())) for peer in peers])

    async def GetMessage(self, request: api.GetMessageRequest, context: object) -> api.GetMessageResponse:
        found = await self._do.queries.message(request.id)
        return api.GetMessageResponse(message=_sent(found) if isinstance(found, Outgoing) else _came(found))

    async def ReplayMessage(self, request: api.ReplayMessageRequest, context: object) -> api.ReplayMessageResponse:
        await self._do.taking.replay(request.id)
        return api.ReplayMessageResponse()

    async def GetCustody(self, request: api.GetCustodyRequest, context: object) -> api.GetCustodyResponse:
        custody = await self._do.queries.custody(request.dossier_id)
        return api.GetCustodyResponse(
            dossier_id=custody.dossier_id,
            holder=custody.holder,
            since=_timestamp(custody.since),
            answer_from=custody.answer_from,
            answer_due=custody.answer_due.isoformat() if custody.answer_due else "",
            steps=[_step(step) for step in custody.steps],
            remote_id=custody.remote_id,
            certificates=[_certificate(one) for one in custody.certificates],
        )

    async def ListSeals(self, request: api.ListSealsRequest, context: object) -> api.ListSealsResponse:
        epoch, seals, following = await self._do.queries.seals(request.epoch, request.from_number, request.page_size)
        keys = dict.fromkeys([self._do.seal_key, *self._do.book.me.seal_keys])
        return api.ListSealsResponse(
            seals=[
                api.Seal(number=one.n, seal=one.seal, body_sha256=one.body_sha256 if one.kept else "") for one in seals
            ],
            next_number=following,
            seal_keys=list(keys),
            epoch=epoch,
        )

    async def Echo(self, request: api.EchoRequest, context: object) -> api.EchoResponse:
        milliseconds, number = await self._do.life.echo(request.wait_s)
        return api.EchoResponse(round_trip_ms=milliseconds, number=number)

    async def ListFiles(self, request: api.ListFilesRequest, context: object) -> api.ListFilesResponse:
        return api.ListFilesResponse(files=await shown_files(self._do.files, request.dossier_id))

    async def FetchFile(self, request: api.FetchFileRequest, context: object) -> api.FetchFileResponse:
        return api.FetchFileResponse(files=await self._do.fetching.retry(request.sha256))

    async def Leave(self, request: api.LeaveRequest, context: object) -> api.LeaveResponse:
        await self._do.life.leave()
        return api.LeaveResponse()


def _peer(peer: Peer, files: FileCounts) -> api.Peer:
    node = peer.node
    return api.Peer(
        node=peer.id,
        name=node.name if node else "",
        profile=node.profile if node else "",
        state=node.state if node else "",
        sent=peer.sent,
        waiting=peer.waiting,
        undelivered=peer.undelivered,
        refused=peer.refused,
        oldest_waiting=_timestamp(peer.oldest_waiting),
        received=peer.received,
        last_received=_timestamp(peer.last_received),
        retries=peer.retries,
        files_missing=files.missing,
        files_held=files.held,
        file_bytes=files.bytes,
    )


def _sent(message: Outgoing) -> api.Message:
    return api.Message(
        id=message.message_id,
        key=message.key,
        direction="out",
        peer=message.receiver,
        type=message.type,
        number=message.n,
        # That it has no number yet is ours to know: to an operator it waits.
        state=OutState.WAITING.value if message.state is OutState.POSTED else message.state.value,
        sealed_at=_timestamp(message.sealed_at),
        receipted_at=_timestamp(message.receipted_at),
        delivered_at=_timestamp(message.settled_at if message.state is OutState.DELIVERED else None),
        position=message.position,
        reason=message.reason,
        offers=message.offers,
    )


def _came(message: Received) -> api.Message:
    return api.Message(
        id=message.message_id or message.id,
        key=message.key,
        direction="in",
        peer=message.sender,
        type=message.type,
        number=message.n,
        state=message.state.value,
        sealed_at=_timestamp(message.sealed_at),
        delivered_at=_timestamp(message.received_at),
        position=message.position,
        reason=message.reason,
    )


def _certificate(one: Certificate) -> api.Certificate:
    return api.Certificate(
        number=one.number,
        node=one.node,
        issued_on=one.issued_on.isoformat(),
        person_id=one.person_id,
        check_code=one.check_code,
    )


def _step(step: CustodyStep) -> api.Step:
    return api.Step(node=step.node, what=step.what, at=_timestamp(step.at), detail=step.detail)


def _timestamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
