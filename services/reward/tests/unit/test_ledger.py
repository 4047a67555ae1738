from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sangkien.kernel import Refusal
from sangkien.reward.domain import errors
from sangkien.reward.domain.events import EntitlementWasGranted, PaymentWasRecorded
from sangkien.reward.domain.ledger import Account, Entitlement, Entry, Kind
from sangkien.text.catalogue import fix, known_codes, message, placeholders

GRANTED, TODAY = date(2023, 12, 20), date(2026, 11, 20)
PAID_ON = date(2023, 12, 28)


def owed(paid_vnd: int = 0) -> Entitlement:
    return Entitlement("E1", "D1", 0, "individual", "local:P1", "giay-khen-quan", 540_000, GRANTED, "", paid_vnd)


def test_grant_owes_the_whole_sum() -> None:
    entitlement = owed()
    entry = entitlement.grant("3034/QĐ-UBND")
    assert entry == Entry("E1:owed", "D1", "E1", Kind.OWED, 540_000, GRANTED)
    assert (entry.debit, entry.credit) == (Account.EXPENSE, Account.PAYABLE)
    assert entitlement.pull_events() == [
        EntitlementWasGranted("E1", "D1", "3034/QĐ-UBND", "giay-khen-quan", "individual", "local:P1", 540_000, GRANTED)
    ]


@pytest.mark.parametrize(
    ("paid", "amount", "on", "outcome"),
    [
        (0, 540_000, PAID_ON, 540_000),
        (0, 1, GRANTED, 1),
        (540_000, -540_000, PAID_ON, 0),
        (540_000, 0, PAID_ON, "reward_payment_zero"),
        (0, 540_001, PAID_ON, "reward_overpaid left_vnd=540000"),
        (540_000, 1, PAID_ON, "reward_overpaid left_vnd=0"),
        (0, -1, PAID_ON, "reward_reversal_too_large paid_vnd=0"),
        (0, 1, date(2023, 12, 19), "reward_paid_too_early granted_on=2023-12-20"),
        (0, 1, date(2026, 11, 21), "reward_paid_in_future today=2026-11-20"),
    ],
)
def test_payment_fits_what_is_owed_or_is_refused(paid: int, amount: int, on: date, outcome: int | str) -> None:
    entitlement = owed(paid)
    answer: int | str
    try:
        entitlement.pay("P1", amount, on, TODAY)
    except Refusal as refusal:
        facts = " ".join(f"{name}={value}" for name, value in refusal.facts.items())
        answer, recorded = f"{refusal.code} {facts}".strip(), []
    else:
        answer, recorded = entitlement.paid_vnd, [PaymentWasRecorded("P1", "E1", "D1", amount, on)]
    assert answer == outcome
    assert entitlement.pull_events() == recorded
    assert entitlement.paid_vnd == (paid + amount if recorded else paid)


@given(st.lists(st.integers(-600_000, 600_000)))
def test_ledger_balances_and_is_never_overpaid_whatever_finance_tries(amounts: list[int]) -> None:
    entitlement = owed()
    accounts = dict.fromkeys(Account, 0)
    entries = [entitlement.grant("3034/QĐ-UBND")]
    for amount in amounts:
        try:
            entries.append(entitlement.pay("P", amount, PAID_ON, TODAY))
        except Refusal:
            continue
    for entry in entries:
        assert entry.amount_vnd > 0
        accounts[entry.debit] += entry.amount_vnd
        accounts[entry.credit] -= entry.amount_vnd
    assert sum(accounts.values()) == 0
    assert accounts[Account.EXPENSE] == 540_000
    assert -accounts[Account.CASH] == entitlement.paid_vnd
    assert -accounts[Account.PAYABLE] == entitlement.amount_vnd - entitlement.paid_vnd >= 0


REFUSALS = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda kind: kind.code)
def test_every_refusal_has_words_in_both_languages_and_promises_the_facts_they_use(refusal: type[Refusal]) -> None:
    assert refusal.code in known_codes()
    assert all((message(refusal.code, lang="vi"), message(refusal.code, lang="en"), fix(refusal.code)))
    assert [fact for fact in placeholders(refusal.code) if f"`{fact}`" not in (refusal.__doc__ or "")] == []
