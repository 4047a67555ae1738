"""The hub's log under an auditor's eyes, and proofs of single messages out of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sangkien.custody import (
    FORWARDED,
    NOTHING_BEFORE,
    Audited,
    BrokenLink,
    Entry,
    Head,
    LogAudit,
    Proof,
    ProofBroken,
    Proven,
    Seal,
    SealKey,
    leaf_hash,
    make_entry,
    make_proof,
    make_seal,
    make_stamp,
    path,
    read_entry,
    read_seal,
    read_stamp,
    root,
    verify_proof,
)

BEGAN = datetime(2026, 11, 22, 9, 45, 4, 123456, tzinfo=UTC)


@dataclass
class Node:
    """A member that seals one message after another."""

    name: str
    key: SealKey
    epoch: int = 1
    seals: list[Seal] = field(default_factory=list)

    def say(self, body: bytes = b"{}", receiver: str = "city") -> Seal:
        lived = [seal for seal in self.seals if seal.epoch == self.epoch]
        head = Head.after(lived[-1]) if lived else Head.start(self.epoch)
        self.seals.append(
            make_seal(
                self.key,
                id=f"{self.name}-{self.epoch}-{head.n + 1}",
                sender=self.name,
                receiver=receiver,
                type="dossier.filed.v1",
                business_key=f"dossier.filed.v1:hồ sơ {head.n + 1}:1",
                epoch=self.epoch,
                n=head.n + 1,
                prev=head.hash,
                at=BEGAN + timedelta(seconds=head.n),
                body=body,
            )
        )
        return self.seals[-1]


@dataclass
class Hub:
    """A hub that takes everything and stamps when told to."""

    key: SealKey
    entries: list[Entry] = field(default_factory=list)
    seals: list[str] = field(default_factory=list)
    stamps: list[str] = field(default_factory=list)
    stamped: int = 0

    def take(self, seal: Seal, verdict: str = FORWARDED) -> Entry:
        prev = self.entries[-1].hash if self.entries else NOTHING_BEFORE
        position = len(self.entries) + 1
        entry = make_entry(
            position=position, seal=seal, verdict=verdict, at=BEGAN + timedelta(seconds=position), prev=prev
        )
        self.entries.append(entry)
        self.seals.append(seal.compact)
        return entry

    def stamp(self) -> str:
        covered = self.entries[self.stamped :]
        stamp = make_stamp(
            self.key,
            batch=len(self.stamps) + 1,
            first=self.stamped + 1,
            last=len(self.entries),
            root=root([entry.leaf for entry in covered]),
            at=BEGAN + timedelta(minutes=len(self.stamps) + 1),
            prev=read_stamp(self.stamps[-1], self.key.public).hash if self.stamps else NOTHING_BEFORE,
        )
        self.stamps.append(stamp)
        self.stamped = len(self.entries)
        return stamp

    def leaves(self, batch: int) -> list[bytes]:
        stamp = read_stamp(self.stamps[batch - 1], self.key.public)
        return [entry.leaf for entry in self.entries[stamp.first - 1 : stamp.last]]

    def proof(self, position: int, batch: int) -> Proof:
        return make_proof(
            seal=self.seals[position - 1],
            entry=self.entries[position - 1].raw,
            leaves=self.leaves(batch),
            stamp=self.stamps[batch - 1],
        )


@dataclass
class Told:
    """A log as an auditor is told it: each part may be tampered with before."""

    hub_public: str
    keys: Callable[[str], Sequence[str]]
    entries: list[tuple[bytes, str]]
    stamps: list[tuple[int, str]]
    """With how many entries are fed before each."""

    def audit(self) -> Audited:
        audit = LogAudit(self.hub_public, self.keys)
        stamps = iter(self.stamps)
        due = next(stamps, None)
        for fed, (raw, seal) in enumerate(self.entries, start=1):
            audit.entry(raw, seal)
            while due is not None and due[0] <= fed:
                audit.stamp(due[1])
                due = next(stamps, None)
        while due is not None:
            audit.stamp(due[1])
            due = next(stamps, None)
        return audit.finish()

    def with_entry(self, position: int, raw: bytes) -> "Told":
        return self.with_entries([*self.entries[: position - 1], (raw, self.entries[position - 1][1])], position)

    def with_seal(self, position: int, seal: str) -> "Told":
        return self.with_entries([*self.entries[: position - 1], (self.entries[position - 1][0], seal)], position)

    def with_stamp(self, batch: int, stamp: str) -> "Told":
        stamps = [*self.stamps[: batch - 1], (self.stamps[batch - 1][0], stamp), *self.stamps[batch:]]
        return replace(self, stamps=stamps)

    def with_entries(self, first: list[tuple[bytes, str]], rest_from: int = 2**20) -> "Told":
        return replace(self, entries=[*first, *self.entries[rest_from:]])

    def stamps_last(self) -> "Told":
        """The same log with the stamps fed after all entries."""
        return replace(self, stamps=[(len(self.entries), stamp) for _, stamp in self.stamps])


@dataclass
class World:
    """Two members and a hub, ten messages under stamps of 4, 1 and 5: two lives of one member, one message refused."""

    hub: Hub
    union: Node
    ward: Node

    def keys(self, node: str) -> Sequence[str]:
        return {"hub": [self.hub.key.public], "union": [self.union.key.public], "ward": [self.ward.key.public]}.get(
            node, []
        )

    def told(self) -> Told:
        fed = [read_stamp(stamp, self.hub.key.public).last for stamp in self.hub.stamps]
        entries = [(entry.raw, seal) for entry, seal in zip(self.hub.entries, self.hub.seals, strict=True)]
        return Told(self.hub.key.public, self.keys, entries, list(zip(fed, self.hub.stamps, strict=True)))


def tell() -> World:
    hub = Hub(SealKey.from_bytes(bytes(32)))
    union = Node("union", SealKey.from_bytes(b"u" * 32))
    ward = Node("ward", SealKey.from_bytes(b"w" * 32))
    registry = Node("hub", hub.key)
    hub.take(union.say())
    hub.take(ward.say(b"1", receiver="union"))
    hub.take(union.say("sáng kiến".encode()))
    hub.take(registry.say(receiver="ward"))
    hub.stamp()
    hub.take(union.say(), "refused:receiver_unknown")
    hub.stamp()
    hub.take(ward.say(receiver="union"))
    union.epoch = 2
    hub.take(union.say())
    hub.take(registry.say(receiver="union"))
    hub.take(union.say())
    hub.take(ward.say(receiver="union"))
    hub.stamp()
    return World(hub, union, ward)


WORLD = tell()
TOLD = WORLD.told()
ENTRIES = TOLD.entries
STAMPS = WORLD.hub.stamps
LAST = WORLD.hub.entries[-1]
HUB = WORLD.hub.key.public
PROOF = WORLD.hub.proof(position=7, batch=3)

orders = st.sampled_from([TOLD, TOLD.stamps_last()])
"""Stamps as soon as what they cover was fed, or all at the end."""
flips = st.integers(1, 127)


def broken_at(told: Told) -> tuple[str, str]:
    with pytest.raises(BrokenLink) as broken:
        told.audit()
    return broken.value.where, broken.value.code


def flipped(raw: bytes, data: st.DataObject) -> bytes:
    changed = bytearray(raw)
    changed[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(flips)
    return bytes(changed)


@pytest.mark.parametrize("told", [TOLD, TOLD.stamps_last()])
def test_log_that_nobody_touched_holds(told: Told) -> None:
    assert told.audit() == Audited(
        entries=10,
        stamped=10,
        stamps=3,
        tokens=0,
        head=LAST.hash,
        stamp=read_stamp(STAMPS[-1], HUB).hash,
        timestamped_at=None,
    )


@given(orders, st.integers(1, len(ENTRIES)), st.data())
def test_any_changed_byte_of_an_entry_is_found_at_its_position(told: Told, position: int, data: st.DataObject) -> None:
    changed = told.with_entry(position, flipped(ENTRIES[position - 1][0], data))
    assert broken_at(changed)[0] == f"entry:{position}"


@given(orders, st.integers(1, len(ENTRIES)), st.data())
def test_any_changed_byte_of_a_seal_is_found_at_its_position(told: Told, position: int, data: st.DataObject) -> None:
    changed = told.with_seal(position, flipped(ENTRIES[position - 1][1].encode(), data).decode())
    assert broken_at(changed)[0] == f"seal:{position}"


@given(orders, st.integers(1, len(STAMPS)), st.data())
def test_any_changed_byte_of_a_stamp_is_found_at_its_batch(told: Told, batch: int, data: st.DataObject) -> None:
    changed = told.with_stamp(batch, flipped(STAMPS[batch - 1].encode(), data).decode())
    assert broken_at(changed)[0] == f"stamp:{batch}"


@given(st.integers(1, len(ENTRIES)), st.sampled_from([b"forwarded", b"refused:unknown"]), st.booleans())
def test_changed_verdict_in_good_form_is_found_at_its_entry(position: int, verdict: bytes, early: bool) -> None:
    """What no seal vouches for: only the entries and stamps around it tell."""
    raw = ENTRIES[position - 1][0]
    entry = read_entry(raw)
    assume(entry.verdict.encode() != verdict)
    changed = (TOLD if early else TOLD.stamps_last()).with_entry(position, raw.replace(entry.verdict.encode(), verdict))
    assert broken_at(changed)[0] == f"entry:{position}"


@given(orders, st.permutations(range(len(ENTRIES))))
def test_reordered_log_is_found_at_the_first_that_moved(told: Told, order: list[int]) -> None:
    assume(order != sorted(order))
    moved = next(at for at, was in enumerate(order) if at != was)
    assert broken_at(told.with_entries([ENTRIES[at] for at in order])) == (f"entry:{moved + 1}", "position")


@pytest.mark.parametrize(
    ("told", "where", "code"),
    [
        (TOLD.with_entries(ENTRIES[:4], 5), "entry:5", "position"),
        (TOLD.with_entries([*ENTRIES[:4], ENTRIES[3]], 4), "entry:5", "position"),
        (TOLD.with_entries(ENTRIES[:9]), "entry:10", "missing"),
        (TOLD.with_entries([]), "entry:1", "missing"),
        (TOLD.with_seal(6, ENTRIES[4][1]), "seal:6", "mismatch"),
        (TOLD.with_seal(6, ENTRIES[9][1]), "seal:6", "mismatch"),
        (replace(TOLD, stamps=TOLD.stamps[1:]), "stamp:1", "batch"),
        (replace(TOLD, stamps=[*TOLD.stamps[:1], *TOLD.stamps[2:]]), "stamp:2", "batch"),
        (replace(TOLD, stamps=[*TOLD.stamps, TOLD.stamps[2]]), "stamp:4", "batch"),
        (replace(TOLD, hub_public=SealKey.create().public), "stamp:1", "unknown_key"),
        (replace(TOLD, keys=lambda node: WORLD.keys(node) if node != "ward" else []), "seal:2", "unknown_key"),
    ],
)
def test_first_bad_link_of_a_log_is_named(told: Told, where: str, code: str) -> None:
    assert broken_at(told) == (where, code)


def rewritten(leave_out: int) -> World:
    """The hub itself writes its log anew, with its own key and without one of the messages it took."""
    forged = Hub(WORLD.hub.key)
    for position, (raw, seal) in enumerate(ENTRIES, start=1):
        if position != leave_out:
            forged.take(read_seal(seal, WORLD.keys(read_entry(raw).sender)), read_entry(raw).verdict)
    forged.stamp()
    return replace(WORLD, hub=forged)


def test_message_the_hub_denies_is_missed_by_its_sender_s_chain() -> None:
    assert broken_at(rewritten(leave_out=3).told()) == ("seal:4", "gap")


def test_last_message_the_hub_denies_is_missed_by_who_holds_a_receipt() -> None:
    told = rewritten(leave_out=10).told()
    assert told.audit().entries == 9
    audit = LogAudit(told.hub_public, told.keys)
    for raw, seal in told.entries:
        audit.entry(raw, seal)
    with pytest.raises(BrokenLink, match=r"^entry:10: missing$"):
        audit.finish(position=10)


def test_log_rewritten_without_the_hub_s_key_does_not_lead_to_its_stamps() -> None:
    forged = rewritten(leave_out=11).hub
    changed = replace(forged.entries[0], verdict="refused:unknown")
    entries = [
        make_entry(
            position=1,
            seal=read_seal(ENTRIES[0][1], WORLD.keys("union")),
            verdict=changed.verdict,
            at=changed.at,
            prev=changed.prev,
        )
    ]
    for raw, seal in ENTRIES[1:]:
        was = read_entry(raw)
        entries.append(
            make_entry(
                position=was.position,
                seal=read_seal(seal, WORLD.keys(was.sender)),
                verdict=was.verdict,
                at=was.at,
                prev=entries[-1].hash,
            )
        )
    told = TOLD.with_entries([(entry.raw, seal) for entry, (_, seal) in zip(entries, ENTRIES, strict=True)])
    assert broken_at(told) == ("entry:4", "root")


def stamp(batch: int, first: int, prev: str) -> str:
    leaves = [entry.leaf for entry in WORLD.hub.entries[first - 1 : 5]]
    return make_stamp(WORLD.hub.key, batch=batch, first=first, last=5, root=root(leaves), at=BEGAN, prev=prev)


def test_stamp_that_does_not_go_on_where_the_last_ended_is_found() -> None:
    last = read_stamp(STAMPS[0], HUB).hash
    assert broken_at(TOLD.with_stamp(2, stamp(2, 5, NOTHING_BEFORE))) == ("stamp:2", "prev")
    assert broken_at(TOLD.with_stamp(2, stamp(2, 4, last))) == ("stamp:2", "first")
    assert replace(TOLD, stamps=[TOLD.stamps[0], (5, stamp(2, 5, last))]).audit().stamped == 5


def with_prev(position: int, prev: str) -> bytes:
    entry = read_entry(ENTRIES[position - 1][0])
    return entry.raw.replace(entry.prev.encode(), prev.encode())


def test_entry_that_joins_nothing_is_found_though_nothing_comes_after() -> None:
    unstamped = replace(TOLD, stamps=[])
    assert broken_at(unstamped.with_entry(10, with_prev(10, LAST.hash))) == ("entry:10", "prev")
    torn = unstamped.with_entry(4, with_prev(4, LAST.hash))
    assert broken_at(torn.with_entry(5, b"")) == ("entry:4", "prev")


def test_stamped_entry_is_not_the_one_that_was_altered() -> None:
    """Entry 5 was written after another 4 than the stamped one, and 6 goes on from it."""
    fifth = with_prev(5, LAST.hash)
    sixth = with_prev(6, leaf_hash(fifth).hex())
    told = replace(TOLD, stamps=TOLD.stamps[:1]).with_entry(5, fifth).with_entry(6, sixth)
    assert broken_at(told) == ("entry:5", "prev")


def test_entries_not_stamped_yet_are_counted_apart() -> None:
    world = tell()
    world.hub.take(world.ward.say())
    held = world.told().audit()
    assert (held.entries, held.stamped) == (11, 10)


def failed(proof: Proof, hub: str = HUB, body: bytes | None = None) -> tuple[str, str]:
    with pytest.raises(ProofBroken) as broken:
        verify_proof(proof.to_json(), hub, body)
    return broken.value.where, broken.value.code


@pytest.mark.parametrize(("position", "batch"), [(1, 1), (4, 1), (5, 2), (6, 3), (7, 3), (10, 3)])
def test_proof_of_a_message_holds_with_the_hub_s_key_alone(position: int, batch: int) -> None:
    proof = WORLD.hub.proof(position, batch)
    raw, compact = ENTRIES[position - 1]
    entry = read_entry(raw)
    seal = read_seal(compact, WORLD.keys(entry.sender))
    stamp = read_stamp(STAMPS[batch - 1], HUB)
    assert Proof.from_json(proof.to_json()) == proof
    assert verify_proof(proof.to_json(), HUB, None) == Proven(seal, entry, stamp, False, False, None)


def test_proof_says_what_else_was_checked() -> None:
    proven = verify_proof(PROOF.to_json(), HUB, b"{}", sender_keys=WORLD.keys("union"))
    assert (proven.signed_by_sender, proven.body_checked) == (True, True)
    with pytest.raises(ProofBroken, match=r"^seal: unknown_key kid$"):
        verify_proof(PROOF.to_json(), HUB, None, sender_keys=WORLD.keys("ward"))


def test_proof_fails_with_what_belongs_to_another() -> None:
    other = WORLD.hub.proof(position=8, batch=3)
    assert failed(replace(PROOF, path=other.path)) == ("path", "root")
    assert failed(replace(PROOF, entry=other.entry)) == ("path", "root")
    assert failed(replace(PROOF, seal=other.seal)) == ("seal", "mismatch")
    assert failed(replace(PROOF, stamp=STAMPS[1])) == ("path", "root")
    assert failed(PROOF, hub=SealKey.create().public) == ("stamp", "unknown_key")
    assert failed(PROOF, body=b"[]") == ("body", "body")
    assert failed(PROOF, hub=HUB[:-1]) == ("hub_key", "key")


def test_proof_fails_out_of_a_truncated_or_reordered_batch() -> None:
    leaves = WORLD.hub.leaves(3)
    for wrong in (leaves[:-1], [leaves[1], leaves[0], *leaves[2:]][::-1], [*leaves[:3], leaves[4], leaves[3]]):
        index = wrong.index(WORLD.hub.entries[6].leaf)
        assert failed(replace(PROOF, path=tuple(path(wrong, index)))) == ("path", "root")
        with pytest.raises(ProofBroken, match=r"^path: root$"):
            make_proof(seal=PROOF.seal, entry=PROOF.entry, leaves=wrong, stamp=PROOF.stamp)
    with pytest.raises(ProofBroken, match=r"^path: root$"):
        make_proof(seal=ENTRIES[9][1], entry=LAST.raw, leaves=leaves[:-1], stamp=PROOF.stamp)


@given(st.data())
def test_any_changed_byte_of_a_proof_is_found(data: st.DataObject) -> None:
    with pytest.raises(ProofBroken):
        verify_proof(flipped(PROOF.to_json().encode(), data).decode(), HUB, None)


@pytest.mark.parametrize(
    "change",
    [
        {"path": "x"},
        {"path": ["00"]},
        {"path": ["00" * 32] * 65},
        {"path": [one.hex().upper() for one in PROOF.path]},
        {"token": "!"},
        {"token": 1},
        {"seal": None},
        {"v": 2},
        {"more": 1},
    ],
)
def test_proof_that_is_not_in_form_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ProofBroken) as broken:
        verify_proof(json.dumps(json.loads(PROOF.to_json()) | change), HUB, None)
    assert broken.value.where == "proof"
