"""Finishes what a killed process or a lost call left half counted."""

import asyncio

import structlog

from sangkien.kernel import Refusal
from sangkien.review.application.close_session import CloseSession
from sangkien.store import StoreError

_EVERY_SECONDS = 60.0

_log = structlog.get_logger("sangkien.review")


async def finish_counting(closing: CloseSession) -> None:
    """End sessions whose counting was cut off, at once and then every minute, until cancelled."""
    while True:
        try:
            await closing.resume()
        except (Refusal, StoreError) as error:
            _log.warning("counting_not_resumed", error_type=type(error).__name__)
        await asyncio.sleep(_EVERY_SECONDS)
