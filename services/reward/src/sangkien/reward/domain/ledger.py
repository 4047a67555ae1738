"""Entitlements and the ledger: what is owed, what was paid, what was taken back. Entries are only ever added."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sangkien.kernel import Aggregate
from sangkien.reward.domain.errors import Overpaid, PaidInFuture, PaidTooEarly, PaymentZero, ReversalTooLarge
from sangkien.reward.domain.events import EntitlementWasGranted, Holder, PaymentWasRecorded


class Kind(StrEnum):
    """What an entry says happened."""

    OWED = "owed"
    PAID = "paid"
    REVERSED = "reversed"


class Account(StrEnum):
    """Where a sum moves between: the reward fund's expense, what is payable to holders, and cash."""

    EXPENSE = "expense"
    PAYABLE = "payable"
    CASH = "cash"


SIDES: dict[Kind, tuple[Account, Account]] = {
    Kind.OWED: (Account.EXPENSE, Account.PAYABLE),
    Kind.PAID: (Account.PAYABLE, Account.CASH),
    Kind.REVERSED: (Account.CASH, Account.PAYABLE),
}
"""Debit and credit of each kind. Every entry moves one sum from one account to another, so the books always balance."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger; `amount_vnd` is always above 0, the kind says which way it moves."""

    id: str
    decision_id: str
    entitlement_id: str
    kind: Kind
    amount_vnd: int
    on: date

    @property
    def debit(self) -> Account:
        return SIDES[self.kind][0]

    @property
    def credit(self) -> Account:
        return SIDES[self.kind][1]


@dataclass
class Entitlement(Aggregate):
    """What one recipient is owed by one decision, and what of it was paid, in whole đồng.

    `place` is its place in the decision's list, from 0. `paid_vnd` is always between 0 and `amount_vnd`.
    """

    id: str
    decision_id: str
    place: int
    holder: Holder
    holder_id: str
    form: str
    amount_vnd: int
    granted_on: date
    traceparent: str
    paid_vnd: int = 0

    def grant(self, decision_symbol: str) -> Entry:
        """Enter what is owed; once, when the entitlement is new. Returns the ledger's line."""
        self.record(
            EntitlementWasGranted(
                self.id,
                self.decision_id,
                decision_symbol,
                self.form,
                self.holder,
                self.holder_id,
                self.amount_vnd,
                self.granted_on,
            )
        )
        return Entry(f"{self.id}:owed", self.decision_id, self.id, Kind.OWED, self.amount_vnd, self.granted_on)

    def pay(self, payment_id: str, amount_vnd: int, on: date, today: date) -> Entry:
        """Enter a payment, or the reversal of one (a negative amount). Returns the ledger's line.

        Raises PaymentZero, PaidInFuture, PaidTooEarly, Overpaid, ReversalTooLarge.
        """
        if amount_vnd == 0:
            raise PaymentZero(field="amount_vnd")
        if on > today:
            raise PaidInFuture(field="paid_on", today=today.isoformat())
        if on < self.granted_on:
            raise PaidTooEarly(field="paid_on", granted_on=self.granted_on.isoformat())
        if self.paid_vnd + amount_vnd > self.amount_vnd:
            raise Overpaid(field="amount_vnd", left_vnd=self.amount_vnd - self.paid_vnd)
        if self.paid_vnd + amount_vnd < 0:
            raise ReversalTooLarge(field="amount_vnd", paid_vnd=self.paid_vnd)
        self.paid_vnd += amount_vnd
        self.record(PaymentWasRecorded(payment_id, self.id, self.decision_id, amount_vnd, on))
        kind = Kind.PAID if amount_vnd > 0 else Kind.REVERSED
        return Entry(payment_id, self.decision_id, self.id, kind, abs(amount_vnd), on)
