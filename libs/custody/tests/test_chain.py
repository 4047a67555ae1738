"""What a taker that follows `place` ends up with, whatever the way between does."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sangkien.custody import BrokenLink, ChainAudit, Head, Place, Seal, SealKey, make_seal, place, read_seal

KEY = SealKey.from_bytes(b"u" * 32)
MESSAGES = 8


def seal(n: int, prev: str, epoch: int = 1, body: bytes = b"{}", sender: str = "union", key: SealKey = KEY) -> Seal:
    return make_seal(
        key,
        id=f"{epoch}-{n}",
        sender=sender,
        receiver="city",
        type="dossier.filed.v1",
        business_key=f"dossier.filed.v1:{n}",
        epoch=epoch,
        n=n,
        prev=prev,
        at=datetime(2026, 11, 22, 9, 45, n, tzinfo=UTC),
        body=body,
    )


def chain(epoch: int = 1, first: Head | None = None, body: bytes = b"{}", most: int = MESSAGES) -> list[Seal]:
    head, said = first or Head.start(epoch), []
    while head.n < most:
        said.append(seal(head.n + 1, head.hash, epoch, body))
        head = Head.after(said[-1])
    return said


SAID = chain()
FORKS = {
    at: [*SAID[: at - 1], *chain(first=Head.after(SAID[at - 2]) if at > 1 else None, body=b"[]")] for at in (1, 4, 8)
}
"""The same sender saying something else from the nth on."""


def take_all(arriving: list[Seal]) -> tuple[list[Seal], list[Place]]:
    """As the hub does it: what follows is taken; the places of all others."""
    head = Head.start(1)
    taken: list[Seal] = []
    others: list[Place] = []
    for one in arriving:
        known = taken[one.n - 1].hash if one.n <= len(taken) else None
        stands = place(head, one, known)
        if stands is Place.FOLLOWS:
            taken.append(one)
            head = Head.after(one)
        else:
            others.append(stands)
    return taken, others


@given(st.lists(st.sampled_from(SAID), max_size=30))
def test_what_is_taken_is_a_beginning_of_what_was_said(arriving: list[Seal]) -> None:
    taken, others = take_all(arriving)
    assert taken == SAID[: len(taken)]
    assert set(others) <= {Place.REPEAT, Place.GAP}


@given(st.lists(st.sampled_from(SAID), max_size=20))
def test_offering_again_what_lies_above_completes_the_chain_once(lost_and_repeated: list[Seal]) -> None:
    taken, _ = take_all(lost_and_repeated)
    completed, others = take_all([*lost_and_repeated, *SAID[len(taken) :], *SAID])
    assert completed == SAID
    assert others[-MESSAGES:] == [Place.REPEAT] * MESSAGES


@given(st.sampled_from(sorted(FORKS)), st.lists(st.integers(0, MESSAGES - 1), max_size=20))
def test_two_tongues_are_never_taken_as_one_chain(at: int, extra: list[int]) -> None:
    other = FORKS[at]
    arriving = [SAID[n] for n in range(at)] + [other[n] for n in extra] + SAID
    taken, others = take_all(arriving)
    assert taken == SAID
    forks = sum(place is Place.FORK for place in others)
    assert forks == sum(other[n].n in (at, at + 1) for n in extra)


@pytest.mark.parametrize(
    ("head", "one", "known", "stands"),
    [
        (Head.start(1), SAID[0], None, Place.FOLLOWS),
        (Head.start(1), SAID[1], None, Place.GAP),
        (Head.after(SAID[3]), SAID[4], None, Place.FOLLOWS),
        (Head.after(SAID[3]), SAID[3], None, Place.REPEAT),
        (Head.after(SAID[3]), SAID[1], SAID[1].hash, Place.REPEAT),
        (Head.after(SAID[3]), SAID[1], None, Place.REPEAT),
        (Head.after(SAID[3]), FORKS[4][3], None, Place.FORK),
        (Head.after(SAID[3]), FORKS[4][3], FORKS[4][3].hash, Place.FORK),
        (Head.after(SAID[3]), FORKS[4][4], None, Place.FORK),
        (Head.after(SAID[4]), FORKS[4][3], SAID[3].hash, Place.FORK),
        (Head.start(2), SAID[0], None, Place.OTHER_EPOCH),
        (Head.after(SAID[3]), chain(epoch=2)[0], None, Place.OTHER_EPOCH),
    ],
)
def test_place_of_a_seal_is_told(head: Head, one: Seal, known: str | None, stands: Place) -> None:
    assert place(head, one, known) is stands


def audit(said: list[str], until: Head | None = None) -> Head:
    audit = ChainAudit("union", [KEY.public])
    for compact in said:
        audit.seal(compact)
    return audit.finish(until)


COMPACT = [one.compact for one in [*SAID[:4], *chain(epoch=2)]]


def test_chain_of_two_lives_holds_to_its_head() -> None:
    last = read_seal(COMPACT[-1], KEY.public)
    assert audit(COMPACT, Head.after(last)) == Head(2, MESSAGES, last.hash)


@given(st.integers(0, len(COMPACT) - 1), st.data())
def test_any_changed_byte_of_a_seal_is_found_at_its_number(at: int, data: st.DataObject) -> None:
    raw = bytearray(COMPACT[at].encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 127))
    with pytest.raises(BrokenLink) as broken:
        audit([*COMPACT[:at], raw.decode(), *COMPACT[at + 1 :]])
    # A broken seal cannot say that it begins another life.
    assert broken.value.where == f"seal:{at + 1 if at <= 4 else at - 3}"


@pytest.mark.parametrize(
    ("said", "where", "code"),
    [
        ([*COMPACT[:2], *COMPACT[3:4]], "seal:3", "gap"),
        ([COMPACT[0], COMPACT[2], COMPACT[1]], "seal:2", "gap"),
        ([*COMPACT[:2], COMPACT[1]], "seal:3", "repeat"),
        ([*COMPACT[:4], FORKS[4][4].compact], "seal:5", "fork"),
        ([*COMPACT[:5], COMPACT[3]], "seal:2", "other_epoch"),
        ([*COMPACT[:4], COMPACT[5]], "seal:1", "gap"),
        ([COMPACT[0], seal(2, SAID[0].hash, sender="ward").compact], "seal:2", "sender"),
        ([COMPACT[0], seal(2, SAID[0].hash, key=SealKey.from_bytes(bytes(32))).compact], "seal:2", "unknown_key"),
    ],
)
def test_first_bad_link_of_a_chain_is_named(said: list[str], where: str, code: str) -> None:
    with pytest.raises(BrokenLink) as broken:
        audit(said)
    assert (broken.value.where, broken.value.code) == (where, code)


def test_what_a_sender_says_otherwise_later_is_not_what_was_taken_of_it() -> None:
    rewritten = [one.compact for one in FORKS[4][:4]]
    assert audit(rewritten) == Head.after(FORKS[4][3])
    with pytest.raises(BrokenLink, match=r"^seal:4: fork$"):
        audit(rewritten, Head.after(SAID[3]))


def test_chain_that_lost_its_tail_is_shorter_than_its_receipt() -> None:
    with pytest.raises(BrokenLink, match=r"^seal:4: missing$"):
        audit(COMPACT[:3], Head.after(SAID[3]))
    with pytest.raises(BrokenLink, match=r"^seal:1: missing$"):
        audit(COMPACT[:4], Head.after(chain(epoch=2)[0]))


def test_body_is_held_against_its_seal() -> None:
    audit = ChainAudit("union", [KEY.public])
    audit.seal(COMPACT[0], b"{}")
    with pytest.raises(BrokenLink, match=r"^seal:2: body$"):
        audit.seal(COMPACT[1], b"[]")


def test_audit_goes_on_from_a_head() -> None:
    going_on = ChainAudit("union", [KEY.public], head=Head.after(SAID[2]))
    assert going_on.seal(COMPACT[3]) == SAID[3]
    assert going_on.finish() == Head.after(SAID[3])
