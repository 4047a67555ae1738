"""Submit a draft for signature."""

from sangkien.reward.application.ports import Commit, Decisions
from sangkien.reward.domain.errors import DecisionUnknown
from sangkien.store.deciding import decided_again


class SubmitDecision:
    """Brings a draft to its signer; submitting again changes nothing."""

    def __init__(self, decisions: Decisions, commit: Commit) -> None:
        self._decisions = decisions
        self._commit = commit

    async def __call__(self, decision_id: str) -> None:
        """Raises DecisionUnknown."""
        await decided_again(lambda: self._submit(decision_id))

    async def _submit(self, decision_id: str) -> None:
        decision = await self._decisions.get(decision_id)
        if decision is None:
            raise DecisionUnknown(field="decision_id")
        if decision.submit():
            await self._commit([self._decisions.save(decision)])
