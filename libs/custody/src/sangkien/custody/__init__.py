"""What makes that which crosses between nodes hold later: seals, chains, the custody log, stamps, proofs (ADR 0008)."""

from sangkien.custody.audit import Audited, ChainAudit, LogAudit
from sangkien.custody.chain import Head, Place, place
from sangkien.custody.claims import NOTHING_BEFORE
from sangkien.custody.entries import FORWARDED, Entry, make_entry, read_entry
from sangkien.custody.errors import BrokenLink, CustodyBroken, EntryBroken, ProofBroken, SealBroken, TimestampBroken
from sangkien.custody.forwards import Forward, make_forward, read_forward
from sangkien.custody.keys import SealKey, key_id, read_unverified, verify_jws
from sangkien.custody.merkle import leaf_hash, path, root, verify_path
from sangkien.custody.proofs import Proof, Proven, make_proof, verify_proof
from sangkien.custody.receipts import (
    MOST_REFUSED,
    MOST_WAITING,
    HubReceipt,
    HubState,
    NodeReceipt,
    Refused,
    Stamped,
    read_hub_receipt,
    read_node_receipt,
)
from sangkien.custody.seals import Seal, check_body, make_seal, read_seal, seal_in
from sangkien.custody.stamps import Stamp, make_stamp, read_stamp
from sangkien.custody.timestamps import check_imprint, check_timestamp, timestamp_request, timestamp_token

__all__ = [
    "FORWARDED",
    "MOST_REFUSED",
    "MOST_WAITING",
    "NOTHING_BEFORE",
    "Audited",
    "BrokenLink",
    "ChainAudit",
    "CustodyBroken",
    "Entry",
    "EntryBroken",
    "Forward",
    "Head",
    "HubReceipt",
    "HubState",
    "LogAudit",
    "NodeReceipt",
    "Place",
    "Proof",
    "ProofBroken",
    "Proven",
    "Refused",
    "Seal",
    "SealBroken",
    "SealKey",
    "Stamp",
    "Stamped",
    "TimestampBroken",
    "check_body",
    "check_imprint",
    "check_timestamp",
    "key_id",
    "leaf_hash",
    "make_entry",
    "make_forward",
    "make_proof",
    "make_seal",
    "make_stamp",
    "path",
    "place",
    "read_entry",
    "read_forward",
    "read_hub_receipt",
    "read_node_receipt",
    "read_seal",
    "read_stamp",
    "read_unverified",
    "root",
    "seal_in",
    "timestamp_request",
    "timestamp_token",
    "verify_jws",
    "verify_path",
    "verify_proof",
]
