"""Find units by the names people type."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date

from sangkien.directory.application.batches import check_batch
from sangkien.directory.application.ports import Organisations
from sangkien.directory.application.unit_index import Match, UnitIndex
from sangkien.directory.domain.organisation import Organisation

FRESH_SECONDS = 5.0


class ResolveUnits:
    """Answers from memory. What this process registers is known at once; `shared` says that others register too."""

    def __init__(self, organisations: Organisations, *, shared: bool, monotonic: Callable[[], float]) -> None:
        self._organisations = organisations
        self._shared = shared
        self._monotonic = monotonic
        self._index = UnitIndex()
        self._loaded_at = float("-inf")

    async def load(self) -> None:
        """Read every organisation again. Called once before the first question."""
        started = self._monotonic()
        self._index.put(await self._organisations.all())
        self._loaded_at = started

    def learn(self, organisations: Sequence[Organisation]) -> None:
        """Know organisations that were just committed."""
        self._index.put(organisations)

    async def __call__(self, names: Sequence[str], on: date | None) -> list[Match]:
        """One match for each name, in order. Raises BatchTooLarge."""
        check_batch(names, "names")
        if self._shared and self._monotonic() - self._loaded_at > FRESH_SECONDS:
            await self.load()
        found = {name: self._index.find(name, on) for name in names}
        if self._shared and any(_nothing(match) for match in found.values()):
            await self.load()  # another replica may have registered it a moment ago
            found = {name: self._index.find(name, on) for name in names}
        missing = [name for name, match in found.items() if _nothing(match)]
        if missing:
            found.update(await asyncio.to_thread(lambda: {name: self._index.suggest(name, on) for name in missing}))
        return [found[name] for name in names]


def _nothing(match: Match) -> bool:
    return not match.organisation_id and not match.ambiguous
