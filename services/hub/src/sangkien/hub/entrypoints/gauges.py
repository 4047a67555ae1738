"""What the hub's metrics say of its links, looked up every so often."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from sangkien.hub.application.desk import Desk
from sangkien.hub.application.hear_receipts import HearReceipts
from sangkien.hub.application.ports import Links
from sangkien.hub.application.queries import Tally
from sangkien.hub.domain.node import HEARING, HUB, LINKED, Node
from sangkien.runtime import Metrics

EVERY_S = 15.0

_log = structlog.get_logger("sangkien.hub")


class Gauges:
    """A loop of the hub's background. `certificate_until`: the end of the certificate that nodes are shown."""

    def __init__(
        self,
        metrics: Metrics,
        desk: Desk,
        links: Links,
        hear: HearReceipts,
        tally: Tally,
        certificate_until: Callable[[], datetime],
        every_s: float = EVERY_S,
    ) -> None:
        self._metrics = metrics
        self._desk = desk
        self._links = links
        self._hear = hear
        self._tally = tally
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
        """Set every gauge as of now, for the nodes that have a link. Raises StoreUnavailable."""
        desk, set_peers = self._desk, self._metrics.set_peers
        now = desk.world.now()
        nodes = {node.node: node for node in desk.nodes.values() if node.state in LINKED | HEARING}
        waiting = {id: count for id, count in (await desk.shelf.count_held()).items() if id in nodes}
        connected = set(self._links.connected())
        since = desk.log.unstamped_since
        self._metrics.set("stamp_wait_seconds", (now - since).total_seconds() if since else 0.0)
        set_peers("link_connected", {id: float(id in connected) for id in nodes if nodes[id].state in LINKED})
        set_peers("link_backlog", {id: float(waiting.get(id, 0)) for id in nodes})
        set_peers("link_oldest_seconds", dict.fromkeys(nodes, 0.0) | await self._oldest(waiting, now))
        heard = {id: self._hear.heard_at.get(id) or desk.peers[id].receipted_at for id in nodes}
        set_peers("link_receipt_seconds", {id: (now - at).total_seconds() for id, at in heard.items() if at})
        set_peers("link_refused", {id: float(self._tally.refused[id]) for id in nodes})
        set_peers("link_discarded", {id: float(self._tally.discarded[id]) for id in nodes})
        ends = _ends(nodes) | {HUB: self._certificate_until()}
        set_peers("certificate_seconds_left", {id: (end - now).total_seconds() for id, end in ends.items()})

    async def _oldest(self, waiting: Mapping[str, int], now: datetime) -> dict[str, float]:
        found = {}
        for id in waiting:
            if first := await self._desk.shelf.held(id, self._desk.peers[id].epoch, 0, 1):
                found[id] = (now - first[0].at).total_seconds()
        return found


def _ends(nodes: Mapping[str, Node]) -> dict[str, datetime]:
    return {id: node.credentials.certificate_until for id, node in nodes.items() if node.credentials}
