"""Every event of the node: into the journal, and its facts with it, in one unit."""

from collections.abc import Sequence
from typing import Protocol

from sangkien.messaging import Incoming
from sangkien.reporting.application.ports import Fact, FactBook
from sangkien.store import Op


class IncomingJournal(Protocol):
    """The journal as it is written."""

    def row_of(self, incoming: Incoming) -> Op:
        """What keeps the event."""
        ...

    def facts_in(self, incoming: Incoming) -> list[Fact]:
        """The facts it stands for."""
        ...


class Recorder:
    """One handler for all consumers. Facts are kept once, whatever comes twice or in another order."""

    def __init__(self, journal: IncomingJournal, facts: FactBook) -> None:
        self._journal = journal
        self._facts = facts

    async def record(self, messages: Sequence[Incoming]) -> Sequence[Op]:
        facts = [fact for message in messages for fact in self._journal.facts_in(message)]
        ops: list[Op] = [self._journal.row_of(message) for message in messages]
        return ops + self._facts.inserts(await self._facts.missing(facts))
