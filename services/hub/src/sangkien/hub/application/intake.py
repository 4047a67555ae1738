"""The intake: a queue a node, filled by its reader and emptied fairly, so that a noisy node slows only itself."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sangkien.hub.application.examine import Sealed

MOST_OF_ONE = 100
"""Messages of one node in one unit."""
MOST_IN_UNIT = 512
MOST_WAITING = 2 * MOST_OF_ONE
"""Messages of one node off its stream and not decided: the next are fetched when it falls below half."""


@dataclass(slots=True)
class Bucket:
    """A node's quota: `rate` messages a second on average, `burst` at once (a token bucket)."""

    rate: float
    burst: float
    left: float
    at: datetime

    def spend(self, count: int, now: datetime) -> None:
        """Take note of messages that came; what is overspent has to be waited for."""
        passed = max(0.0, (now - self.at).total_seconds())
        self.left = min(self.burst, self.left + passed * self.rate) - count
        self.at = now

    def wait_s(self) -> float:
        """How long the node's messages stay where they are, in seconds."""
        return max(0.0, -self.left / self.rate)


class Queues:
    """Messages off the streams, waiting for the desk."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Sealed]] = {}
        self._order: deque[str] = deque()
        self._some = asyncio.Event()
        self._room: dict[str, asyncio.Event] = {}

    async def room(self, node: str) -> int:
        """Wait until more may be fetched; answers how many."""
        room = self._room.setdefault(node, asyncio.Event())
        while len(self._queues.get(node, ())) > MOST_OF_ONE:
            room.clear()
            await room.wait()
        return MOST_WAITING - len(self._queues.get(node, ()))

    @property
    def crowded(self) -> bool:
        """Whether some node sends more than is decided at once: a link that came back, or a flood."""
        return any(len(queue) >= MOST_OF_ONE // 2 for queue in self._queues.values())

    def put(self, node: str, messages: Sequence[Sealed]) -> None:
        if not messages:
            return
        queue = self._queues.get(node)
        if queue is None:
            queue = self._queues[node] = deque()
            self._order.append(node)
        queue.extend(messages)
        self._some.set()

    def forget(self, node: str) -> None:
        """Drop a node's messages: they lie in its stream until they are acknowledged."""
        if self._queues.pop(node, None) is not None:
            self._order.remove(node)
        if node in self._room:
            self._room[node].set()

    async def gather(self) -> list[Sealed]:
        """Wait for messages, and answer the next unit of them: some of each node that has any, each in its order.

        Who went first in this one goes last in the next.
        """
        await self._some.wait()
        unit: list[Sealed] = []
        for _ in range(len(self._order)):
            if len(unit) >= MOST_IN_UNIT:
                break
            node = self._order.popleft()
            queue = self._queues[node]
            count = min(MOST_OF_ONE, len(queue), MOST_IN_UNIT - len(unit))
            unit += [queue.popleft() for _ in range(count)]
            if queue:
                self._order.append(node)
            else:
                del self._queues[node]
            if len(queue) <= MOST_OF_ONE and node in self._room:
                self._room[node].set()
        if not self._queues:
            self._some.clear()
        return unit
