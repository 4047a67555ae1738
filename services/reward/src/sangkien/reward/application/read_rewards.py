"""What is read of decisions, entitlements and the ledger."""

from dataclasses import dataclass

from sangkien.reward.application.ports import Balance, Decisions, EntitlementPage, Ledger
from sangkien.reward.domain.decision import RewardDecision
from sangkien.reward.domain.errors import DecisionUnknown, ListFilterWrong, NotYours

STAFF = frozenset({"secretary", "leader", "finance", "operator", "service"})
"""Roles that see everybody's entitlements."""


@dataclass(frozen=True, slots=True)
class EntitlementsAsked:
    """Of a decision or of a holder; the other is ""."""

    decision_id: str
    holder_id: str
    limit: int
    after: str


class ReadRewards:
    """Reads as of the last committed unit."""

    def __init__(self, decisions: Decisions, ledger: Ledger) -> None:
        self._decisions = decisions
        self._ledger = ledger

    async def decision(self, decision_id: str) -> RewardDecision:
        """Raises DecisionUnknown."""
        decision = await self._decisions.get(decision_id)
        if decision is None:
            raise DecisionUnknown(field="decision_id")
        return decision

    async def entitlements(self, asked: EntitlementsAsked, caller_id: str, roles: frozenset[str]) -> EntitlementPage:
        """Raises ListFilterWrong, PageTokenInvalid, and NotYours: a person without an office sees his or her own."""
        if bool(asked.decision_id) == bool(asked.holder_id):
            raise ListFilterWrong(field="decision_id")
        if not roles & STAFF and asked.holder_id != caller_id:
            raise NotYours
        return await self._ledger.page(asked.decision_id, asked.holder_id, asked.limit, asked.after)

    async def balance(self, decision_id: str) -> Balance:
        """Raises DecisionUnknown."""
        await self.decision(decision_id)
        return await self._ledger.balance(decision_id)
