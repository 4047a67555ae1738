"""Keep what became of organisations whose councils take dossiers: until when they stand, and who follows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from sangkien.store import Op


@dataclass(frozen=True, slots=True)
class Owner:
    """An organisation that ends, or went over into others. `version` orders what its node says of it, `stored` is that
    of the document, 0 when new.
    """

    organisation_id: str
    version: int
    until: date | None
    successors: tuple[str, ...]
    stored: int = 0


class Owners(Protocol):
    """Those that are known."""

    async def get_many(self, ids: Sequence[str]) -> Mapping[str, Owner]: ...

    def kept(self, owner: Owner) -> Op: ...


class LearnOrganisations:
    """Keeps the latest word; of an organisation that simply stands, nothing."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners

    async def __call__(self, heard: Sequence[Owner]) -> list[Op]:
        latest: dict[str, Owner] = {}
        for one in heard:
            known = latest.get(one.organisation_id)
            if (one.until or one.successors) and (known is None or one.version > known.version):
                latest[one.organisation_id] = one
        kept = await self._owners.get_many(list(latest))
        return [
            self._owners.kept(_at(one, kept[id].stored if id in kept else 0))
            for id, one in latest.items()
            if id not in kept or one.version > kept[id].version
        ]


def _at(one: Owner, stored: int) -> Owner:
    return Owner(one.organisation_id, one.version, one.until, one.successors, stored)
