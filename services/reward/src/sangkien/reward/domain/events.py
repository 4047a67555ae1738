"""What happened in reward, as its aggregates say it."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Holder = Literal["individual", "collective"]


@dataclass(frozen=True, slots=True)
class DecisionWasIssued:
    """A decision was signed, numbered and reckoned."""

    decision_id: str
    number: int
    symbol: str
    form: str
    issued_on: date
    issuer_id: str
    rule_set: str
    individuals: int
    collectives: int
    total_vnd: int


@dataclass(frozen=True, slots=True)
class EntitlementWasGranted:
    """A recipient of an issued decision is owed its sum."""

    entitlement_id: str
    decision_id: str
    decision_symbol: str
    form: str
    holder: Holder
    holder_id: str
    amount_vnd: int
    granted_on: date


@dataclass(frozen=True, slots=True)
class PaymentWasRecorded:
    """Finance paid, or reversed (a negative amount)."""

    payment_id: str
    entitlement_id: str
    decision_id: str
    amount_vnd: int
    paid_on: date


RewardEvent = DecisionWasIssued | EntitlementWasGranted | PaymentWasRecorded
