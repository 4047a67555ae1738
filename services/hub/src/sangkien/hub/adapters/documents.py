"""What the hub stores, and how."""

from datetime import datetime
from typing import Any

from sangkien.hub.application.ports import Held, Line, Log, StoredStamp
from sangkien.hub.domain.node import Credentials, Invitation, Key, Node, State
from sangkien.hub.domain.peer import Peer, Refused
from sangkien.store import Document, Index, Schema

NODES = "nodes"
PEERS = "peers"
LOG = "log"
ENTRIES = "entries"
HELD = "held"
BODIES = "bodies"
STAMPS = "stamps"
THE_LOG = "log"

SCHEMA = Schema(
    (NODES, PEERS, LOG, ENTRIES, HELD, BODIES, STAMPS),
    (
        Index(ENTRIES, ("sender", "epoch", "n"), unique=True),
        Index(ENTRIES, ("id",)),
        Index(HELD, ("receiver", "epoch", "n"), unique=True),
        Index(HELD, ("sender", "position")),
        Index(STAMPS, ("last",)),
    ),
)


def position_id(position: int) -> str:
    """Sorts as the number does."""
    return f"{position:012d}"


def node_document(node: Node) -> Document:
    invitation, credentials = node.invitation, node.credentials
    return {
        "_id": node.node,
        "name": node.name,
        "profile": node.profile,
        "parent": node.parent,
        "registered_at": node.registered_at.isoformat(),
        "state": node.state.value,
        "epoch": node.epoch,
        "keys": [{"public": k.public, "epoch": k.epoch, "until": _text(k.until)} for k in node.keys],
        "invitation": invitation
        and {
            "secret_sha256": invitation.secret_sha256,
            "expires_at": invitation.expires_at.isoformat(),
            "epoch": invitation.epoch,
            "keys": invitation.keys,
        },
        "credentials": credentials
        and {
            "certificate_pem": credentials.certificate_pem,
            "user_jwt": credentials.user_jwt,
            "certificate_until": credentials.certificate_until.isoformat(),
        },
        "before_suspension": node.before_suspension and node.before_suspension.value,
        "reason": node.reason,
        "software": node.software,
        "revision": node.revision,
        "announced": node.announced,
    }


def read_node(doc: Document) -> Node:
    invitation, credentials = doc["invitation"], doc["credentials"]
    return Node(
        node=doc["_id"],
        name=doc["name"],
        profile=doc["profile"],
        parent=doc["parent"],
        registered_at=datetime.fromisoformat(doc["registered_at"]),
        state=State(doc["state"]),
        epoch=doc["epoch"],
        keys=tuple([Key(k["public"], k["epoch"], _time(k["until"])) for k in doc["keys"]]),
        invitation=invitation
        and Invitation(
            invitation["secret_sha256"],
            datetime.fromisoformat(invitation["expires_at"]),
            invitation["epoch"],
            invitation["keys"],
        ),
        credentials=credentials
        and Credentials(
            credentials["certificate_pem"],
            credentials["user_jwt"],
            datetime.fromisoformat(credentials["certificate_until"]),
        ),
        before_suspension=State(doc["before_suspension"]) if doc["before_suspension"] else None,
        reason=doc["reason"],
        software=doc["software"],
        revision=doc["revision"],
        announced=doc["announced"],
        stored=doc["ver"],
    )


def peer_document(peer: Peer) -> Document:
    return {
        "_id": peer.node,
        "epoch": peer.epoch,
        "n": peer.n,
        "hash": peer.hash,
        "position": peer.position,
        "sent": peer.sent,
        "receipted": peer.receipted,
        "receipted_at": _text(peer.receipted_at),
        "refused": [{"n": one.n, "id": one.id, "code": one.code} for one in peer.refused],
        "sealed_at": _text(peer.sealed_at),
        "skew_s": peer.skew_s,
        "unsure_from": peer.unsure_from,
    }


def read_peer(doc: Document) -> Peer:
    return Peer(
        node=doc["_id"],
        epoch=doc["epoch"],
        n=doc["n"],
        hash=doc["hash"],
        position=doc["position"],
        sent=doc["sent"],
        receipted=doc["receipted"],
        receipted_at=_time(doc["receipted_at"]),
        refused=tuple([Refused(one["n"], one["id"], one["code"]) for one in doc["refused"]]),
        sealed_at=_time(doc["sealed_at"]),
        skew_s=doc["skew_s"],
        unsure_from=doc["unsure_from"],
        stored=doc["ver"],
    )


def log_document(log: Log) -> Document:
    return {
        "_id": THE_LOG,
        "position": log.position,
        "hash": log.hash,
        "batch": log.batch,
        "stamp_hash": log.stamp_hash,
        "stamped": log.stamped,
        "stamped_at": _text(log.stamped_at),
        "unstamped_since": _text(log.unstamped_since),
    }


def read_log(doc: Document) -> Log:
    return Log(
        position=doc["position"],
        hash=doc["hash"],
        batch=doc["batch"],
        stamp_hash=doc["stamp_hash"],
        stamped=doc["stamped"],
        stamped_at=_time(doc["stamped_at"]),
        unstamped_since=_time(doc["unstamped_since"]),
        stored=doc["ver"],
    )


def line_document(line: Line) -> Document:
    return {
        "_id": position_id(line.position),
        "id": line.id,
        "sender": line.sender,
        "epoch": line.epoch,
        "n": line.n,
        "raw": line.raw.decode(),
        "seal": line.seal,
        "delivered_at": _text(line.delivered_at),
    }


def read_line(doc: Document) -> Line:
    return Line(
        position=int(doc["_id"]),
        id=doc["id"],
        sender=doc["sender"],
        epoch=doc["epoch"],
        n=doc["n"],
        raw=doc["raw"].encode(),
        seal=doc["seal"],
        delivered_at=_time(doc["delivered_at"]),
        stored=doc["ver"],
    )


def held_document(held: Held) -> Document:
    return {
        "_id": held.id,
        "receiver": held.receiver,
        "epoch": held.epoch,
        "n": held.n,
        "sender": held.sender,
        "sender_epoch": held.sender_epoch,
        "sender_n": held.sender_n,
        "type": held.type,
        "body": held.body and held.body.decode(),
        "seal": held.seal,
        "seal_sha256": held.seal_sha256,
        "position": held.position,
        "at": held.at.isoformat(),
    }


def read_held(doc: Document) -> Held:
    return Held(
        receiver=doc["receiver"],
        epoch=doc["epoch"],
        n=doc["n"],
        sender=doc["sender"],
        sender_epoch=doc["sender_epoch"],
        sender_n=doc["sender_n"],
        type=doc["type"],
        seal=doc["seal"],
        seal_sha256=doc["seal_sha256"],
        position=doc["position"],
        at=datetime.fromisoformat(doc["at"]),
        body=doc["body"].encode() if doc["body"] else None,
    )


def stamp_document(stamp: StoredStamp) -> Document:
    return {
        "_id": position_id(stamp.batch),
        "first": stamp.first,
        "last": stamp.last,
        "stamp": stamp.stamp,
        "token": stamp.token.hex(),
    }


def read_stamp(doc: Document) -> StoredStamp:
    return StoredStamp(int(doc["_id"]), doc["first"], doc["last"], doc["stamp"], bytes.fromhex(doc["token"]))


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
