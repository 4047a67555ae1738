"""What several use cases check alike."""

from datetime import date

from sangkien.recognition.application.ports import Decisions
from sangkien.recognition.domain.decision import Decision
from sangkien.recognition.domain.errors import DecisionDateMalformed, DecisionUnknown


def parse_day(text: str, field: str) -> date | None:
    """Read YYYY-MM-DD; None for "". Raises DecisionDateMalformed."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise DecisionDateMalformed(field=field) from None
    if day.isoformat() != text:  # Python also reads 20231220 and 2023-W51-3
        raise DecisionDateMalformed(field=field)
    return day


async def known(decisions: Decisions, decision_id: str) -> Decision:
    """The decision. Raises DecisionUnknown."""
    decision = await decisions.get(decision_id)
    if decision is None:
        raise DecisionUnknown(field="decision_id")
    return decision
