"""Throwing the facts away and reading them again from the journal."""

from sangkien.reporting.application.ports import Commit, EventJournal, Fact, FactBook
from sangkien.store import Duplicate

_PAGE = 500


class RebuildFacts:
    """Reports are incomplete while it runs. Cut off in the middle, it is simply run again: facts only come once."""

    def __init__(self, facts: FactBook, journal: EventJournal, commit: Commit) -> None:
        self._facts = facts
        self._journal = journal
        self._commit = commit

    async def __call__(self) -> int:
        """Returns how many events were read."""
        for kind in self._facts.kinds:
            while ids := await self._facts.some(kind, _PAGE):
                await self._commit(self._facts.removals(kind, ids))
        read, after = 0, None
        while True:
            entries, after = await self._journal.page(after, _PAGE)
            facts = [fact for entry in entries for fact in self._journal.facts_of(entry)]
            await self._add(facts)
            read += len(entries)
            if after is None:
                return read

    async def _add(self, facts: list[Fact]) -> None:
        while missing := await self._facts.missing(facts):
            try:
                await self._commit(self._facts.inserts(missing))
            except Duplicate:  # a consumer was faster with one of them: look again
                continue
