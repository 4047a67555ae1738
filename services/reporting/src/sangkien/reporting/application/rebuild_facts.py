"""Throwing the facts away and reading them again from the journal."""

import asyncio
from contextlib import suppress

from sangkien.reporting.application.ports import Commit, EventJournal, FactBook, Progress, RebuildLog
from sangkien.store import Conflict, Duplicate, StoreUnavailable

_PAGE = 500
_PAUSE_SECONDS = 1.0


class RebuildFacts:
    """Each page of facts is committed with the place it ends at, so whatever cuts a rebuild off, it goes on from there.

    Reports are refused until it is through. Replicas that go on with the same rebuild share the pages between them.
    """

    def __init__(self, facts: FactBook, journal: EventJournal, log: RebuildLog, commit: Commit) -> None:
        self._facts = facts
        self._journal = journal
        self._log = log
        self._commit = commit
        self._asked = asyncio.Event()
        self._waiting: list[asyncio.Future[int]] = []

    async def __call__(self) -> int:
        """Begin a rebuild, or join the one under way; returns how many events were read, once it is through.

        It goes on when the caller goes away. `run` has to be running.
        """
        through: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if await self._log.progress() is None:
            with suppress(Duplicate):  # somebody else began it this very moment
                await self._commit([self._log.begin()])
        self._waiting.append(through)
        self._asked.set()
        return await through

    async def run(self) -> None:
        """Carry out what is asked for, after what was cut off. Never returns."""
        read = 0
        while True:
            try:
                while (progress := await self._log.progress()) is not None:
                    read = await self._step(progress)
            except (Conflict, Duplicate):
                continue  # a consumer or another replica was faster: look again
            except StoreUnavailable:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            for through in self._waiting:
                if not through.done():
                    through.set_result(read)
            self._waiting.clear()
            await self._asked.wait()
            self._asked.clear()

    async def _step(self, progress: Progress) -> int:
        """One page further; returns how many events were read so far."""
        if not progress.cleared:
            for kind in self._facts.kinds:
                if ids := await self._facts.some(kind, _PAGE):
                    await self._commit(self._facts.removals(kind, ids))
                    return 0
            await self._commit([self._log.cleared(progress)])
            return 0
        entries, after = await self._journal.page(progress.after, _PAGE)
        facts = [fact for entry in entries for fact in self._journal.facts_of(entry)]
        inserts = self._facts.inserts(await self._facts.missing(facts))
        read = progress.read + len(entries)
        await self._commit([*inserts, self._log.reached(progress, after, read)])
        return read
