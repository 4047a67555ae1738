"""Seals made and verified a second against bare Ed25519, log entries audited a second, and what a proof costs."""

import argparse
import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from harness import Result, main, median

from sangkien.custody import (
    FORWARDED,
    NOTHING_BEFORE,
    Entry,
    Head,
    LogAudit,
    Seal,
    SealKey,
    make_entry,
    make_proof,
    make_seal,
    make_stamp,
    read_seal,
    root,
    verify_proof,
)

ROUNDS = 5
BODY = b"x" * 4_000
NODE, HUB = SealKey.create(), SealKey.create()
AT = datetime(2026, 11, 22, tzinfo=UTC)


async def measure(chosen: argparse.Namespace) -> Result:
    private = Ed25519PrivateKey.from_private_bytes(NODE.seed)
    public, signed = private.public_key(), chain(1)[0].compact.rpartition(".")[0].encode()
    signature = private.sign(signed)
    few = chosen.seals // 10
    seals = chain(chosen.seals)
    signs, verifies, makes, reads, audits = (list[float]() for _ in range(5))
    for _ in range(ROUNDS):
        signs.append(per_s(few, lambda: private.sign(signed)))
        makes.append(per_s(few, lambda: chain(1)))
        verifies.append(per_s(few, lambda: public.verify(signature, signed)))
        reads.append(per_s(few, lambda: read_seal(seals[0].compact, [NODE.public])))
    entries = log(seals)
    leaves = [entry.leaf for entry in entries]
    began = time.perf_counter()
    stamp = make_stamp(HUB, batch=1, first=1, last=len(entries), root=root(leaves), at=AT, prev=NOTHING_BEFORE)
    stamped_s = time.perf_counter() - began
    for _ in range(ROUNDS):
        audits.append(chosen.seals * per_s(1, lambda: audit(entries, seals, stamp)))
    proof = make_proof(seal=seals[-1].compact, entry=entries[-1].raw, leaves=leaves, stamp=stamp).to_json()
    return {
        "body_bytes": len(BODY),
        "bare_sign_per_s": median(signs),
        "make_seal": {"per_s": median(makes), "ratio_to_bare": round(median(makes) / median(signs), 3)},
        "bare_verify_per_s": median(verifies),
        "read_seal": {"per_s": median(reads), "ratio_to_bare": round(median(reads) / median(verifies), 3)},
        "audit_entries_per_s": median(audits),
        f"stamp_of_{len(entries)}_entries_s": round(stamped_s, 4),
        "verify_proof_per_s": median(
            [per_s(few, lambda: verify_proof(proof, HUB.public, BODY)) for _ in range(ROUNDS)]
        ),
        "proof_bytes": len(proof),
    }


def chain(most: int) -> list[Seal]:
    """The first seals of one sender."""
    head, said = Head.start(1), list[Seal]()
    for n in range(1, most + 1):
        seal = make_seal(
            NODE,
            id=hashlib.sha256(str(n).encode()).hexdigest()[:26],
            sender="union-dong-da",
            receiver="city",
            type="dossier.filed.v1",
            business_key=f"dossier.filed.v1:{n}:1",
            epoch=1,
            n=n,
            prev=head.hash,
            at=AT,
            body=BODY,
        )
        head = Head.after(seal)
        said.append(seal)
    return said


def log(seals: Sequence[Seal]) -> list[Entry]:
    entries, prev = list[Entry](), NOTHING_BEFORE
    for position, seal in enumerate(seals, start=1):
        entries.append(make_entry(position=position, seal=seal, verdict=FORWARDED, at=AT, prev=prev))
        prev = entries[-1].hash
    return entries


def audit(entries: Sequence[Entry], seals: Sequence[Seal], stamp: str) -> None:
    checked = LogAudit(HUB.public, lambda _: [NODE.public])
    for entry, seal in zip(entries, seals, strict=True):
        checked.entry(entry.raw, seal.compact)
    checked.stamp(stamp)
    assert checked.finish().stamped == len(entries)


def per_s(times: int, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(times):
        work()
    return times / (time.perf_counter() - began)


if __name__ == "__main__":
    main(measure, ("--seals", {"type": int, "default": 10_000}))
