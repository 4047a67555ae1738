"""Record payments and reversals: each key once, none beyond what is owed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sangkien.kernel import KeyReused, Refusal
from sangkien.reward.application.ports import Commit, KeptPayment, Ledger, Record, Traces, World
from sangkien.reward.domain.errors import EntitlementUnknown, PaymentsTooMany, RewardKeyMalformed
from sangkien.reward.domain.ledger import Entitlement
from sangkien.store import Op
from sangkien.store.deciding import ALREADY, Decision, decide_each

MOST_PAYMENTS = 1_000
_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Payment:
    """A sum paid (or, negative, taken back) on a day; None means today."""

    idempotency_key: str
    entitlement_id: str
    amount_vnd: int
    paid_on: date | None

    @property
    def fingerprint(self) -> str:
        """What the key stands for."""
        text = f"{self.entitlement_id}\x1f{self.amount_vnd}\x1f{self.paid_on or ''}"
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Paid:
    """The payment's id, and whether its key had been recorded before."""

    payment_id: str
    already: bool


Outcome = Paid | Refusal


@dataclass
class _Account:
    """The payments of one call on one entitlement, which are one document and so decided together."""

    entitlement_id: str
    payments: list[tuple[int, Payment]] = field(default_factory=list)


class RecordPayments:
    """Commits what can be recorded of a batch in one unit; every payment gets its own outcome."""

    def __init__(self, ledger: Ledger, world: World, traces: Traces, record: Record, commit: Commit) -> None:
        self._ledger = ledger
        self._world = world
        self._traces = traces
        self._record = record
        self._commit = commit

    async def __call__(self, payments: Sequence[Payment | Refusal], by: str) -> list[Outcome]:
        """One outcome each, in order; what was refused before comes back as it is. Raises PaymentsTooMany."""
        if len(payments) > MOST_PAYMENTS:
            raise PaymentsTooMany(field="payments", count=len(payments), limit=MOST_PAYMENTS)
        outcomes: dict[int, Outcome] = {}
        accounts: dict[str, _Account] = {}
        for place, payment in enumerate(payments):
            if isinstance(payment, Refusal):
                outcomes[place] = payment
            elif not 0 < len(payment.idempotency_key) <= _LONGEST_KEY or not payment.idempotency_key.isprintable():
                outcomes[place] = RewardKeyMalformed(field="idempotency_key", limit=_LONGEST_KEY)
            else:
                account = accounts.setdefault(payment.entitlement_id, _Account(payment.entitlement_id))
                account.payments.append((place, payment))
        together = list(accounts.values())

        async def decide(items: Sequence[_Account]) -> list[Decision]:
            return await self._decide(items, by, outcomes)

        for account, decision in zip(together, await decide_each(together, decide, self._commit), strict=True):
            if isinstance(decision, Refusal):
                outcomes.update({place: decision for place, _ in account.payments})
        return [outcomes[place] for place in range(len(payments))]

    async def _decide(self, accounts: Sequence[_Account], by: str, outcomes: dict[int, Outcome]) -> list[Decision]:
        """Decide on what is stored now; `outcomes` is filled as if the unit were committed, anew when it is not."""
        entitlements = await self._ledger.entitlements([each.entitlement_id for each in accounts])
        keys = [payment.idempotency_key for each in accounts for _, payment in each.payments]
        kept = await self._ledger.payments(keys)
        decisions: list[Decision] = []
        for account in accounts:
            ops: list[Op] = []
            entitlement = entitlements.get(account.entitlement_id)
            for place, payment in account.payments:
                outcomes[place] = self._recorded(payment, entitlement, kept, by, ops)
            if entitlement is not None and ops:
                ops.append(self._ledger.save(entitlement))
            decisions.append(ops or ALREADY)
        return decisions

    def _recorded(
        self, payment: Payment, entitlement: Entitlement | None, kept: dict[str, KeptPayment], by: str, ops: list[Op]
    ) -> Outcome:
        known = kept.get(payment.idempotency_key)
        if known is not None:
            if known.fingerprint != payment.fingerprint:
                return KeyReused(field="idempotency_key")
            return Paid(known.payment_id, already=True)
        if entitlement is None:
            return EntitlementUnknown(field="entitlement_id")
        today = self._world.today()
        payment_id = self._world.new_id()
        links = [call] if (call := self._traces.traceparent()) else []
        with self._traces.span("reward.pay", parent=entitlement.traceparent, links=links, aggregate_id=entitlement.id):
            try:
                entry = entitlement.pay(payment_id, payment.amount_vnd, payment.paid_on or today, today)
            except Refusal as refusal:
                return refusal
            key, fingerprint = payment.idempotency_key, payment.fingerprint
            ops.append(self._ledger.add(entry, at=self._world.now(), by=by, key=key, fingerprint=fingerprint))
            ops += self._record(entitlement.pull_events(), version=1, traceparent=self._traces.traceparent())
        kept[key] = KeptPayment(payment_id, fingerprint)
        return Paid(payment_id, already=False)
