"""Names from directory."""

from collections.abc import Mapping, Sequence

from sangkien.chassis import DirectoryLookup


class DirectoryNames:
    """The `Names` port."""

    def __init__(self, directory: DirectoryLookup) -> None:
        self._directory = directory

    async def people(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {one.person_id: one.full_name for one in await self._directory.people(ids)}

    async def organisations(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {one.organisation_id: one.name for one in await self._directory.organisations(ids)}
