"""The loop that finishes what a killed process left: entitlements that are due and not granted."""

import asyncio

import structlog

from sangkien.reward.application.grant_entitlements import GrantEntitlements
from sangkien.store import StoreUnavailable

_EVERY_SECONDS = 2.0

_log = structlog.get_logger("sangkien.reward")


async def complete(grant: GrantEntitlements) -> None:
    """Grant what is due, at once and then every few seconds, until cancelled. An unreachable store is waited for."""
    while True:
        try:
            if chunks := await grant.everything():
                _log.info("entitlements_granted_late", chunks=chunks)
        except StoreUnavailable:
            _log.warning("entitlements_wait_for_store")
        await asyncio.sleep(_EVERY_SECONDS)
