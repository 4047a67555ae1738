"""The port `FileDesk` over gRPC: evidence files in the node's own intake."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import grpc

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.exchange.application.file_ports import Part, Spoiled
from sangkien.exchange.application.ports import NotYet
from sangkien.exchange.domain.foreign import NotTaken
from sangkien.rpc import RemoteFault, RemoteRefusal, RemoteUnavailable

_SPOILED: Final = "file_hash_differs"
_PASSING: Final = frozenset({"changed_meanwhile", "directory_unreachable", "storage_full"})
"""Refusals that another moment answers otherwise."""

T = TypeVar("T")


class IntakeFiles:
    """Calls with this service's own token."""

    def __init__(self, channel: Callable[[], grpc.aio.Channel]) -> None:
        self._channel = channel

    async def here(self, sha256: str, size: int) -> Part:
        """Asked with an empty part: of uploads under one name intake answers for this size."""
        return await self.put(sha256, size, 0, b"")

    async def put(self, sha256: str, size: int, offset: int, content: bytes) -> Part:
        request = pb.PutFilePartRequest(sha256=sha256, size=size, offset=offset, data=content)
        answer = await _asked(self._stub.PutFilePart(request))
        return Part(answer.received, answer.complete)

    async def read(self, dossier_id: str, sha256: str, offset: int, length: int) -> bytes:
        request = pb.ReadFileRequest(dossier_id=dossier_id, sha256=sha256, offset=offset, length=length)

        async def whole() -> bytes:
            return b"".join([each.data async for each in self._stub.ReadFile(request)])

        return await _asked(whole())

    @property
    def _stub(self) -> "IntakeServiceStub":
        return IntakeServiceStub(self._channel())


async def _asked(call: Awaitable[T]) -> T:
    try:
        return await call
    except (RemoteUnavailable, RemoteFault):
        raise NotYet("intake_unavailable") from None
    except RemoteRefusal as refusal:
        if refusal.code == _SPOILED:
            raise Spoiled from None
        if refusal.kind == "unauthenticated" or refusal.code in _PASSING:
            raise NotYet(refusal.code) from None
        raise NotTaken(refusal.code) from None
