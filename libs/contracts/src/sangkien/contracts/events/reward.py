"""Facts that reward publishes: decisions, entitlements and payments. All money is whole đồng."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from sangkien.contracts.events.base import Event


class RewardDecisionIssued(Event):
    """A reward decision was signed and numbered; sums were computed from the rule set of its date."""

    TYPE: ClassVar[str] = "ev.reward.decision.issued.v1"

    decision_id: str
    number: int
    symbol: str
    form: str = Field(description="form of commendation, code of the rule set, e.g. giay-khen-quan")
    issued_on: date
    issuer_id: str
    rule_set: str
    individuals: int
    collectives: int
    total_vnd: int


class EntitlementGranted(Event):
    """One recipient is owed one sum."""

    TYPE: ClassVar[str] = "ev.reward.entitlement.granted.v1"

    entitlement_id: str
    decision_id: str
    decision_symbol: str
    form: str
    holder: Literal["individual", "collective"]
    holder_id: str = Field(description="person id or organisation id")
    amount_vnd: int
    granted_on: date


class PaymentRecorded(Event):
    """Finance paid an entitlement, or reversed a payment (negative amount)."""

    TYPE: ClassVar[str] = "ev.reward.payment.recorded.v1"

    payment_id: str
    entitlement_id: str
    decision_id: str
    amount_vnd: int
    paid_on: date
