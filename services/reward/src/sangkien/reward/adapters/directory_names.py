"""Names from directory."""

from collections.abc import Mapping, Sequence

from sangkien.chassis import DirectoryLookup
from sangkien.reward.application.ports import Organisation
from sangkien.reward.domain.recipients import Named


class DirectoryNames:
    """The port `Directory`."""

    def __init__(self, directory: DirectoryLookup) -> None:
        self._directory = directory

    async def people(self, ids: Sequence[str]) -> Mapping[str, Named]:
        found = await self._directory.people(ids)
        return {one.person_id: Named(one.full_name, one.organisation_name) for one in found}

    async def organisations(self, ids: Sequence[str]) -> Mapping[str, Organisation]:
        found = await self._directory.organisations(ids)
        return {one.organisation_id: Organisation(one.name, one.parent_id) for one in found}
