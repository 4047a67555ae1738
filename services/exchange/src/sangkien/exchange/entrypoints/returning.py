"""Dossiers that the hub did not forward: the filing side hears of it as of any that was not received."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from sangkien.contracts.events import ForeignAnswerReceived
from sangkien.exchange.application.ports import Commit, CustodyStep, CustodySteps, Registry, World
from sangkien.exchange.domain.foreign import Returned, Sent
from sangkien.exchange.entrypoints.dealings import Books, hanoi_day
from sangkien.messaging import outbox_row
from sangkien.store import Op

_MOST: Final = 100


def one_after_the_other(*turns: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[int]]:
    """Several turns of work as one; how much there was in all."""

    async def turn() -> int:
        return sum([await each() for each in turns])

    return turn


class ReturnToAuthors:
    """Looks for what the hub refused, each message once."""

    def __init__(self, books: Books, steps: CustodySteps, registry: Registry, world: World, commit: Commit) -> None:
        self._books = books
        self._steps = steps
        self._registry = registry
        self._world = world
        self._commit = commit
        self._after = ""

    async def __call__(self) -> int:
        """Tell of the next refused ones; how many were looked at. Raises Conflict when an answer came meanwhile."""
        found = await self._books.returned(self._after, _MOST)
        sent = await self._books.sent([one.dossier_id for one in found if one.dossier_id])
        ops: list[Op] = []
        for one in found:
            known = sent.get(one.dossier_id)
            if known is not None and known.version == one.version:
                ops += self._told(one, known)
        if ops:
            await self._commit(ops)
        if found:
            self._after = found[-1].number
        return len(found)

    def _told(self, one: Returned, sent: Sent) -> list[Op]:
        me = self._registry.me.node
        event = ForeignAnswerReceived(
            dossier_id=one.dossier_id,
            version=one.version,
            node=one.node,
            answer="not_received",
            reason=one.code,
            on=hanoi_day(one.at),
            author_ids=sent.authors,
        )
        told = outbox_row(
            event,
            event_id=self._world.new_id(),
            aggregate_id=one.dossier_id,
            aggregate_version=sent.rank + 1,
            at=self._world.now(),
            traceparent=one.trace,
        )
        step = CustodyStep(
            dossier_id=one.dossier_id, node=me, what="not_received", at=one.at, detail=one.code, code=sent.code,
            answer_from=me,
        )  # fmt: skip
        kept = self._books.keep(replace(sent, rank=sent.rank + 1))
        return [told, self._steps.recorded(step), kept, self._books.keep_return(one)]
