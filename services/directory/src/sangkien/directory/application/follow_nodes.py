"""Keep what other nodes assert of their own organisations."""

from collections.abc import Sequence
from dataclasses import replace

from sangkien.directory.application.ports import AssertedOrganisations
from sangkien.directory.domain.errors import OrganisationNotTheirs
from sangkien.directory.domain.succession import AssertedOrganisation
from sangkien.store import Op


class FollowNodes:
    """The latest word on each organisation. A node speaks of its own alone: their ids begin with its name."""

    def __init__(self, organisations: AssertedOrganisations, *, node: str) -> None:
        self._organisations = organisations
        self._node = node

    async def __call__(self, heard: Sequence[AssertedOrganisation]) -> Sequence[Op]:
        """The operations that store what is newer. Raises OrganisationNotTheirs."""
        latest: dict[str, AssertedOrganisation] = {}
        for one in heard:
            if one.node == self._node or not one.id.startswith(f"{one.node}:"):
                raise OrganisationNotTheirs(node=one.node)
            if one.id not in latest or one.version > latest[one.id].version:
                latest[one.id] = one
        known = await self._organisations.get_many(latest)
        return [
            self._organisations.save(replace(one, stored=known[id].stored if id in known else 0))
            for id, one in latest.items()
            if id not in known or one.version > known[id].version
        ]
