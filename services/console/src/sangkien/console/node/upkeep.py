"""Renewing what runs out while a node runs: a member's keys and certificate, the hub's server certificate."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.links import HUB, LEAF, joined
from sangkien.console.node.rotating import rotate
from sangkien.console.node.stopping import Stop
from sangkien.federation import FederationError, HubFolder, MemberFolder
from sangkien.rpc import RemoteError
from sangkien.runtime import utc_now

RENEW_BEFORE = timedelta(days=30)
"""Of the 90 days of a member's certificate and the year of the hub's; the checklist complains at 14."""
LOOK_S = 6 * 3600.0
LINK_CHILDREN = (LEAF, "exchange", "services")
"""What holds the keys of a member in memory."""
HUB_CHILDREN = (HUB, "hub", "services")
"""What holds the hub's server certificate in memory."""

_log = structlog.get_logger("sangkien.console")


class Upkeep:
    """`restart` ends these children, to be started again with what lies in the folders then."""

    def __init__(self, folder: NodeFolder, restart: Callable[[tuple[str, ...]], None]) -> None:
        self._folder = folder
        self._restart = restart

    async def run(self) -> None:
        """Look now and every six hours, for ever."""
        while True:
            try:
                await self.look(utc_now())
            except Exception as error:  # noqa: BLE001 (a folder somebody damaged must not end the node that runs on it)
                _log.error("upkeep_failed", error_type=type(error).__name__, exc_info=True)
            await asyncio.sleep(LOOK_S)

    async def look(self, now: datetime) -> None:
        """Renew what ends within thirty days. What fails is logged and tried again at the next look."""
        try:
            self._renew_server(now)
            if joined(self._folder) and MemberFolder(self._folder.link).certificate_until - now < RENEW_BEFORE:
                await rotate(self._folder)
                self._restart(LINK_CHILDREN)
        except (Stop, RemoteError, FederationError) as error:
            _log.warning("certificate_not_renewed", code=getattr(error, "code", ""), error_type=type(error).__name__)

    def _renew_server(self, now: datetime) -> None:
        if not self._folder.hub.is_dir():
            return
        hub = HubFolder(self._folder.hub)
        if hub.server_certificate_until - now < RENEW_BEFORE:
            hub.renew_server_certificate(now=now)
            self._restart(HUB_CHILDREN)
