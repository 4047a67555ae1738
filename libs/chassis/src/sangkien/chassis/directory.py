"""What every service asks directory for: who and what an id stands for."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

import grpc

from sangkien.api.directory.v1 import directory_pb2, directory_pb2_grpc

_LARGEST_CALL: Final = 1_000


class DirectoryLookup:
    """Asks with this service's own token, a thousand ids a call. Ids that directory does not know are left out.

    Raises RemoteUnavailable when it does not answer.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = directory_pb2_grpc.DirectoryServiceStub(channel)

    async def people(self, ids: Sequence[str]) -> list[directory_pb2.Person]:
        requests = [directory_pb2.GetPeopleRequest(person_ids=some) for some in _calls(ids)]
        answers = await asyncio.gather(*[self._stub.GetPeople(request) for request in requests])
        return [person for answer in answers for person in answer.people]

    async def organisations(self, ids: Sequence[str]) -> list[directory_pb2.Organisation]:
        requests = [directory_pb2.GetOrganisationsRequest(organisation_ids=some) for some in _calls(ids)]
        answers = await asyncio.gather(*[self._stub.GetOrganisations(request) for request in requests])
        return [one for answer in answers for one in answer.organisations]


def _calls(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _LARGEST_CALL] for start in range(0, len(ids), _LARGEST_CALL))
