"""Finishes what a killed process or a lost call left half entered."""

import asyncio
from collections.abc import Sequence

import structlog

from sangkien.recognition.application.enter_items import EnterItems
from sangkien.recognition.application.serve_documents import ServeDocuments
from sangkien.store import StoreUnavailable

_log = structlog.get_logger("sangkien.recognition")


class Sweep:
    """Looks for issued decisions that are not wholly in the register, at the start and every `seconds`."""

    def __init__(self, entering: EnterItems, documents: ServeDocuments, *, seconds: float) -> None:
        self._entering = entering
        self._documents = documents
        self._seconds = seconds

    async def __call__(self) -> None:
        """Runs until cancelled; then nothing of it runs on."""
        try:
            while True:
                await self._round()
                await asyncio.sleep(self._seconds)
        finally:
            await self._entering.close()
            await self._documents.close()

    async def _round(self) -> None:
        for decision_id in await self._unfinished():
            try:
                await self._entering(decision_id)
            except Exception as error:  # noqa: BLE001 (the next round tries again; the other decisions go on)
                _log.error("entering_failed", decision_id=decision_id, error_type=type(error).__name__, exc_info=True)

    async def _unfinished(self) -> Sequence[str]:
        try:
            return await self._entering.unfinished()
        except StoreUnavailable:
            return ()  # the health check says so already
