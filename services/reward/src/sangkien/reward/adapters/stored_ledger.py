"""Entitlements and the ledger as documents. An entry is inserted once and never replaced or deleted."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sangkien.reward.application.ports import Balance, EntitlementPage, KeptPayment
from sangkien.reward.domain.errors import PageTokenInvalid
from sangkien.reward.domain.ledger import Entitlement, Entry, Kind
from sangkien.store import Document, Index, Insert, Invalid, Op, Schema, Sort, Store, save

ENTITLEMENTS: Final = "entitlements"
LEDGER: Final = "ledger"

SCHEMA: Final = Schema(
    (ENTITLEMENTS, LEDGER),
    (
        Index(ENTITLEMENTS, ("decision_id", "place"), unique=True),
        Index(ENTITLEMENTS, ("holder_id",)),
        Index(LEDGER, ("decision_id", "kind")),
        Index(LEDGER, ("entitlement_id",)),
        Index(LEDGER, ("key",), unique=True),
    ),
)


class StoredLedger:
    """The `Ledger` port on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def entitlements(self, ids: Sequence[str]) -> dict[str, Entitlement]:
        found = await self._store.get_many(ENTITLEMENTS, ids)
        return {id: _entitlement(document) for id, document in found.items()}

    async def page(self, decision_id: str, holder_id: str, limit: int, after: str) -> EntitlementPage:
        where = {"decision_id": decision_id} if decision_id else {"holder_id": holder_id}
        sort: Sort = [("place", 1)] if decision_id else [("_id", 1)]
        try:
            page = await self._store.page(ENTITLEMENTS, where, sort=sort, limit=limit, after=after or None)
        except Invalid:
            raise PageTokenInvalid(field="page_token") from None
        return EntitlementPage([_entitlement(document) for document in page.items], page.next or "")

    async def payments(self, keys: Sequence[str]) -> dict[str, KeptPayment]:
        found = await self._store.find(LEDGER, {"key": {"in": list(keys)}}, limit=len(keys)) if keys else []
        return {each["key"]: KeptPayment(each["_id"], each["fingerprint"]) for each in found}

    async def balance(self, decision_id: str) -> Balance:
        where = {"decision_id": decision_id}
        sums = await self._store.sum_by(LEDGER, "kind", "amount_vnd", where)
        return Balance({kind: sums.get(kind.value, 0) for kind in Kind}, await self._store.count(LEDGER, where))

    def save(self, entitlement: Entitlement) -> Op:
        document = {
            "_id": entitlement.id,
            "decision_id": entitlement.decision_id,
            "place": entitlement.place,
            "holder": entitlement.holder,
            "holder_id": entitlement.holder_id,
            "form": entitlement.form,
            "amount_vnd": entitlement.amount_vnd,
            "granted_on": entitlement.granted_on.isoformat(),
            "traceparent": entitlement.traceparent,
            "paid_vnd": entitlement.paid_vnd,
        }
        return save(ENTITLEMENTS, document, entitlement.version)

    def add(self, entry: Entry, *, at: datetime, by: str, key: str = "", fingerprint: str = "") -> Op:
        document: Document = {
            "_id": entry.id,
            "decision_id": entry.decision_id,
            "entitlement_id": entry.entitlement_id,
            "kind": entry.kind.value,
            "debit": entry.debit.value,
            "credit": entry.credit.value,
            "amount_vnd": entry.amount_vnd,
            "on": entry.on.isoformat(),
            "at": at.isoformat(),
            "by": by,
        }
        if key:
            document |= {"key": key, "fingerprint": fingerprint}
        return Insert(LEDGER, document)


def _entitlement(doc: Document) -> Entitlement:
    entitlement = Entitlement(
        id=doc["_id"],
        decision_id=doc["decision_id"],
        place=doc["place"],
        holder=doc["holder"],
        holder_id=doc["holder_id"],
        form=doc["form"],
        amount_vnd=doc["amount_vnd"],
        granted_on=date.fromisoformat(doc["granted_on"]),
        traceparent=doc["traceparent"],
        paid_vnd=doc["paid_vnd"],
    )
    entitlement.version = doc["ver"]
    return entitlement
