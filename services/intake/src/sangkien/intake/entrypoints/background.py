"""What intake does without being asked."""

import asyncio

import structlog

from sangkien.intake.application.sweep_files import SweepFiles
from sangkien.store import StoreUnavailable

_log = structlog.get_logger("sangkien.intake")


class Sweeping:
    """Sweeps evidence files at the start and every `seconds`, until cancelled."""

    def __init__(self, sweep: SweepFiles, *, seconds: float) -> None:
        self._sweep = sweep
        self._seconds = seconds

    async def __call__(self) -> None:
        while True:
            await self._round()
            await asyncio.sleep(self._seconds)

    async def _round(self) -> None:
        try:
            swept = await self._sweep()
        except StoreUnavailable:
            return  # the health check says so already
        except Exception as error:  # noqa: BLE001 (filing goes on, whatever is wrong with a file; the next round tries again)
            _log.error("sweeping_failed", error_type=type(error).__name__, exc_info=True)
            return
        if swept.partial or swept.unnamed:
            _log.info("files_swept", partial=swept.partial, unnamed=swept.unnamed)
