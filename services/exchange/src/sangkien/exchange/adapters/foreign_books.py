"""The port `Books`: rounds, dossiers, certificates and summaries that crossed, as stored documents.

`own_rounds` by round id; `sent_dossiers` by the dossier's id here; `arrivals` by `<node>/<id there>`; `recognitions` by
initiative id; `certificates` and `summaries` by `<node>/<id there>`; `returned_dossiers` by message. No names.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from sangkien.contracts.crossing import DossierFiled
from sangkien.exchange.adapters.documents import OUTGOING, read_outgoing
from sangkien.exchange.domain.foreign import Arrival, Certificate, Expected, OwnRound, Returned, Sent
from sangkien.exchange.domain.outgoing import Outgoing, OutState
from sangkien.store import Delete, Document, Index, Insert, Op, Schema, Store, save

ROUNDS: Final = "own_rounds"
SENT: Final = "sent_dossiers"
ARRIVALS: Final = "arrivals"
RECOGNITIONS: Final = "recognitions"
CERTIFICATES: Final = "foreign_certificates"
SUMMARIES: Final = "foreign_summaries"
RETURNS: Final = "returned_dossiers"
EXPECTED: Final = "expected_arrivals"
_MOST_ROUNDS: Final = 1_000
_MOST_CERTIFICATES: Final = 1_000
_MOST_EXPECTED: Final = 10_000
"""A page of a hundred is filed at once."""

FOREIGN_SCHEMA: Final = Schema(
    (ROUNDS, SENT, ARRIVALS, RECOGNITIONS, CERTIFICATES, SUMMARIES, RETURNS, EXPECTED),
    (
        Index(ROUNDS, ("closes_on",)),
        Index(ROUNDS, ("closed_on",)),
        Index(ARRIVALS, ("local_id",), unique=True),
        Index(CERTIFICATES, ("dossier_id",)),
    ),
)


class StoredBooks:
    """Never writes itself."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def rounds(self, ids: Sequence[str]) -> Mapping[str, OwnRound]:
        docs = await self._store.get_many(ROUNDS, ids) if ids else {}
        return {id: _round(doc) for id, doc in docs.items()}

    async def rounds_since(self, day: date) -> Sequence[OwnRound]:
        recent = await self._store.find(ROUNDS, {"closes_on": {"gte": day.isoformat()}}, limit=_MOST_ROUNDS)
        still = await self._store.find(ROUNDS, {"closed_on": ""}, limit=_MOST_ROUNDS)
        return [_round(doc) for doc in {doc["_id"]: doc for doc in (*recent, *still)}.values()]

    async def sent(self, dossier_ids: Sequence[str]) -> Mapping[str, Sent]:
        docs = await self._store.get_many(SENT, dossier_ids) if dossier_ids else {}
        return {id: _sent(doc) for id, doc in docs.items()}

    async def arrival(self, node: str, dossier_id: str) -> Arrival | None:
        doc = await self._store.get(ARRIVALS, f"{node}/{dossier_id}")
        return _arrival(doc) if doc is not None else None

    async def expecting(self) -> Sequence[Expected]:
        docs = await self._store.find(EXPECTED, limit=_MOST_EXPECTED)
        return [Expected(doc["round_id"], doc["since"]) for doc in docs]

    async def expects(self, node: str, dossier_id: str) -> bool:
        return await self._store.get(EXPECTED, f"{node}/{dossier_id}") is not None

    def expect(self, node: str, dossier_id: str, expected: Expected) -> Op:
        fields = {"round_id": expected.round_id, "since": expected.since}
        return Insert(EXPECTED, {"_id": f"{node}/{dossier_id}", **fields})

    def settle(self, node: str, dossier_id: str) -> Op:
        return Delete(EXPECTED, f"{node}/{dossier_id}")

    async def arrivals(self, local_ids: Sequence[str]) -> Mapping[str, Arrival]:
        wanted = sorted(set(local_ids))
        if not wanted:
            return {}
        docs = await self._store.find(ARRIVALS, {"local_id": {"in": wanted}}, limit=len(wanted))
        return {doc["local_id"]: _arrival(doc) for doc in docs}

    async def symbols(self, initiative_ids: Sequence[str]) -> Mapping[str, str]:
        docs = await self._store.get_many(RECOGNITIONS, initiative_ids) if initiative_ids else {}
        return {id: doc["symbol"] for id, doc in docs.items()}

    async def returned(self, after: str, limit: int) -> Sequence[Returned]:
        where = {"state": OutState.REFUSED, "message_id": {"gt": after}}
        docs = await self._store.find(OUTGOING, where, sort=[("message_id", 1)], limit=limit)
        found = [_returned(read_outgoing(doc)) for doc in docs]
        told = await self._store.get_many(RETURNS, [one.id for one in found])
        return [one for one in found if one.id not in told]

    def keep_return(self, one: Returned) -> Op:
        return Insert(RETURNS, {"_id": one.id, "dossier_id": one.dossier_id})

    def keep(self, one: OwnRound | Sent | Arrival) -> Op:
        match one:
            case OwnRound():
                return save(ROUNDS, _round_document(one), one.stored)
            case Sent():
                return save(SENT, _sent_document(one), one.stored)
            case Arrival():
                return save(ARRIVALS, _arrival_document(one), one.stored)

    def keep_symbol(self, initiative_id: str, symbol: str) -> Op:
        return Insert(RECOGNITIONS, {"_id": initiative_id, "symbol": symbol})

    def keep_certificate(self, node: str, certificate_id: str, facts: Mapping[str, object]) -> Op:
        return Insert(CERTIFICATES, {**facts, "_id": f"{node}/{certificate_id}", "node": node})

    async def certificates(self, dossier_id: str) -> Sequence[Certificate]:
        docs = await self._store.find(CERTIFICATES, {"dossier_id": dossier_id}, limit=_MOST_CERTIFICATES)
        return sorted([_certificate(doc) for doc in docs], key=lambda one: (one.issued_on, one.number))

    def keep_summary(self, node: str, decision_id: str, facts: Mapping[str, object]) -> Op:
        return Insert(SUMMARIES, {**facts, "_id": f"{node}/{decision_id}", "node": node})


def _round_document(one: OwnRound) -> Document:
    return {
        "_id": one.round_id,
        "version": one.version,
        "name": one.name,
        "tier": one.tier,
        "owner_id": one.owner_id,
        "opens_on": one.opens_on.isoformat(),
        "closes_on": one.closes_on.isoformat(),
        "closed_on": one.closed_on.isoformat() if one.closed_on else "",
        "told": one.told,
    }


def _round(doc: Document) -> OwnRound:
    return OwnRound(
        round_id=doc["_id"],
        version=doc["version"],
        name=doc["name"],
        tier=doc["tier"],
        owner_id=doc["owner_id"],
        opens_on=date.fromisoformat(doc["opens_on"]),
        closes_on=date.fromisoformat(doc["closes_on"]),
        closed_on=date.fromisoformat(doc["closed_on"]) if doc["closed_on"] else None,
        told=doc["told"],
        stored=doc["ver"],
    )


def _sent_document(one: Sent) -> Document:
    return {
        "_id": one.dossier_id,
        "node": one.node,
        "version": one.version,
        "code": one.code,
        "remote_id": one.remote_id,
        "remote_code": one.remote_code,
        "authors": list(one.authors),
        "rank": one.rank,
    }


def _sent(doc: Document) -> Sent:
    return Sent(
        dossier_id=doc["_id"],
        node=doc["node"],
        version=doc["version"],
        code=doc["code"],
        remote_id=doc["remote_id"],
        remote_code=doc["remote_code"],
        authors=tuple(doc["authors"]),
        rank=doc["rank"],
        stored=doc["ver"],
    )


def _arrival_document(one: Arrival) -> Document:
    return {
        "_id": f"{one.node}/{one.dossier_id}",
        "node": one.node,
        "dossier_id": one.dossier_id,
        "local_id": one.local_id,
        "code": one.code,
        "revision": one.revision,
        "versions": {str(revision): version for revision, version in one.versions.items()},
        "authors": [[here, there] for here, there in one.authors.items()],
    }


def _arrival(doc: Document) -> Arrival:
    return Arrival(
        node=doc["node"],
        dossier_id=doc["dossier_id"],
        local_id=doc["local_id"],
        code=doc["code"],
        revision=doc["revision"],
        versions={int(revision): version for revision, version in doc["versions"].items()},
        authors=dict(doc["authors"]),
        stored=doc["ver"],
    )


def _certificate(doc: Document) -> Certificate:
    on = date.fromisoformat(doc["issued_on"])
    return Certificate(doc["number"], doc["node"], on, doc["person_id"], doc["check_code"])


def _returned(message: Outgoing) -> Returned:
    """Of a message of another type it says nothing of a dossier."""
    filed, _, version = message.key.removeprefix(f"{DossierFiled.TYPE}:").rpartition(":")
    is_dossier = message.type == DossierFiled.TYPE
    return Returned(
        id=message.id,
        number=message.message_id,
        node=message.receiver,
        dossier_id=filed if is_dossier else "",
        version=int(version) if is_dossier else 0,
        code=message.reason,
        trace=message.trace,
        at=message.settled_at or message.posted_at,
    )
