"""What exchange's metrics say of the link and of what waits, looked up every so often."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from sangkien.exchange.application.file_ports import FileCounts, Files
from sangkien.exchange.application.ports import World
from sangkien.exchange.application.post_messages import HUB
from sangkien.exchange.application.queries import Queries
from sangkien.runtime import Metrics

EVERY_S = 30.0

_log = structlog.get_logger("sangkien.exchange")


class Gauges:
    """A loop of exchange's background. `certificate_until`: the end of this node's own certificate."""

    def __init__(
        self,
        metrics: Metrics,
        queries: Queries,
        files: Files,
        world: World,
        certificate_until: Callable[[], datetime],
        every_s: float = EVERY_S,
    ) -> None:
        self._metrics = metrics
        self._queries = queries
        self._files = files
        self._world = world
        self._certificate_until = certificate_until
        self._every_s = every_s

    async def __call__(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 (figures must not end the service)
                _log.warning("gauges_not_set", error_type=type(error).__name__)
            await asyncio.sleep(self._every_s)

    async def look(self) -> None:
        """Set every gauge as of now. Raises StoreUnavailable."""
        link, peers, now = await self._queries.link(), await self._queries.peers(), self._world.now()
        set_peers = self._metrics.set_peers

        def age(at: datetime | None) -> float:
            return (now - at).total_seconds() if at else 0.0

        set_peers("link_connected", {HUB: float(link.connected)})
        set_peers("link_receipt_seconds", {HUB: age(link.last_receipt)} if link.last_receipt else {})
        set_peers("link_backlog", {peer.id: float(peer.waiting + peer.undelivered) for peer in peers})
        set_peers("link_oldest_seconds", {peer.id: age(peer.oldest_waiting) for peer in peers})
        set_peers("link_refused", {peer.id: float(peer.refused) for peer in peers})
        files = await self._files.counts()
        set_peers("files_missing", {peer.id: float(files.get(peer.id, FileCounts()).missing) for peer in peers})
        ends = self._certificate_until()
        set_peers("certificate_seconds_left", {HUB: (ends - now).total_seconds()})
