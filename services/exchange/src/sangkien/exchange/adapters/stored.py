"""Messages, the ledger and custody steps on the service's store."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sangkien.custody import Head
from sangkien.exchange.adapters.documents import (
    INCOMING,
    INCOMING_BODIES,
    LEDGER,
    OUTGOING,
    OUTGOING_BODIES,
    STEPS,
    incoming_document,
    ledger_document,
    moment,
    outgoing_document,
    read_chain,
    read_incoming,
    read_outgoing,
    read_step,
    read_word,
    step_document,
)
from sangkien.exchange.application.link_ports import Chain, HubWord, Inflow, Membership, PeerCounts
from sangkien.exchange.application.ports import CustodyStep
from sangkien.exchange.domain.incoming import InState, Received
from sangkien.exchange.domain.outgoing import UNSETTLED, Outgoing, OutState
from sangkien.store import Delete, Insert, Invalid, Op, Store, save

MOST_STEPS: Final = 1_000


class StoredLedger:
    """The port `Ledger`. Before the first life everything stands at epoch 0."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def chain(self) -> Chain:
        doc = await self._store.get(LEDGER, "chain")
        return read_chain(doc) if doc else Chain(Head.start(0))

    async def word(self) -> HubWord:
        doc = await self._store.get(LEDGER, "word")
        return read_word(doc) if doc else HubWord(0)

    async def inflow(self) -> Inflow:
        doc = await self._store.get(LEDGER, "inflow")
        return Inflow(doc["epoch"], doc["n"], doc["ver"]) if doc else Inflow(0)

    async def membership(self) -> Membership:
        doc = await self._store.get(LEDGER, "membership")
        return Membership(doc["state"], doc["goodbye"], doc["ver"]) if doc else Membership("joining")

    def stored(self, one: Chain | HubWord | Inflow | Membership) -> Op:
        return save(LEDGER, ledger_document(one), one.version)


class _Bodies:
    """Bodies of one direction; they are JSON, so text."""

    def __init__(self, store: Store, coll: str) -> None:
        self._store = store
        self._coll = coll

    async def bodies(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        docs = await self._store.get_many(self._coll, ids)
        return {id: str(doc["body"]).encode() for id, doc in docs.items()}

    def with_body(self, id: str, body: bytes) -> Op:
        return Insert(self._coll, {"_id": id, "body": body.decode()})

    def without_body(self, id: str) -> Op:
        return Delete(self._coll, id)


class StoredOutgoings(_Bodies):
    """The port `Outgoings`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, OUTGOING_BODIES)

    async def get(self, id: str) -> Outgoing | None:
        doc = await self._store.get(OUTGOING, id)
        return read_outgoing(doc) if doc else None

    async def get_many(self, ids: Sequence[str]) -> Mapping[str, Outgoing]:
        docs = await self._store.get_many(OUTGOING, ids)
        return {id: read_outgoing(doc) for id, doc in docs.items()}

    async def find(self, id_or_key: str) -> Outgoing | None:
        for field in ("message_id", "key"):
            if found := await self._list({field: id_or_key}, [("message_id", -1)], 1):
                return found[0]
        return None

    async def posted(self, limit: int) -> Sequence[Outgoing]:
        return await self._list({"state": OutState.POSTED}, [("message_id", 1)], limit)

    async def waiting(self, epoch: int, limit: int) -> Sequence[Outgoing]:
        return await self._list({"state": OutState.WAITING, "epoch": epoch}, [("n", 1)], limit)

    async def numbered(self, epoch: int, above: int, up_to: int, limit: int) -> Sequence[Outgoing]:
        if up_to <= above:
            return ()
        return await self._list({"epoch": epoch, "n": {"gt": above, "lte": up_to}}, [("n", 1)], limit)

    async def at(self, epoch: int, n: int) -> Outgoing | None:
        found = await self._list({"epoch": epoch, "n": n}, (), 1)
        return found[0] if found else None

    async def undelivered(self, epoch: int, above: int, up_to: int, limit: int) -> Sequence[Outgoing]:
        if up_to <= above:
            return ()
        where = {"state": OutState.RECEIPTED, "epoch": epoch, "n": {"gt": above, "lte": up_to}}
        return await self._list(where, [("n", 1)], limit)

    async def not_of(self, epoch: int, limit: int) -> Sequence[Outgoing]:
        where = {"state": {"in": [OutState.WAITING, OutState.OFFERED]}, "epoch": {"lt": epoch}}
        return await self._list(where, [("epoch", 1), ("n", 1)], limit)

    async def old(self, settled_before: datetime, limit: int) -> Sequence[Outgoing]:
        where = {"kept": 1, "settled_at": {"lt": moment(settled_before)}, "state": OutState.DELIVERED}
        return await self._list(where, [("settled_at", 1)], limit)

    async def unsettled(self) -> tuple[int, datetime | None]:
        count, oldest = 0, list[datetime]()
        for state in UNSETTLED:
            number = await self._store.count(OUTGOING, {"state": state})
            if number:
                count += number
                first = await self._list({"state": state}, [("message_id", 1)], 1)
                oldest += [message.posted_at for message in first]
        return count, min(oldest, default=None)

    async def offered_count(self, epoch: int) -> int:
        return await self._store.count(OUTGOING, {"state": OutState.OFFERED, "epoch": epoch})

    async def on_their_way(self, epoch: int) -> tuple[int, int]:
        where = {"state": OutState.OFFERED, "epoch": epoch}
        sums = await self._store.sum_by(OUTGOING, "state", "size", where)
        return await self.offered_count(epoch), sum(sums.values())

    async def by_receiver(self) -> Mapping[str, PeerCounts]:
        by_state = {state: await self._store.count_by(OUTGOING, "receiver", {"state": state}) for state in OutState}
        offers = await self._store.sum_by(OUTGOING, "receiver", "offers", {"offers": {"gt": 1}})
        often = await self._store.count_by(OUTGOING, "receiver", {"offers": {"gt": 1}})
        counts: dict[str, PeerCounts] = {}
        for receiver in {receiver for found in by_state.values() for receiver in found}:
            counts[receiver] = PeerCounts(
                {state.value: found[receiver] for state, found in by_state.items() if receiver in found},
                offers.get(receiver, 0) - often.get(receiver, 0),
                await self._oldest(receiver),
            )
        return counts

    async def _oldest(self, receiver: str) -> datetime | None:
        oldest: list[datetime] = []
        for state in UNSETTLED:
            first = await self._list({"state": state, "receiver": receiver}, [("message_id", 1)], 1)
            oldest += [message.posted_at for message in first]
        return min(oldest, default=None)

    def forgotten(self, message: Outgoing) -> Op:
        return Delete(OUTGOING, message.id)

    def stored(self, message: Outgoing) -> Op:
        return save(OUTGOING, outgoing_document(message), message.version)

    async def _list(self, where: Mapping[str, object], sort: Sequence[tuple[str, int]], limit: int) -> list[Outgoing]:
        return [read_outgoing(doc) for doc in await self._store.find(OUTGOING, where, sort=sort, limit=limit)]


class StoredIncomings(_Bodies):
    """The port `Incomings`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, INCOMING_BODIES)

    async def get_many(self, ids: Sequence[str]) -> Mapping[str, Received]:
        docs = await self._store.get_many(INCOMING, ids)
        return {id: read_incoming(doc) for id, doc in docs.items()}

    async def find(self, id_or_key: str) -> Received | None:
        for field in ("message_id", "key", "_id"):
            if id_or_key and (found := await self._list({field: id_or_key}, [("received_at", -1)], 1)):
                return found[0]
        return None

    async def waiting(self, limit: int) -> Sequence[Received]:
        return await self._list({"state": InState.RECEIVED}, [("epoch", 1), ("n", 1)], limit)

    async def old(self, settled_before: datetime, limit: int) -> Sequence[Received]:
        where = {"kept": 1, "settled_at": {"lt": moment(settled_before)}, "state": InState.APPLIED}
        return await self._list(where, [("settled_at", 1)], limit)

    async def by_sender(self) -> Mapping[str, tuple[int, datetime | None]]:
        counts = await self._store.count_by(INCOMING, "sender")
        found: dict[str, tuple[int, datetime | None]] = {}
        for sender, number in counts.items():
            last = await self._list({"sender": sender}, [("received_at", -1)], 1)
            found[sender] = (number, last[0].received_at if last else None)
        return found

    def forgotten(self, message: Received) -> Op:
        return Delete(INCOMING, message.id)

    def stored(self, message: Received) -> Op:
        return save(INCOMING, incoming_document(message), message.version)

    async def _list(self, where: Mapping[str, object], sort: Sequence[tuple[str, int]], limit: int) -> list[Received]:
        return [read_incoming(doc) for doc in await self._store.find(INCOMING, where, sort=sort, limit=limit)]


class StoredSteps:
    """The port `CustodySteps`."""

    def __init__(self, store: Store, new_id: Callable[[], str]) -> None:
        self._store = store
        self._new_id = new_id

    def recorded(self, step: CustodyStep) -> Op:
        return Insert(STEPS, step_document(self._new_id(), step))

    async def of(self, dossier: str) -> Sequence[CustodyStep]:
        try:
            docs = await self._store.find(STEPS, {"dossier_id": dossier}, limit=MOST_STEPS)
            if not docs and dossier:
                coded = await self._store.find(STEPS, {"code": dossier}, limit=1)
                where = {"dossier_id": coded[0]["dossier_id"]} if coded else {"code": dossier}
                docs = await self._store.find(STEPS, where, limit=MOST_STEPS)
        except Invalid:
            return ()
        return [read_step(doc) for doc in docs]
