"""A proof that one message passed the hub: the hub's public key is all that is needed to check it (ADR 0008)."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from cryptography.x509 import Certificate

from sangkien.custody import merkle
from sangkien.custody.claims import VERSION, WrongClaim, closed, from_json, to_json
from sangkien.custody.entries import Entry, read_entry
from sangkien.custody.errors import CustodyBroken, EntryBroken, ProofBroken, SealBroken, TimestampBroken
from sangkien.custody.keys import Keys
from sangkien.custody.seals import Seal, check_body, read_seal, seal_in
from sangkien.custody.stamps import Stamp, read_stamp, stamp_in
from sangkien.custody.timestamps import check_imprint, check_timestamp

MOST_PROOF_BYTES: Final = 256 * 1024
_NAMES: Final = frozenset("v seal entry path stamp token".split())


@dataclass(frozen=True, slots=True)
class Proof:
    """One message's seal and raw entry, the path from the entry to the root of its stamp, the stamp's token if any."""

    seal: str
    entry: bytes
    path: tuple[bytes, ...]
    stamp: str
    token: bytes | None = None

    def to_json(self) -> str:
        """Path in hex, token in base64 or null."""
        return to_json(
            {
                "v": VERSION,
                "seal": self.seal,
                "entry": self.entry.decode(),
                "path": [one.hex() for one in self.path],
                "stamp": self.stamp,
                "token": base64.b64encode(self.token).decode() if self.token else None,
            }
        ).decode()

    @classmethod
    def from_json(cls, proof_json: str) -> Self:
        """Read one; nothing is checked yet. Raises ProofBroken in `proof`."""
        if len(proof_json) > MOST_PROOF_BYTES:
            raise ProofBroken("too_large", "proof")
        try:
            found = from_json(proof_json.encode())
            closed(found, _NAMES)
            return cls(
                seal=_text(found, "seal"),
                entry=_text(found, "entry").encode(),
                path=tuple(_hash(one) for one in _list(found, "path")),
                stamp=_text(found, "stamp"),
                token=None if found["token"] is None else base64.b64decode(_text(found, "token"), validate=True),
            )
        except WrongClaim as wrong:
            raise ProofBroken(wrong.code, "proof", wrong.claim) from None
        except ValueError:
            raise ProofBroken("malformed", "proof") from None


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof proves: the hub held this seal at `entry.position` no later than `stamp.at`.

    `signed_by_sender`: the seal's signature was checked with the sender's own keys, not only vouched for by the hub.
    `timestamped_at`: when an outside authority saw the stamp, where its root was given and the proof has a token.
    """

    seal: Seal
    entry: Entry
    stamp: Stamp
    signed_by_sender: bool
    body_checked: bool
    timestamped_at: datetime | None


def make_proof(*, seal: str, entry: bytes, leaves: Sequence[bytes], stamp: str, token: bytes | None = None) -> Proof:
    """The proof of one message. `leaves` are the leaf hashes of all entries of the stamp, in order.

    Signatures are not checked here. Raises ProofBroken in `path` when the leaves are not those of the stamp, or the
    entry is not at its place among them.
    """
    try:
        covered = stamp_in(stamp)
    except SealBroken as broken:
        raise _in("stamp", broken) from None
    said = _entry(entry)
    index = said.position - covered.first
    if len(leaves) != covered.size or not 0 <= index < covered.size:
        raise ProofBroken("root", "path")
    if leaves[index] != said.leaf or merkle.root(leaves) != covered.root:
        raise ProofBroken("root", "path")
    return Proof(seal, entry, tuple(merkle.path(leaves, index)), stamp, token)


def verify_proof(
    proof_json: str,
    hub_public: Keys,
    body: bytes | None,
    *,
    sender_keys: Keys | None = None,
    authorities: Sequence[Certificate] = (),
) -> Proven:
    """Check a proof with the hub's public key, the body if there is one, and what else the caller happens to have.

    Raises ProofBroken; `where` is the first part that does not hold: proof, hub_key, stamp, token, entry, path, seal,
    body.
    """
    proof = Proof.from_json(proof_json)
    try:
        stamp = read_stamp(proof.stamp, hub_public)
    except SealBroken as broken:
        raise _in("stamp", broken) from None
    except ValueError:
        raise ProofBroken("key", "hub_key") from None
    timestamped_at = _timestamped(proof, authorities)
    entry = _entry(proof.entry)
    if not merkle.verify_path(entry.leaf, entry.position - stamp.first, stamp.size, proof.path, stamp.root):
        raise ProofBroken("root", "path")
    try:
        seal = seal_in(proof.seal) if sender_keys is None else read_seal(proof.seal, sender_keys)
    except SealBroken as broken:
        raise _in("seal", broken) from None
    if not entry.is_of(seal):
        raise ProofBroken("mismatch", "seal")
    try:
        if body is not None:
            check_body(seal, body)
    except SealBroken as broken:
        raise _in("body", broken) from None
    return Proven(seal, entry, stamp, sender_keys is not None, body is not None, timestamped_at)


def _timestamped(proof: Proof, authorities: Sequence[Certificate]) -> datetime | None:
    if proof.token is None:
        return None
    try:
        if authorities:
            return check_timestamp(proof.token, proof.stamp, authorities)
        check_imprint(proof.token, proof.stamp)
    except TimestampBroken as broken:
        raise _in("token", broken) from None
    return None


def _entry(raw: bytes) -> Entry:
    try:
        return read_entry(raw)
    except EntryBroken as broken:
        raise _in("entry", broken) from None


def _in(where: str, broken: CustodyBroken) -> ProofBroken:
    return ProofBroken(broken.code, where, broken.claim)


def _text(found: dict[str, Any], name: str) -> str:
    if not isinstance(found[name], str):
        raise WrongClaim("claims", name)
    return str(found[name])


def _list(found: dict[str, Any], name: str) -> list[Any]:
    if not isinstance(found[name], list) or len(found[name]) > 64:
        raise WrongClaim("claims", name)
    return list(found[name])


def _hash(one: object) -> bytes:
    raw = bytes.fromhex(one) if isinstance(one, str) else b""
    if len(raw) != 32 or raw.hex() != one:
        raise WrongClaim("claims", "path")
    return raw
