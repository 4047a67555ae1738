"""Removes evidence that nobody came back for."""

from datetime import timedelta

from sangkien.intake.application.ports import Dossiers, World
from sangkien.store.files import FileStore, Swept


class SweepFiles:
    """Removes uploads that took no part for `partial`, and whole files that no dossier names after `unnamed`."""

    def __init__(
        self, files: FileStore, dossiers: Dossiers, world: World, *, partial: timedelta, unnamed: timedelta
    ) -> None:
        self._files = files
        self._dossiers = dossiers
        self._world = world
        self._partial = partial
        self._unnamed = unnamed

    async def __call__(self) -> Swept:
        """How many it removed. Raises StoreUnavailable."""
        now = self._world.now()
        return await self._files.sweep(
            partial_before=now - self._partial, whole_before=now - self._unnamed, named=self._dossiers.named
        )
