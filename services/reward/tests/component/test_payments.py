"""Finance at work, over real gRPC."""

import asyncio
from typing import Any

import pytest

from sangkien.api.reward.v1 import reward_pb2 as api
from sangkien.reward.adapters.stored_ledger import ENTITLEMENTS, LEDGER
from sangkien.rpc import RemoteRefusal


def payment(entitlement_id: str, amount_vnd: int, key: str, paid_on: str = "2023-12-28") -> api.Payment:
    return api.Payment(idempotency_key=key, entitlement_id=entitlement_id, amount_vnd=amount_vnd, paid_on=paid_on)


class Cashier:
    """Pays the entitlements of one issued decision."""

    def __init__(self, office: Any, decision_id: str, ids: list[str]) -> None:
        self.stub = office.stub("finance")
        self.store = office.service.host._store
        self.decision_id = decision_id
        self.ids = ids

    async def pay(self, *payments: api.Payment) -> list[str]:
        """What became of each: its refusal's code, `already` or `done`."""
        answer = await self.stub.RecordPayments(api.RecordPaymentsRequest(payments=payments))
        return [each.error.code or ("already" if each.already else "done") for each in answer.results]

    async def ledger(self) -> tuple[int, int, int]:
        answer = await self.stub.GetLedger(api.GetLedgerRequest(decision_id=self.decision_id))
        return answer.owed_vnd, answer.paid_vnd, answer.entries


@pytest.fixture
async def cashier(office: Any, as_individual: Any) -> Cashier:
    await office.open_register()
    decision_id = await office.submitted(*(as_individual(office.person(f"Đỗ Ẵm {n}")) for n in range(3)))
    await office.issue(decision_id)
    page = await office.stub("finance").ListEntitlements(api.ListEntitlementsRequest(decision_id=decision_id))
    return Cashier(office, decision_id, [each.entitlement_id for each in page.entitlements])


async def test_payments_are_recorded_once_for_each_key_and_bad_ones_cost_nobody_else(cashier: Cashier) -> None:
    one, two, three = cashier.ids
    batch = [
        payment(one, 540_000, "k1"),
        payment(one, 1, "k2"),
        payment(two, 200_000, "k3"),
        payment(two, 340_000, "k4"),
        payment(two, 200_000, "k3"),
        payment(three, 100_000, "k3"),
        payment("01NOSUCH", 1, "k5"),
        payment(three, 1, "", "2023-12-28"),
        payment(three, 1, "k6", "28/12/2023"),
        payment(three, 540_000, "k7"),
    ]
    assert await cashier.pay(*batch) == [
        "done",
        "reward_overpaid",
        "done",
        "done",
        "already",
        "key_reused",
        "reward_entitlement_unknown",
        "reward_key_malformed",
        "reward_date_malformed",
        "done",
    ]
    assert await cashier.ledger() == (1_620_000, 1_620_000, 3 + 4)
    again = await cashier.pay(*batch)
    assert [again[place] for place in (0, 2, 3, 9)] == ["already"] * 4
    assert await cashier.ledger() == (1_620_000, 1_620_000, 3 + 4)


async def test_reversal_adds_an_entry_and_takes_none_away(cashier: Cashier) -> None:
    one = cashier.ids[0]
    assert await cashier.pay(payment(one, 540_000, "pay")) == ["done"]
    assert await cashier.pay(payment(one, -540_001, "too much")) == ["reward_reversal_too_large"]
    assert await cashier.pay(payment(one, -540_000, "back")) == ["done"]
    assert await cashier.pay(payment(one, 540_000, "pay again")) == ["done"]
    lines = await cashier.store.find(LEDGER, {"entitlement_id": one})
    assert sorted((line["kind"], line["amount_vnd"], line["ver"]) for line in lines) == [
        ("owed", 540_000, 1),
        ("paid", 540_000, 1),
        ("paid", 540_000, 1),
        ("reversed", 540_000, 1),
    ]
    assert await cashier.ledger() == (1_620_000, 540_000, 3 + 3)


async def test_cashiers_at_once_never_pay_more_than_is_owed(cashier: Cashier) -> None:
    one = cashier.ids[0]
    tries = [cashier.pay(payment(one, 400_000, f"till {n}")) for n in range(8)]
    outcomes = sorted(outcome for [outcome] in await asyncio.gather(*tries))
    assert (outcomes.count("done"), set(outcomes) - {"done"}) == (1, {"reward_overpaid"})
    stored = await cashier.store.get(ENTITLEMENTS, one)
    assert stored["paid_vnd"] == 400_000
    assert (await cashier.ledger())[1:] == (400_000, 3 + 1)


async def test_one_key_sent_twice_at_once_pays_once(cashier: Cashier) -> None:
    same = payment(cashier.ids[0], 540_000, "double click")
    assert sorted(await asyncio.gather(cashier.pay(same), cashier.pay(same))) == [["already"], ["done"]]
    other = [payment(cashier.ids[1], 1, "shared"), payment(cashier.ids[2], 1, "shared")]
    outcomes = await asyncio.gather(*(cashier.pay(each) for each in other))
    assert sorted(outcomes) == [["done"], ["key_reused"]]


async def test_payments_beyond_the_limit_are_refused_whole(cashier: Cashier) -> None:
    with pytest.raises(RemoteRefusal) as refused:
        await cashier.pay(*(payment(cashier.ids[0], 1, f"k{n}") for n in range(1_001)))
    assert refused.value.facts == {"count": "1001", "limit": "1000"}
    assert (await cashier.ledger())[1] == 0
