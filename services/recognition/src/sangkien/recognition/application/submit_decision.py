"""Submit a draft for signature."""

from sangkien.recognition.application.asking import known
from sangkien.recognition.application.draft_decision import Collector
from sangkien.recognition.application.ports import Caller, Commit, Decisions
from sangkien.recognition.domain.errors import NotTheIssuer
from sangkien.store.deciding import decided_again


class SubmitDecision:
    """DU_THAO → TRINH_KY."""

    def __init__(self, decisions: Decisions, collector: Collector, commit: Commit) -> None:
        self._decisions = decisions
        self._collector = collector
        self._commit = commit

    async def __call__(self, decision_id: str, caller: Caller) -> None:
        """Submitting again changes nothing. A draft that was broken off while it took up its list is completed first.

        Raises DecisionUnknown, NotTheIssuer and DecisionIssuedAlready.
        """
        if (await known(self._decisions, decision_id)).issuer_id != caller.organisation:
            raise NotTheIssuer(field="decision_id")
        await self._collector.finish(decision_id)
        await decided_again(lambda: self._submit(decision_id, caller))

    async def _submit(self, decision_id: str, caller: Caller) -> None:
        decision = await known(self._decisions, decision_id)
        if decision.submit(caller.person_id, caller.organisation):
            await self._commit(self._decisions.changed(decision))
