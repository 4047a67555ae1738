"""What a report says. Figures are counts of facts, each fact held once, so no order of events changes them."""

from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """Decisions of one node below this one for one round at one tier, as it reported them; or a sum of such."""

    node: str = ""
    round_id: str = ""
    round_name: str = ""
    tier: str = ""
    decisions: int = 0
    recognised: int = 0
    refused: int = 0
    last_issued_on: str = ""

    @property
    def total(self) -> "NodeFigures":
        """The figures alone, as they go into a sum of several rounds."""
        return replace(self, node="", round_id="", round_name="", tier="")

    def and_(self, other: "NodeFigures") -> "NodeFigures":
        """Both together, under this one's name. The name of the round is that of the later decision."""
        later = other if other.last_issued_on > self.last_issued_on else self
        return replace(
            self,
            round_name=later.round_name or self.round_name,
            decisions=self.decisions + other.decisions,
            recognised=self.recognised + other.recognised,
            refused=self.refused + other.refused,
            last_issued_on=later.last_issued_on,
        )
