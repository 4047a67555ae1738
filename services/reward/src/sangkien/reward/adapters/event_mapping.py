"""Domain events as the facts the network hears."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import assert_never, cast

from sangkien.contracts.events import EntitlementGranted, Event, PaymentRecorded, RewardDecisionIssued
from sangkien.messaging import outbox_row
from sangkien.reward.domain.events import (
    DecisionWasIssued,
    EntitlementWasGranted,
    PaymentWasRecorded,
    RewardEvent,
)
from sangkien.store import Op


class EventRecorder:
    """The `Record` port: outbox rows."""

    def __init__(self, new_id: Callable[[], str], now: Callable[[], datetime]) -> None:
        self._new_id = new_id
        self._now = now

    def __call__(self, events: Iterable[object], *, version: int, traceparent: str) -> list[Op]:
        at = self._now()
        rows: list[Op] = []
        for event in events:
            aggregate_id, fact = _fact(cast("RewardEvent", event))
            rows.append(
                outbox_row(
                    fact,
                    event_id=self._new_id(),
                    aggregate_id=aggregate_id,
                    aggregate_version=version,
                    at=at,
                    traceparent=traceparent,
                )
            )
        return rows


def _fact(event: RewardEvent) -> tuple[str, Event]:
    match event:
        case DecisionWasIssued():
            return event.decision_id, RewardDecisionIssued(
                decision_id=event.decision_id,
                number=event.number,
                symbol=event.symbol,
                form=event.form,
                issued_on=event.issued_on,
                issuer_id=event.issuer_id,
                rule_set=event.rule_set,
                individuals=event.individuals,
                collectives=event.collectives,
                total_vnd=event.total_vnd,
            )
        case EntitlementWasGranted():
            return event.entitlement_id, EntitlementGranted(
                entitlement_id=event.entitlement_id,
                decision_id=event.decision_id,
                decision_symbol=event.decision_symbol,
                form=event.form,
                holder=event.holder,
                holder_id=event.holder_id,
                amount_vnd=event.amount_vnd,
                granted_on=event.granted_on,
            )
        case PaymentWasRecorded():  # a payment is a fact of its own: it has one version, the first
            return event.payment_id, PaymentRecorded(
                payment_id=event.payment_id,
                entitlement_id=event.entitlement_id,
                decision_id=event.decision_id,
                amount_vnd=event.amount_vnd,
                paid_on=event.paid_on,
            )
        case _:
            assert_never(event)
