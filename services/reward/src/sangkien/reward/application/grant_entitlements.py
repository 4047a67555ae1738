"""Grant what issued decisions owe, chunk by chunk: inline when a decision is issued, else by whoever comes next."""

from sangkien.reward.application.ports import Achievements, Commit, Decisions, Ledger, Record, Traces, World
from sangkien.reward.domain.decision import RewardDecision
from sangkien.reward.domain.ledger import Entitlement
from sangkien.reward.domain.recipients import Chunk
from sangkien.store import Conflict, Duplicate, Op

_BY = "service/reward"


class GrantEntitlements:
    """One chunk is one unit: entitlements, their lines in the ledger, their events, and the chunk no longer due.

    The chunk's version lets one of several win that grant the same chunk at once; the others write nothing.
    """

    def __init__(
        self,
        decisions: Decisions,
        ledger: Ledger,
        achievements: Achievements,
        world: World,
        traces: Traces,
        record: Record,
        commit: Commit,
    ) -> None:
        self._decisions = decisions
        self._ledger = ledger
        self._achievements = achievements
        self._world = world
        self._traces = traces
        self._record = record
        self._commit = commit

    async def of_decision(self, decision_id: str) -> None:
        """Grant all that one decision owes. Raises StoreUnavailable; what was granted until then stands."""
        while due := await self._decisions.due_chunks(decision_id):
            await self._grant(due)

    async def everything(self) -> int:
        """Grant all that is due anywhere; how many chunks that were. Raises StoreUnavailable."""
        count = 0
        while due := await self._decisions.due_chunks():
            count += len(due)
            await self._grant(due)
        return count

    async def _grant(self, due: list[Chunk]) -> None:
        decisions: dict[str, RewardDecision] = {}
        for chunk in due:
            decision = decisions.get(chunk.decision_id) or await self._decisions.get(chunk.decision_id)
            if decision is None:
                raise LookupError(f"chunk {chunk.id} has lost its decision")
            decisions[chunk.decision_id] = decision
            try:
                await self._commit(await self._granted(decision, chunk))
            except (Conflict, Duplicate):
                continue  # another one granted it meanwhile; what is still due is looked up again

    async def _granted(self, decision: RewardDecision, chunk: Chunk) -> list[Op]:
        """The unit of one chunk. A person's entitlement continues the trace of the initiative it is given for."""
        facts = decision.issued
        now = self._world.now()
        call = self._traces.traceparent()
        people = [each.holder_id for each in chunk.recipients if each.holder == "individual"]
        origins = await self._achievements.traces(people)
        chunk.granted()
        ops: list[Op] = [self._decisions.save_chunk(chunk)]
        for place, recipient in enumerate(chunk.recipients, start=chunk.start):
            entitlement_id = self._world.new_id()
            parent = origins.get(recipient.holder_id) or decision.traceparent
            links = [call] if call else []
            with self._traces.span("reward.grant", parent=parent, links=links, aggregate_id=entitlement_id):
                owed = Entitlement(
                    id=entitlement_id,
                    decision_id=decision.id,
                    place=place,
                    holder=recipient.holder,
                    holder_id=recipient.holder_id,
                    form=decision.form,
                    amount_vnd=facts.price(recipient.holder).amount_vnd,
                    granted_on=facts.issued_on,
                    traceparent=self._traces.traceparent(),
                )
                entry = owed.grant(facts.numbered.symbol)
                ops += [self._ledger.save(owed), self._ledger.add(entry, at=now, by=_BY)]
                ops += self._record(owed.pull_events(), version=1, traceparent=owed.traceparent)
        return ops
