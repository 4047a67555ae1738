"""The round report."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sangkien.reporting.application.ports import EventJournal, FactBook
from sangkien.reporting.domain import RoundFigures


@dataclass(frozen=True, slots=True)
class RoundReport:
    """Rounds in order of opening, and how far the journal reached."""

    rounds: list[RoundFigures]
    events: int
    as_of: datetime | None


class ReportRounds:
    """Counts facts by round. A round nobody announced yet is listed by its id; dossiers without a round under ""."""

    def __init__(self, facts: FactBook, journal: EventJournal) -> None:
        self._facts = facts
        self._journal = journal

    async def __call__(self, only: str = "") -> RoundReport:
        where = {"round_id": only} if only else {}
        count = self._facts.count_by
        counts = {
            "filed": await count("filed", "round_id", **where),
            "withdrawn": await count("withdrawn", "round_id", **where),
            "accepted": await count("checked", "round_id", verdict="accepted", **where),
            "refused_at_check": await count("checked", "round_id", verdict="refused", **where),
            "passed": await count("voted", "round_id", outcome="passed", **where),
            "failed": await count("voted", "round_id", outcome="failed", **where),
            "recognised": await count("decided", "round_id", outcome="recognised", **where),
            "not_recognised": await count("decided", "round_id", outcome="refused", **where),
            "certificates": await count("certificates", "round_id", **where),
        }
        counts["filed"] = {r: n - counts["withdrawn"].get(r, 0) for r, n in counts["filed"].items()}
        opened = {each["id"]: each for each in await self._facts.all("rounds") if not only or each["id"] == only}
        order = sorted(opened, key=lambda r: (opened[r]["opens_on"], r))
        order += sorted({r for figures in counts.values() for r in figures} - opened.keys())
        events, as_of = await self._journal.extent()
        rounds = [_figures(round_id, opened.get(round_id, {}), counts) for round_id in order]
        return RoundReport(rounds, events, as_of)


def _figures(round_id: str, opened: dict[str, Any], counts: dict[str, dict[str, int]]) -> RoundFigures:
    return RoundFigures(
        round_id=round_id,
        name=opened.get("name", ""),
        group=opened.get("group", ""),
        tier=opened.get("tier", ""),
        **{name: figures.get(round_id, 0) for name, figures in counts.items()},
    )
