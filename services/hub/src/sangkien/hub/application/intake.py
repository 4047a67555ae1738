"""The intake: a queue a node, filled by its reader and emptied fairly, so that a noisy node slows only itself."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sangkien.hub.application.examine import Sealed

MOST_OF_ONE = 100
"""Messages of one node in one unit."""
MOST_IN_UNIT = 512
MOST_BYTES_IN_UNIT = 8 * 1024 * 1024
"""A unit ends with the message that reaches it: parts of files are large, and all of a unit is in memory at once."""
MOST_BYTES_WAITING = 32 * 1024 * 1024
"""Of all nodes: above it nothing more is fetched."""
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


def _weight(message: Sealed) -> int:
    return message.seal.size


class Queues:
    """Messages off the streams, waiting for the desk. `weigh` answers the bytes of one."""

    def __init__(self, weigh: Callable[[Sealed], int] = _weight) -> None:
        self._weigh = weigh
        self._bytes = 0
        self._queues: dict[str, deque[Sealed]] = {}
        self._order: deque[str] = deque()
        self._some = asyncio.Event()
        self._room: dict[str, asyncio.Event] = {}

    async def room(self, node: str) -> int:
        """Wait until more may be fetched; answers how many."""
        room = self._room.setdefault(node, asyncio.Event())
        while len(self._queues.get(node, ())) > MOST_OF_ONE or self._bytes > MOST_BYTES_WAITING:
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
        self._bytes += sum(map(self._weigh, messages))
        self._some.set()

    def forget(self, node: str) -> None:
        """Drop a node's messages: they lie in its stream until they are acknowledged."""
        gone = self._queues.pop(node, None)
        if gone is not None:
            self._order.remove(node)
            self._bytes -= sum(map(self._weigh, gone))
            self._tell()
        if node in self._room:
            self._room[node].set()

    async def gather(self) -> list[Sealed]:
        """Wait for messages, and answer the next unit of them: some of each node that has any, each in its order.

        Who went first in this one goes last in the next.
        """
        await self._some.wait()
        unit: list[Sealed] = []
        size = 0
        for _ in range(len(self._order)):
            if len(unit) >= MOST_IN_UNIT or size >= MOST_BYTES_IN_UNIT:
                break
            node = self._order.popleft()
            queue = self._queues[node]
            for _ in range(min(MOST_OF_ONE, len(queue), MOST_IN_UNIT - len(unit))):
                size += self._weigh(queue[0])
                unit.append(queue.popleft())
                if size >= MOST_BYTES_IN_UNIT:
                    break
            if queue:
                self._order.append(node)
            else:
                del self._queues[node]
        self._bytes -= size
        self._tell()
        if not self._queues:
            self._some.clear()
        return unit

    def _tell(self) -> None:
        """Let those fetch on for whom there is room."""
        for node, room in self._room.items():
            if len(self._queues.get(node, ())) <= MOST_OF_ONE and self._bytes <= MOST_BYTES_WAITING:
                room.set()
