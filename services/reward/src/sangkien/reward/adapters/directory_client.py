"""The port `Directory` over gRPC."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import grpc

from sangkien.api.directory.v1 import directory_pb2 as pb
from sangkien.api.directory.v1 import directory_pb2_grpc
from sangkien.reward.application.ports import Organisation
from sangkien.reward.domain.recipients import Named

_LARGEST_CALL: Final = 1_000


class DirectoryClient:
    """Asks the directory with this service's own token. Raises RemoteUnavailable when it does not answer."""

    def __init__(self, channel: Callable[[], grpc.aio.Channel]) -> None:
        self._channel = channel

    async def people(self, ids: Sequence[str]) -> Mapping[str, Named]:
        found: dict[str, Named] = {}
        stub = directory_pb2_grpc.DirectoryServiceStub(self._channel())
        for piece in _pieces(ids):
            answer = await stub.GetPeople(pb.GetPeopleRequest(person_ids=piece))
            found |= {each.person_id: Named(each.full_name, each.organisation_name) for each in answer.people}
        return found

    async def organisations(self, ids: Sequence[str]) -> Mapping[str, Organisation]:
        found: dict[str, Organisation] = {}
        stub = directory_pb2_grpc.DirectoryServiceStub(self._channel())
        for piece in _pieces(ids):
            answer = await stub.GetOrganisations(pb.GetOrganisationsRequest(organisation_ids=piece))
            found |= {each.organisation_id: Organisation(each.name, each.parent_id) for each in answer.organisations}
        return found


def _pieces(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _LARGEST_CALL] for start in range(0, len(ids), _LARGEST_CALL))
