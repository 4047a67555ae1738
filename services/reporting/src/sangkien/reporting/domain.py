"""What a report says. Figures are counts of facts, each fact held once, so no order of events changes them."""

from dataclasses import dataclass

from sangkien.kernel import Refusal


class ReportsRebuilding(Refusal):
    """The facts are being read again from the journal: any figure given now would be too small."""

    code = "reports_rebuilding"
    kind = "precondition"


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """One round. `filed` leaves out what was withdrawn."""

    round_id: str
    name: str = ""
    group: str = ""
    tier: str = ""
    filed: int = 0
    accepted: int = 0
    refused_at_check: int = 0
    withdrawn: int = 0
    passed: int = 0
    failed: int = 0
    recognised: int = 0
    not_recognised: int = 0
    certificates: int = 0


@dataclass(frozen=True, slots=True)
class RewardFigures:
    """One reward decision: what it said, and what its entitlements and payments come to. Whole đồng."""

    decision_id: str
    symbol: str
    form: str
    issued_on: str
    stated_vnd: int
    stated_recipients: int
    individuals: int
    collectives: int
    individuals_vnd: int
    collectives_vnd: int
    paid_vnd: int

    @property
    def total_vnd(self) -> int:
        """Summed from the entitlements, not taken from the decision."""
        return self.individuals_vnd + self.collectives_vnd

    @property
    def reconciled(self) -> bool:
        """Whether entitlements and decision agree, in recipients and in money."""
        return (self.total_vnd, self.individuals + self.collectives) == (self.stated_vnd, self.stated_recipients)
