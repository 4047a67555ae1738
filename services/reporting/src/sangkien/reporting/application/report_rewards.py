"""The reward report."""

from sangkien.reporting.application.ports import FactBook
from sangkien.reporting.domain import RewardFigures


class ReportRewards:
    """Sums entitlements and payments by decision; a decision's own total serves only to reconcile."""

    def __init__(self, facts: FactBook) -> None:
        self._facts = facts

    async def __call__(self, year: int = 0) -> list[RewardFigures]:
        counts = {
            holder: await self._facts.count_by("entitlements", "decision_id", holder=holder)
            for holder in ("individual", "collective")
        }
        sums = {
            holder: await self._facts.sum_by("entitlements", "decision_id", "amount_vnd", holder=holder)
            for holder in ("individual", "collective")
        }
        paid = await self._facts.sum_by("payments", "decision_id", "amount_vnd")
        decisions = [
            d for d in await self._facts.all("reward_decisions") if not year or d["issued_on"][:4] == f"{year}"
        ]
        return [
            RewardFigures(
                decision_id=d["id"],
                symbol=d["symbol"],
                form=d["form"],
                issued_on=d["issued_on"],
                stated_vnd=d["total_vnd"],
                stated_recipients=d["recipients"],
                individuals=counts["individual"].get(d["id"], 0),
                collectives=counts["collective"].get(d["id"], 0),
                individuals_vnd=sums["individual"].get(d["id"], 0),
                collectives_vnd=sums["collective"].get(d["id"], 0),
                paid_vnd=paid.get(d["id"], 0),
            )
            for d in sorted(decisions, key=lambda d: (d["issued_on"], d["id"]))
        ]
