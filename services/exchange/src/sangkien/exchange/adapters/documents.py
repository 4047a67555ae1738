"""The collections of exchange and how its messages are kept in them.

Bodies stand apart from the rows: a row is written again at every step of its way, a body once.
"""

from datetime import UTC, date, datetime
from typing import Any, Final

from sangkien.custody import Head
from sangkien.exchange.application.link_ports import Chain, HubWord, Inflow, Membership
from sangkien.exchange.application.ports import CustodyStep, KnownNode
from sangkien.exchange.domain.incoming import InState, Received
from sangkien.exchange.domain.outgoing import Outgoing, OutState
from sangkien.store import Document, Index, Schema

OUTGOING: Final = "outgoing"
OUTGOING_BODIES: Final = "outgoing_bodies"
INCOMING: Final = "incoming"
INCOMING_BODIES: Final = "incoming_bodies"
LEDGER: Final = "ledger"
NODES: Final = "nodes"
STEPS: Final = "custody_steps"

SCHEMA = Schema(
    (OUTGOING, OUTGOING_BODIES, INCOMING, INCOMING_BODIES, LEDGER, NODES, STEPS),
    (
        Index(OUTGOING, ("epoch", "n"), unique=True),
        Index(OUTGOING, ("state", "message_id")),
        Index(OUTGOING, ("state", "epoch", "n")),
        Index(OUTGOING, ("message_id",)),
        Index(OUTGOING, ("key",)),
        Index(OUTGOING, ("kept", "settled_at")),
        Index(INCOMING, ("state", "epoch", "n")),
        Index(INCOMING, ("message_id",)),
        Index(INCOMING, ("key",)),
        Index(INCOMING, ("sender", "received_at")),
        Index(INCOMING, ("kept", "settled_at")),
        Index(STEPS, ("dossier_id",)),
        Index(STEPS, ("code",)),
    ),
)


def _text(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at else None


def moment(at: datetime) -> str:
    """A time as it is kept: all alike, so that they sort."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _time(kept: str | None) -> datetime | None:
    return datetime.fromisoformat(kept) if kept else None


def outgoing_document(message: Outgoing) -> Document:
    """Epoch and number are null until there is one: only what is numbered takes a place in the chain."""
    return {
        "_id": message.id,
        "message_id": message.message_id,
        "receiver": message.receiver,
        "type": message.type,
        "key": message.key,
        "size": message.size,
        "trace": message.trace,
        "posted_at": moment(message.posted_at),
        "state": message.state.value,
        "epoch": message.epoch or None,
        "n": message.n or None,
        "seal": message.seal,
        "seal_sha256": message.seal_sha256,
        "body_sha256": message.body_sha256,
        "sealed_at": _text(message.sealed_at),
        "offered_at": _text(message.offered_at),
        "receipted_at": _text(message.receipted_at),
        "settled_at": _text(message.settled_at),
        "offers": message.offers,
        "seq": message.seq,
        "position": message.position,
        "reason": message.reason,
        "kept": 1 if message.kept else 0,
    }


def read_outgoing(doc: Document) -> Outgoing:
    return Outgoing(
        id=doc["_id"],
        message_id=doc["message_id"],
        receiver=doc["receiver"],
        type=doc["type"],
        key=doc["key"],
        size=doc["size"],
        trace=doc["trace"],
        posted_at=datetime.fromisoformat(doc["posted_at"]),
        state=OutState(doc["state"]),
        epoch=doc["epoch"] or 0,
        n=doc["n"] or 0,
        seal=doc["seal"],
        seal_sha256=doc["seal_sha256"],
        body_sha256=doc["body_sha256"],
        sealed_at=_time(doc["sealed_at"]),
        offered_at=_time(doc["offered_at"]),
        receipted_at=_time(doc["receipted_at"]),
        settled_at=_time(doc["settled_at"]),
        offers=doc["offers"],
        seq=doc["seq"],
        position=doc["position"],
        reason=doc["reason"],
        kept=bool(doc["kept"]),
        version=doc["ver"],
    )


def incoming_document(message: Received) -> Document:
    return {
        "_id": message.id,
        "message_id": message.message_id,
        "sender": message.sender,
        "type": message.type,
        "key": message.key,
        "epoch": message.epoch,
        "n": message.n,
        "position": message.position,
        "seal": message.seal,
        "size": message.size,
        "sealed_at": _text(message.sealed_at),
        "received_at": moment(message.received_at),
        "state": message.state.value,
        "settled_at": _text(message.settled_at),
        "reason": message.reason,
        "kept": 1 if message.kept else 0,
    }


def read_incoming(doc: Document) -> Received:
    return Received(
        id=doc["_id"],
        message_id=doc["message_id"],
        sender=doc["sender"],
        type=doc["type"],
        key=doc["key"],
        epoch=doc["epoch"],
        n=doc["n"],
        position=doc["position"],
        seal=doc["seal"],
        size=doc["size"],
        sealed_at=_time(doc["sealed_at"]),
        received_at=datetime.fromisoformat(doc["received_at"]),
        state=InState(doc["state"]),
        settled_at=_time(doc["settled_at"]),
        reason=doc["reason"],
        kept=bool(doc["kept"]),
        version=doc["ver"],
    )


def ledger_document(one: Chain | HubWord | Inflow | Membership) -> Document:
    match one:
        case Chain():
            return {
                "_id": "chain",
                "epoch": one.head.epoch,
                "n": one.head.n,
                "hash": one.head.hash,
                "reconciling": one.reconciling,
                "out_seq": one.out_seq,
            }
        case HubWord():
            return {
                "_id": "word",
                "epoch": one.epoch,
                "confirmed": one.confirmed,
                "at": _text(one.at),
                "seen_at": _text(one.seen_at),
                "position": one.position,
                "state": one.state,
                "stamped_last": one.stamped_last,
                "stamped_at": _text(one.stamped_at),
                "down": one.down,
            }
        case Inflow():
            return {"_id": "inflow", "epoch": one.epoch, "n": one.n}
        case Membership():
            return {"_id": "membership", "state": one.state, "goodbye": one.goodbye}


def read_chain(doc: Document) -> Chain:
    return Chain(Head(doc["epoch"], doc["n"], doc["hash"]), doc["reconciling"], doc["out_seq"], doc["ver"])


def read_word(doc: Document) -> HubWord:
    return HubWord(
        epoch=doc["epoch"],
        confirmed=doc["confirmed"],
        at=_time(doc["at"]),
        seen_at=_time(doc["seen_at"]),
        position=doc["position"],
        state=doc["state"],
        stamped_last=doc["stamped_last"],
        stamped_at=_time(doc["stamped_at"]),
        down=doc["down"],
        version=doc["ver"],
    )


def node_document(node: KnownNode) -> Document:
    return {
        "_id": node.node,
        "name": node.name,
        "profile": node.profile,
        "parent": node.parent,
        "state": node.state,
        "epoch": node.epoch,
        "seal_keys": list(node.seal_keys),
        "word": node.version,
    }


def read_node(doc: Document) -> KnownNode:
    return KnownNode(
        node=doc["_id"],
        name=doc["name"],
        profile=doc["profile"],
        parent=doc["parent"],
        state=doc["state"],
        epoch=doc["epoch"],
        seal_keys=tuple(doc["seal_keys"]),
        version=doc["word"],
    )


def step_document(id: str, step: CustodyStep) -> Document:
    return {
        "_id": id,
        "dossier_id": step.dossier_id,
        "node": step.node,
        "what": step.what,
        "at": moment(step.at),
        "detail": step.detail,
        "code": step.code,
        "remote_id": step.remote_id,
        "answer_from": step.answer_from,
        "answer_due": step.answer_due.isoformat() if step.answer_due else None,
        "message_receiver": step.message_receiver,
        "message_key": step.message_key,
    }


def read_step(doc: dict[str, Any]) -> CustodyStep:
    return CustodyStep(
        dossier_id=doc["dossier_id"],
        node=doc["node"],
        what=doc["what"],
        at=datetime.fromisoformat(doc["at"]),
        detail=doc["detail"],
        code=doc["code"],
        remote_id=doc["remote_id"],
        answer_from=doc["answer_from"],
        answer_due=date.fromisoformat(doc["answer_due"]) if doc["answer_due"] else None,
        message_receiver=doc["message_receiver"],
        message_key=doc["message_key"],
    )
