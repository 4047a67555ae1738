"""The port `Councils` over gRPC."""

from collections.abc import Callable

import grpc

from sangkien.api.review.v1 import review_pb2 as pb
from sangkien.api.review.v1.review_pb2_grpc import ReviewServiceStub
from sangkien.intake.application.ports import ReviewDown
from sangkien.rpc import RemoteFault, RemoteUnavailable


class ReviewClient:
    """Asks review with this service's own token. Nothing is remembered: conflicts count at once."""

    def __init__(self, channel: Callable[[], grpc.aio.Channel]) -> None:
        self._channel = channel

    async def may_judge(self, dossier_id: str, person_id: str) -> bool:
        request = pb.MayJudgeRequest(dossier_id=dossier_id, person_id=person_id)
        try:
            answer = await ReviewServiceStub(self._channel()).MayJudge(request)
        except (RemoteUnavailable, RemoteFault) as error:
            raise ReviewDown(error.method) from None
        return bool(answer.allowed)
