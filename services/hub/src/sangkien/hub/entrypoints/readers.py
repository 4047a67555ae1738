"""One reader a node: off its stream, examined, into its queue."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from sangkien.federation.connection import end
from sangkien.hub.application.desk import Desk
from sangkien.hub.application.examine import Asked, Discarded, Examine, Receipted, Sealed
from sangkien.hub.application.forward_messages import ForwardMessages
from sangkien.hub.application.hear_receipts import HearReceipts
from sangkien.hub.application.intake import MOST_OF_ONE, Bucket, Queues
from sangkien.hub.application.ports import Away, Links, Parcel
from sangkien.hub.application.queries import Tally
from sangkien.hub.application.tell_history import TellHistory
from sangkien.store import Conflict, Duplicate, StoreUnavailable

_WAIT_S = 20.0
_PAUSE_S = 0.5

_log = structlog.get_logger("sangkien.hub")


class NodeReaders:
    """The port `Readers`."""

    def __init__(  # noqa: PLR0913 (the parts, each given once)
        self,
        desk: Desk,
        links: Links,
        queues: Queues,
        examine: Examine,
        hear: HearReceipts,
        history: TellHistory,
        forward: ForwardMessages,
        tally: Tally,
        *,
        bucket: Callable[[], Bucket],
    ) -> None:
        self._desk = desk
        self._links = links
        self._queues = queues
        self._examine = examine
        self._hear = hear
        self._history = history
        self._forward = forward
        self._tally = tally
        self._bucket = bucket
        self._buckets: dict[str, Bucket] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._held_off: set[str] = set()

    def __contains__(self, node: str) -> bool:
        """Whether the node's stream is being read, or nobody is to read it now."""
        task = self._tasks.get(node)
        return node in self._held_off or (task is not None and not task.done())

    @asynccontextmanager
    async def held_off(self, node: str) -> AsyncIterator[None]:
        self._held_off.add(node)
        try:
            await self.stop(node)
            yield
        finally:
            self._held_off.discard(node)

    async def start(self, node: str) -> None:
        await self.stop(node)
        if node in self._held_off:
            return
        self._tasks[node] = asyncio.create_task(self._read(node), name=f"reader-{node}")

    async def stop(self, node: str) -> None:
        task = self._tasks.pop(node, None)
        if task is not None:
            await end(task)
        self._queues.forget(node)

    async def close(self) -> None:
        for node in list(self._tasks):
            await self.stop(node)

    async def _read(self, node: str) -> None:
        await self._rewind(node)
        bucket = self._buckets.setdefault(node, self._bucket())
        while True:
            try:
                await asyncio.sleep(bucket.wait_s())
                room = await self._queues.room(node)
                parcels = await self._links.link(node).fetch(min(room, MOST_OF_ONE), _WAIT_S)
                bucket.spend(len(parcels), self._desk.world.now())
                await self._sort(node, parcels)
            except (Away, StoreUnavailable, Conflict, Duplicate) as error:
                _log.warning("reading_failed", node=node, error_type=type(error).__name__)
                await asyncio.sleep(_PAUSE_S)
            except Exception as error:  # noqa: BLE001 (a bug met by one message must not end the node's link)
                _log.error("reading_failed", node=node, error_type=type(error).__name__, exc_info=True)
                await asyncio.sleep(_PAUSE_S)

    async def _rewind(self, node: str) -> None:
        while True:
            try:
                await self._links.link(node).rewind()
                return
            except Away as error:
                _log.warning("rewind_failed", node=node, reason=str(error))
                await asyncio.sleep(_PAUSE_S)

    async def _sort(self, node: str, parcels: Sequence[Parcel]) -> None:
        sealed: list[Sealed] = []
        done: list[Parcel] = []
        asked: list[Asked] = []
        heard: Receipted | None = None
        for parcel in parcels:
            found = self._examine(parcel, self._desk.nodes[node])
            if isinstance(found, Sealed):
                sealed.append(found)
                continue
            done.append(parcel)
            if isinstance(found, Receipted):
                heard = found  # a state: the newest says all
            elif isinstance(found, Asked):
                asked.append(found)
            elif isinstance(found, Discarded):
                self._tally.discarded[node] += 1
                _log.warning("message_discarded", node=node, code=found.code, type=parcel.type[:100])
        # The broker may hand out again, behind newer ones, what it sent into the void when a link came back.
        self._queues.put(node, sorted(sealed, key=lambda one: (one.seal.epoch, one.seal.n)))
        if heard is not None:
            await self._hear(heard.receipt)
            if heard.receipt.gap:
                self._forward.gap(node, heard.receipt.n)
                self._desk.to_forward.ring(node)
        for question in asked:
            await self._history(node, question)
        for parcel in done:
            await parcel.ack()
