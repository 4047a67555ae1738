"""Names and units from directory."""

from collections.abc import Mapping, Sequence
from datetime import date

from sangkien.api.directory.v1 import directory_pb2
from sangkien.chassis import DirectoryLookup
from sangkien.recognition.application.ports import Unit


class DirectoryNames:
    """The port `Directory`."""

    def __init__(self, directory: DirectoryLookup) -> None:
        self._directory = directory

    async def people(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {one.person_id: one.full_name for one in await self._directory.people(ids)}

    async def units(self, ids: Sequence[str]) -> Mapping[str, Unit]:
        return {one.organisation_id: _unit(one) for one in await self._directory.organisations(ids)}


def _unit(one: directory_pb2.Organisation) -> Unit:
    return Unit(one.name, one.kind, one.parent_id, _day(one.valid_from), _day(one.valid_to))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
