"""The port `Directory` over gRPC."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

import grpc

from sangkien.api.directory.v1 import directory_pb2 as pb
from sangkien.api.directory.v1 import directory_pb2_grpc
from sangkien.recognition.application.ports import Unit

_AT_ONCE: Final = 1_000


class DirectoryClient:
    """Asks directory as this service. An unreachable directory is `RemoteUnavailable`, which the edge answers with
    UNAVAILABLE: nothing was written, and the same call may succeed later.
    """

    def __init__(self, channel: Callable[[], grpc.aio.Channel]) -> None:
        self._channel = channel

    async def people(self, ids: Sequence[str]) -> Mapping[str, str]:
        answers = await asyncio.gather(
            *[self._stub.GetPeople(pb.GetPeopleRequest(person_ids=chunk)) for chunk in _chunks(ids)]
        )
        return {person.person_id: person.full_name for answer in answers for person in answer.people}

    async def units(self, ids: Sequence[str]) -> Mapping[str, Unit]:
        answers = await asyncio.gather(
            *[self._stub.GetOrganisations(pb.GetOrganisationsRequest(organisation_ids=chunk)) for chunk in _chunks(ids)]
        )
        return {one.organisation_id: _unit(one) for answer in answers for one in answer.organisations}

    @property
    def _stub(self) -> "directory_pb2_grpc.DirectoryServiceStub":
        return directory_pb2_grpc.DirectoryServiceStub(self._channel())


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]


def _unit(one: pb.Organisation) -> Unit:
    return Unit(one.name, one.kind, one.parent_id, _day(one.valid_from), _day(one.valid_to))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
