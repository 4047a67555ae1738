"""Tell a node that was set back what it said: the seals of its own chain."""

import json

from sangkien.hub.application.desk import Desk
from sangkien.hub.application.examine import Asked
from sangkien.hub.application.ports import HISTORY, Links
from sangkien.hub.domain.node import HUB

MOST_BYTES = 400_000
MOST_SEALS = 500


class TellHistory:
    """Answers with one page."""

    def __init__(self, desk: Desk, links: Links) -> None:
        self._desk = desk
        self._links = links

    async def __call__(self, node: str, asked: Asked) -> None:
        """Send the seals behind that number: as many as one message holds, none when there are no more.

        Raises Away, StoreUnavailable.
        """
        seals: list[str] = []
        size = 0
        for line in await self._desk.shelf.chain(node, asked.epoch, asked.after + 1, MOST_SEALS):
            size += len(line.seal) + 3
            if size > MOST_BYTES:
                break
            seals.append(line.seal)
        answer = {"v": 1, "epoch": asked.epoch, "after": asked.after, "seals": seals}
        body = json.dumps(answer, separators=(",", ":")).encode()
        await self._links.link(node).send(HUB, HISTORY, body, {}, self._desk.world.new_id())
