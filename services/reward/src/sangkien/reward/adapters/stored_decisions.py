"""Decisions, their lists and the number registers as documents. Days are ISO texts.

`decisions` holds what decides; its list lies in `recipient_chunks`, `<decision id>:<place of the first>`, with the
names once they are fixed. `decision_documents` (`<decision id>`) remembers the rendered file. A register's id is its
issuer, suffix and year.
"""

from datetime import date
from typing import Any, Final

from sangkien.kernel.numbering import Numbered, NumberRegister
from sangkien.reward.domain.decision import Issue, Names, Price, RewardDecision, Signing, State
from sangkien.reward.domain.recipients import CHUNK, MOST_RECIPIENTS, Chunk, Named, Recipient
from sangkien.store import Document, Index, Insert, Op, Schema, Store, save

DECISIONS: Final = "decisions"
CHUNKS: Final = "recipient_chunks"
REGISTERS: Final = "number_registers"
DOCUMENTS: Final = "decision_documents"

SCHEMA: Final = Schema(
    (DECISIONS, CHUNKS, REGISTERS, DOCUMENTS),
    (
        Index(DECISIONS, ("idempotency_key",), unique=True),
        Index(DECISIONS, ("register", "number"), unique=True),
        Index(CHUNKS, ("decision_id",)),
        Index(CHUNKS, ("due",)),
    ),
)


class StoredDecisions:
    """The `Decisions` port on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, decision_id: str) -> RewardDecision | None:
        document = await self._store.get(DECISIONS, decision_id)
        return _decision(document) if document else None

    async def by_key(self, idempotency_key: str) -> RewardDecision | None:
        found = await self._store.find(DECISIONS, {"idempotency_key": idempotency_key}, limit=1)
        return _decision(found[0]) if found else None

    async def chunks(self, decision_id: str) -> list[Chunk]:
        most = MOST_RECIPIENTS // CHUNK
        return [_chunk(each) for each in await self._store.find(CHUNKS, {"decision_id": decision_id}, limit=most)]

    async def due_chunks(self, decision_id: str = "", limit: int = 20) -> list[Chunk]:
        """`due` holds the decision's id while the chunk is due, and is missing otherwise: the index stays small."""
        where: dict[str, object] = {"due": decision_id} if decision_id else {"due": {"gt": ""}}
        return [_chunk(each) for each in await self._store.find(CHUNKS, where, limit=limit)]

    async def register(self, register_id: str) -> NumberRegister | None:
        document = await self._store.get(REGISTERS, register_id)
        return NumberRegister.from_document(document) if document else None

    async def document(self, decision_id: str) -> str | None:
        document = await self._store.get(DOCUMENTS, decision_id)
        return document["sha256"] if document else None

    def save(self, decision: RewardDecision) -> Op:
        return save(DECISIONS, _decision_document(decision), decision.version)

    def save_chunk(self, chunk: Chunk) -> Op:
        document: Document = {
            "_id": chunk.id,
            "decision_id": chunk.decision_id,
            "start": chunk.start,
            "recipients": [[each.holder, each.holder_id] for each in chunk.recipients],
            "names": [[each.name, each.unit] for each in chunk.names],
        }
        if chunk.due:
            document["due"] = chunk.decision_id
        return save(CHUNKS, document, chunk.version)

    def save_register(self, register: NumberRegister) -> Op:
        return save(REGISTERS, register.as_document(), register.version)

    def save_document(self, decision_id: str, sha256: str) -> Op:
        return Insert(DOCUMENTS, {"_id": decision_id, "sha256": sha256})


def _decision_document(decision: RewardDecision) -> Document:
    document: Document = {
        "_id": decision.id,
        "issuer_id": decision.issuer_id,
        "suffix": decision.suffix,
        "form": decision.form,
        "occasion": decision.occasion,
        "individuals": decision.individuals,
        "collectives": decision.collectives,
        "drafted_by": decision.drafted_by,
        "idempotency_key": decision.idempotency_key,
        "fingerprint": decision.fingerprint,
        "traceparent": decision.traceparent,
        "state": decision.state.value,
    }
    facts = decision.issue_facts
    if facts is not None:
        document |= {
            "register": f"{decision.issuer_id}|{decision.suffix}|{facts.issued_on.year}",
            "number": facts.numbered.number,
            "symbol": facts.numbered.symbol,
            "issued_on": facts.issued_on.isoformat(),
            "individual": _price_document(facts.individual),
            "collective": _price_document(facts.collective),
            "signing": {
                "signer_id": facts.signing.signer_id,
                "mode": facts.signing.mode,
                "title": facts.signing.title,
                "on_behalf_of": facts.signing.on_behalf_of,
            },
            "names": {
                "signer": facts.names.signer,
                "issuer": facts.names.issuer,
                "superior": facts.names.superior,
            },
        }
    return document


def _price_document(price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {
        "amount_vnd": price.amount_vnd,
        "rule_set": price.rule_set,
        "derivation": list(price.derivation),
        "unverified": list(price.unverified),
        "sources": list(price.sources),
    }


def _decision(doc: Document) -> RewardDecision:
    decision = RewardDecision(
        id=doc["_id"],
        issuer_id=doc["issuer_id"],
        suffix=doc["suffix"],
        form=doc["form"],
        occasion=doc["occasion"],
        individuals=doc["individuals"],
        collectives=doc["collectives"],
        drafted_by=doc["drafted_by"],
        idempotency_key=doc["idempotency_key"],
        fingerprint=doc["fingerprint"],
        traceparent=doc["traceparent"],
        state=State(doc["state"]),
        issue_facts=_issue(doc) if "number" in doc else None,
    )
    decision.version = doc["ver"]
    return decision


def _issue(doc: Document) -> Issue:
    return Issue(
        numbered=Numbered(doc["number"], doc["symbol"]),
        issued_on=date.fromisoformat(doc["issued_on"]),
        individual=_price(doc["individual"]),
        collective=_price(doc["collective"]),
        signing=Signing(**doc["signing"]),
        names=Names(**doc["names"]),
    )


def _price(doc: dict[str, Any] | None) -> Price | None:
    if doc is None:
        return None
    return Price(
        doc["amount_vnd"], doc["rule_set"], tuple(doc["derivation"]), tuple(doc["unverified"]), tuple(doc["sources"])
    )


def _chunk(doc: Document) -> Chunk:
    chunk = Chunk(
        doc["decision_id"],
        doc["start"],
        tuple(Recipient(holder, holder_id) for holder, holder_id in doc["recipients"]),
        tuple(Named(name, unit) for name, unit in doc["names"]),
        due="due" in doc,
    )
    chunk.version = doc["ver"]
    return chunk
