"""Names from directory."""

from collections.abc import Mapping, Sequence

import grpc

from sangkien.api.directory.v1 import directory_pb2, directory_pb2_grpc

_AT_ONCE = 1_000


class DirectoryNames:
    """The `Names` port: asks directory as this service, a thousand at a time."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = directory_pb2_grpc.DirectoryServiceStub(channel)

    async def people(self, ids: Sequence[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(ids), _AT_ONCE):
            request = directory_pb2.GetPeopleRequest(person_ids=ids[start : start + _AT_ONCE])
            answer = await self._stub.GetPeople(request)
            found.update((person.person_id, person.full_name) for person in answer.people)
        return found

    async def organisations(self, ids: Sequence[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(ids), _AT_ONCE):
            request = directory_pb2.GetOrganisationsRequest(organisation_ids=ids[start : start + _AT_ONCE])
            answer = await self._stub.GetOrganisations(request)
            found.update((one.organisation_id, one.name) for one in answer.organisations)
        return found
