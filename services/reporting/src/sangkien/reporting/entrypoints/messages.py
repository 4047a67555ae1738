"""Every event of the node: into the journal, and its facts with it, in one unit."""

from collections.abc import Sequence

from sangkien.messaging import Incoming
from sangkien.reporting.adapters.facts import Facts
from sangkien.reporting.adapters.journal import journal_row
from sangkien.reporting.adapters.projection import facts_of
from sangkien.store import Op


class Recorder:
    """One handler for all five consumers. Facts are kept once, whatever comes twice or in another order."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    async def record(self, messages: Sequence[Incoming]) -> Sequence[Op]:
        facts = [fact for message in messages for fact in facts_of(message.event)]
        ops: list[Op] = [journal_row(message) for message in messages]
        return ops + self._facts.inserts(await self._facts.missing(facts))
