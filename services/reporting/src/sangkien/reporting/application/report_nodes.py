"""The report on the nodes below this one."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sangkien.reporting.application.ports import FactBook
from sangkien.reporting.domain import NodeFigures


@dataclass(frozen=True, slots=True)
class NodeReport:
    """`rounds` by node, tier and round; `totals` by node."""

    rounds: list[NodeFigures]
    totals: list[NodeFigures]
    total: NodeFigures


class ReportNodes:
    """Sums what other nodes reported of their decisions. They assert it; it is not in this node's register."""

    def __init__(self, facts: FactBook) -> None:
        self._facts = facts

    async def __call__(self, year: int = 0) -> NodeReport:
        rounds: dict[tuple[str, str, str], list[NodeFigures]] = {}
        for fact in await self._facts.all("node_decisions"):
            if not year or fact["issued_on"][:4] == f"{year}":
                rounds.setdefault((fact["node"], fact["tier"], fact["round_id"]), []).append(_figures(fact))
        listed = [
            _sum(NodeFigures(node, round_id, tier=tier), some)
            for (node, tier, round_id), some in sorted(rounds.items())
        ]
        nodes = sorted({one.node for one in listed})
        totals = [_sum(NodeFigures(node), [one.total for one in listed if one.node == node]) for node in nodes]
        return NodeReport(listed, totals, _sum(NodeFigures(), totals))


def _figures(fact: dict[str, Any]) -> NodeFigures:
    return NodeFigures(
        round_name=fact["round_name"],
        decisions=1,
        recognised=fact["recognised"],
        refused=fact["refused"],
        last_issued_on=fact["issued_on"],
    )


def _sum(named: NodeFigures, some: Iterable[NodeFigures]) -> NodeFigures:
    return reduce(NodeFigures.and_, some, named)
