"""The port `Directory` over gRPC, with a memory of what was found."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, TypeVar

import grpc

from sangkien.api.directory.v1 import directory_pb2 as pb
from sangkien.api.directory.v1 import directory_pb2_grpc
from sangkien.intake.application.ports import (
    DirectoryDown,
    PersonAsked,
    PersonNamed,
    PersonTurnedDown,
    UnitAnswer,
)
from sangkien.rpc import RemoteFault, RemoteUnavailable

_LARGEST_CALL: Final = 1_000
_REMEMBERED_SECONDS: Final = 300.0
_MOST_REMEMBERED: Final = 50_000

K = TypeVar("K")
T = TypeVar("T")


class _Memory(dict[K, tuple[float, T]]):
    """Answers kept for some minutes. When full it starts afresh: it saves calls, nothing depends on it."""

    def recall(self, key: K) -> T | None:
        kept = self.get(key)
        return kept[1] if kept is not None and kept[0] > time.monotonic() else None

    def keep(self, key: K, value: T) -> None:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[key] = (time.monotonic() + _REMEMBERED_SECONDS, value)


class DirectoryClient:
    """Asks the directory with this service's own token. Only what was found is remembered: what is unknown now may be
    registered the next moment. A person is remembered with everything that was asked of them: the directory refuses a
    malformed e-mail of somebody it knows as well, and the same list has the same answers every time.
    """

    def __init__(self, channel: Callable[[], grpc.aio.Channel]) -> None:
        self._channel = channel
        self._units: _Memory[tuple[str, date], UnitAnswer] = _Memory()
        self._people: _Memory[PersonAsked, str] = _Memory()

    async def units(self, names: Sequence[str], on: date) -> Sequence[UnitAnswer]:
        known = {name: found for name in names if (found := self._units.recall((name, on))) is not None}
        for chunk in _chunks([name for name in dict.fromkeys(names) if name not in known]):
            request = pb.ResolveUnitsRequest(names=chunk, on=on.isoformat())
            answer = await _answer(self._stub.ResolveUnits(request))
            for name, match in zip(chunk, answer.matches, strict=True):
                known[name] = UnitAnswer(match.organisation_id, tuple(match.suggestions), match.ambiguous)
                if match.organisation_id:
                    self._units.keep((name, on), known[name])
        return [known[name] for name in names]

    async def people(self, asked: Sequence[PersonAsked]) -> Sequence[str | PersonTurnedDown]:
        known: dict[PersonAsked, str | PersonTurnedDown] = {}
        for person in asked:
            found = self._people.recall(person)
            if found is not None:
                known[person] = found
        for chunk in _chunks([person for person in dict.fromkeys(asked) if person not in known]):
            request = pb.RegisterPeopleRequest(people=[_new_person(person) for person in chunk])
            answer = await _answer(self._stub.RegisterPeople(request))
            for person, result in zip(chunk, answer.results, strict=True):
                if result.person_id:
                    known[person] = result.person_id
                    self._people.keep(person, result.person_id)
                else:
                    error = result.error
                    known[person] = PersonTurnedDown(error.code, f"{error.message_vi} / {error.message_en}")
        return [known[person] for person in asked]

    async def named(self, person_ids: Sequence[str]) -> Mapping[str, PersonNamed]:
        request = pb.GetPeopleRequest(person_ids=person_ids)
        answer = await _answer(self._stub.GetPeople(request))
        return {one.person_id: PersonNamed(one.full_name, one.organisation_name) for one in answer.people}

    async def unit_names(self, unit_ids: Sequence[str]) -> Mapping[str, str]:
        request = pb.GetOrganisationsRequest(organisation_ids=unit_ids)
        answer = await _answer(self._stub.GetOrganisations(request))
        return {one.organisation_id: one.name for one in answer.organisations}

    @property
    def _stub(self) -> "directory_pb2_grpc.DirectoryServiceStub":
        return directory_pb2_grpc.DirectoryServiceStub(self._channel())


async def _answer(call: Awaitable[T]) -> T:
    try:
        return await call
    except (RemoteUnavailable, RemoteFault) as error:  # a fault of its own may be gone the next time, too
        raise DirectoryDown(error.method) from None


def _chunks(items: Sequence[K]) -> Iterator[Sequence[K]]:
    return (items[start : start + _LARGEST_CALL] for start in range(0, len(items), _LARGEST_CALL))


def _new_person(person: PersonAsked) -> pb.NewPerson:
    return pb.NewPerson(
        organisation_id=person.unit_id,
        full_name=person.full_name,
        birth_date=person.birth_date.isoformat() if person.birth_date else "",
        staff_code=person.staff_code,
        email=person.email,
        job_title=person.job_title,
    )
