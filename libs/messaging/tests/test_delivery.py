"""One message, one effect: what is acknowledged, retried, put off and put aside (pitfalls F3, F4, F5, F9)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from nats.aio.client import Client
from opentelemetry import trace

from sangkien.kernel import Refusal
from sangkien.messaging import Bus, DeadLetter, Incoming, Lag, Later, UnderWay, failures
from sangkien.messaging import cloudevents as ce
from sangkien.runtime import Telemetry, new_id
from sangkien.store import Insert, Op, Replace, Store, StoreUnavailable
from sangkien.testkit import eventually

SUBJECT = "ev.intake.dossier.withdrawn.v1"
BODY = b'{"dossier_id":"D1","version":1,"withdrawn_on":"2023-11-20"}'


class RoundClosedAlready(Refusal):
    code: ClassVar[str] = "test_round_closed"
    kind: ClassVar[Any] = "conflict"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same number of tries, without the waits between them."""
    monkeypatch.setattr(failures, "LONGEST_DELAY_SECONDS", 0.02)


def headers(**changed: str) -> dict[str, str]:
    ours = {ce.ID: new_id(), ce.TYPE: SUBJECT, ce.SUBJECT: "D1", ce.AGGREGATE_VERSION: "1"}
    ours |= {ce.TIME: "2023-11-20T08:30:00+00:00"}
    return {name: value for name, value in (ours | changed).items() if value}


async def settled(bus: Bus, store: Store, *, effects: int, dead: int = 0) -> list[DeadLetter]:
    """Wait until nothing is pending; check the number of effects and return the dead letters."""
    letters: list[DeadLetter] = []

    async def reached() -> bool:
        letters[:] = await bus.dead_letters.list("review")
        return len(letters) == dead and await bus.consumer_lag() == {"review__intake": Lag(0, 0, 0)}

    await eventually(reached, what="every message settled")
    assert await store.count("effects") == effects
    return letters


async def test_event_is_handled_once_and_acknowledged(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client
) -> None:
    seen: list[Incoming] = []

    async def handler(messages: Sequence[Incoming]) -> list[Op]:
        seen.extend(messages)
        return [Insert("effects", {"_id": m.id}) for m in messages]

    store = await new_store("review")
    bus = await start_bus("review", store, into_review(handler))
    sent = headers()
    await nc.jetstream().publish(SUBJECT, BODY, headers=sent)

    await settled(bus, store, effects=1)
    (one,) = seen
    assert (one.id, one.type, one.aggregate_id, one.aggregate_version, one.deliveries, one.body) == (
        sent[ce.ID],
        SUBJECT,
        "D1",
        1,
        1,
        BODY,
    )
    assert one.at.isoformat() == "2023-11-20T08:30:00+00:00"


async def test_event_stored_twice_by_the_broker_has_one_effect(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client
) -> None:
    store = await new_store("review")
    bus = await start_bus("review", store, into_review())
    sent = headers()
    for _ in range(3):  # no Nats-Msg-Id: the broker keeps all three, possibly in one batch
        await nc.jetstream().publish(SUBJECT, BODY, headers=sent)

    await settled(bus, store, effects=1)
    assert [row["_id"] for row in await store.find("inbox")] == [f"review__intake:{sent[ce.ID]}"]


@pytest.mark.parametrize(
    ("body", "changed", "detail"),
    [
        (b"{not json", {}, f"{SUBJECT}: body: json_invalid"),
        (b'{"dossier_id":"D1","withdrawn_on":"soon"}', {}, f"{SUBJECT}: version: missing; withdrawn_on: "),
        (b"\xff\xfe", {}, SUBJECT),
        (b"", {}, SUBJECT),
        (BODY, {ce.TYPE: "ev.intake.dossier.lost.v1"}, "ev.intake.dossier.lost.v1: unknown event type"),
        (BODY, {ce.TYPE: ""}, "header ce-type is missing or unreadable"),
        (BODY, {ce.ID: ""}, "header ce-id is missing or unreadable"),
        (BODY, {ce.TIME: "yesterday"}, "header ce-time is missing or unreadable"),
        (BODY, {ce.AGGREGATE_VERSION: "first"}, "header x-aggregate-version is missing or unreadable"),
    ],
)
async def test_unreadable_message_is_put_aside_and_its_neighbours_are_handled(
    new_store: Any,
    start_bus: Any,
    into_review: Any,
    nc: Client,
    body: bytes,
    changed: dict[str, str],
    detail: str,
) -> None:
    store = await new_store("review")
    bus = await start_bus("review", store, into_review())
    js = nc.jetstream()
    await js.publish(SUBJECT, BODY, headers=headers())
    await js.publish(SUBJECT, body, headers=headers(**changed))
    await js.publish(SUBJECT, BODY, headers=headers())

    (letter,) = await settled(bus, store, effects=2, dead=1)
    assert (letter.reason, letter.body, letter.deliveries, letter.origin_seq) == ("undecodable", body, 1, 2)
    assert letter.detail.startswith(detail)
    assert letter.event_type == (changed.get(ce.TYPE) or SUBJECT)


async def test_poison_among_good_costs_nobody_else(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client
) -> None:
    tries: Counter[str] = Counter()

    async def handler(messages: Sequence[Incoming]) -> list[Op]:
        for m in messages:
            tries[m.aggregate_id] += len(messages) == 1
            if m.aggregate_id == "D7":
                raise KeyError("nguyen.van.a@example.org")
        return [Insert("effects", {"_id": m.id}) for m in messages]

    js = nc.jetstream()
    store = await new_store("review")
    bus = await start_bus("review", store, into_review(handler))
    for n in range(40):
        await js.publish(SUBJECT, BODY, headers=headers(**{ce.SUBJECT: f"D{n}"}))

    (letter,) = await settled(bus, store, effects=39, dead=1)
    assert (letter.reason, letter.aggregate_id, tries["D7"]) == ("bug", "D7", 5)
    assert letter.detail.startswith("KeyError at test_delivery.py:")
    assert "nguyen" not in letter.detail


async def test_refusal_is_final_at_once_and_filed_under_its_code(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client
) -> None:
    calls = 0

    async def handler(messages: Sequence[Incoming]) -> list[Op]:
        nonlocal calls
        calls += 1
        raise RoundClosedAlready(field="round_id", round="R1")

    store = await new_store("review")
    bus = await start_bus("review", store, into_review(handler))
    await nc.jetstream().publish(SUBJECT, BODY, headers=headers())

    (letter,) = await settled(bus, store, effects=0, dead=1)
    assert (letter.reason, letter.detail, calls) == ("test_round_closed", "test_round_closed round_id round=R1", 1)


class _Remote(Exception):
    """Looks like a gRPC error: `code()` answers an enum member."""

    def code(self) -> Any:
        return type("StatusCode", (), {"name": "UNAVAILABLE"})


@pytest.mark.parametrize("error", [StoreUnavailable("away"), TimeoutError(), ConnectionResetError(), _Remote()])
async def test_what_is_transient_is_tried_until_it_succeeds(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client, error: Exception
) -> None:
    calls = 0

    async def handler(messages: Sequence[Incoming]) -> list[Op]:
        nonlocal calls
        calls += 1
        if calls <= 50:
            raise error
        return [Insert("effects", {"_id": m.id}) for m in messages]

    store = await new_store("review")
    bus = await start_bus("review", store, into_review(handler))
    await nc.jetstream().publish(SUBJECT, BODY, headers=headers())

    assert await settled(bus, store, effects=1) == []
    assert calls == 51


async def test_delays_between_tries_grow_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "LONGEST_DELAY_SECONDS", 30.0)
    expected = [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]

    for failed, longest in enumerate(expected, start=1):
        assert 0.75 * longest <= failures.delay_seconds(failed) <= longest
    assert failures.delay_seconds(100_000) <= 30.0


async def test_later_waits_alone_until_what_it_needs_was_seen(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client
) -> None:
    store = await new_store("review")

    async def handler(messages: Sequence[Incoming]) -> list[Op]:
        early = [m.id for m in messages if m.aggregate_version > 1 and await store.get("effects", "first") is None]
        if early:
            raise Later(*early)
        return [Insert("effects", {"_id": "first" if m.aggregate_version == 1 else m.id}) for m in messages]

    bus = await start_bus("review", store, into_review(handler))
    js = nc.jetstream()
    for version in ("2", "3"):
        await js.publish(SUBJECT, BODY, headers=headers(**{ce.AGGREGATE_VERSION: version}))
    await js.publish(SUBJECT, BODY, headers=headers())

    assert await settled(bus, store, effects=3) == []


async def test_what_waits_for_work_under_way_is_never_given_up(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client
) -> None:
    calls = 0

    async def handler(messages: Sequence[Incoming]) -> list[Op]:
        nonlocal calls
        calls += 1
        waiting = [m.id for m in messages if m.aggregate_version > 1 and calls <= failures.TRIES["later"] + 1]
        if waiting:
            raise UnderWay(*waiting)
        return [Insert("effects", {"_id": m.id}) for m in messages]

    store = await new_store("review")
    bus = await start_bus("review", store, into_review(handler))
    js = nc.jetstream()
    await js.publish(SUBJECT, BODY, headers=headers(**{ce.AGGREGATE_VERSION: "2"}))
    await js.publish(SUBJECT, BODY, headers=headers())

    assert await settled(bus, store, effects=2) == []
    assert calls > failures.TRIES["later"]


async def test_later_for_ever_ends_as_a_dead_letter(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client
) -> None:
    calls = 0

    async def handler(messages: Sequence[Incoming]) -> list[Op]:
        nonlocal calls
        calls += 1
        raise Later

    store = await new_store("review")
    bus = await start_bus("review", store, into_review(handler))
    await nc.jetstream().publish(SUBJECT, BODY, headers=headers())

    (letter,) = await settled(bus, store, effects=0, dead=1)
    assert (letter.reason, calls) == ("dependency_missing", 40)


async def test_conflict_is_run_again_from_a_fresh_read(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client
) -> None:
    store = await new_store("review")
    await store.apply([Insert("effects", {"_id": "total", "n": 0})])
    deliveries: list[int] = []

    async def handler(messages: Sequence[Incoming]) -> list[Op]:
        total = await store.get("effects", "total")
        assert total is not None
        if not deliveries:  # somebody else is faster, once
            await store.apply([Replace("effects", {"_id": "total", "n": 10}, total["ver"])])
        deliveries.extend(m.deliveries for m in messages)
        return [Replace("effects", {"_id": "total", "n": total["n"] + len(messages)}, total["ver"])]

    bus = await start_bus("review", store, into_review(handler))
    await nc.jetstream().publish(SUBJECT, BODY, headers=headers())

    await settled(bus, store, effects=1)
    assert (await store.get("effects", "total"), deliveries) == ({"_id": "total", "n": 11, "ver": 3}, [1, 1])


async def test_effect_that_is_always_a_duplicate_is_a_bug(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client
) -> None:
    async def handler(messages: Sequence[Incoming]) -> list[Op]:
        return [Insert("effects", {"_id": m.aggregate_id}) for m in messages]

    store = await new_store("review")
    await store.apply([Insert("effects", {"_id": "D1"})])
    bus = await start_bus("review", store, into_review(handler))
    js = nc.jetstream()
    await js.publish(SUBJECT, BODY, headers=headers())
    await js.publish(SUBJECT, BODY, headers=headers(**{ce.SUBJECT: "D2"}))

    (letter,) = await settled(bus, store, effects=2, dead=1)
    assert (letter.reason, letter.aggregate_id) == ("bug", "D1")


async def test_reply_to_of_a_sender_is_not_answered(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client
) -> None:
    answers = await nc.subscribe("victim.>")
    store = await new_store("review")
    bus = await start_bus("review", store, into_review())
    await nc.jetstream().publish(SUBJECT, BODY, headers=headers(reply_to="victim.subject"))

    await settled(bus, store, effects=1)
    await bus.client.flush()
    await nc.flush()
    assert answers.pending_msgs == 0


async def test_delivery_continues_the_trace_of_each_message(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client, telemetry: Telemetry
) -> None:
    given: dict[str, str] = {}

    async def handler(messages: Sequence[Incoming]) -> list[Op]:
        given.update({m.aggregate_id: m.traceparent for m in messages})
        return [Insert("effects", {"_id": m.id}) for m in messages]

    store = await new_store("review")
    parents = {f"D{n}": f"00-{n:032x}-{n:016x}-01" for n in (1, 2, 3)}
    bus = await start_bus("review", store, into_review(handler))
    for dossier, parent in parents.items():
        sent = headers(**{ce.SUBJECT: dossier, ce.TRACEPARENT: parent})
        await nc.jetstream().publish(SUBJECT, BODY, headers=sent)

    await settled(bus, store, effects=3)
    assert {dossier: value[:35] for dossier, value in given.items()} == {d: p[:35] for d, p in parents.items()}
    assert all(given[dossier] != parents[dossier] for dossier in parents)
    assert not trace.get_current_span().get_span_context().is_valid


async def test_dead_letter_that_cannot_be_stored_is_not_lost(
    new_store: Any, start_bus: Any, into_review: Any, nc: Client
) -> None:
    store = await new_store("review")
    bus = await start_bus("review", store, into_review())
    js = nc.jetstream()
    await js.update_stream(name="DLQ", subjects=["elsewhere"])
    refused = await nc.subscribe("dlq.review.review__intake")
    await js.publish(SUBJECT, b"{not json", headers=headers())
    await refused.next_msg(timeout=20)

    await js.update_stream(name="DLQ", subjects=["dlq.>"])

    (letter,) = await settled(bus, store, effects=0, dead=1)
    assert (letter.reason, letter.body) == ("undecodable", b"{not json")


def test_tries_are_forgotten_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "REMEMBERED_TRIES", 2)
    tries = failures.Tries()
    for seq in (1, 2, 1, 3):
        tries.failed(seq, "bug")

    assert [tries.failed(1, "bug"), tries.failed(2, "bug")] == [3, 1]
    tries.settled(1)
    assert tries.failed(1, "bug") == 1


def test_lost_connection_to_the_store_is_not_taken_for_a_bug() -> None:
    assert failures.classify(StoreUnavailable("x")) == "transient"
    assert failures.classify(ValueError("x")) == "bug"
    assert failures.classify(Later()) == "later"
