"""A real process killed at bad moments, a store that fails in between, and messages that come twice or broken."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import nats
import pytest

from sangkien.api.reward.v1 import reward_pb2 as api
from sangkien.contracts.events import AuthorShare, InitiativeRecognised
from sangkien.messaging import MESSAGING_SCHEMA
from sangkien.reward.adapters.stored_achievements import ACHIEVEMENTS
from sangkien.reward.adapters.stored_decisions import CHUNKS
from sangkien.reward.adapters.stored_ledger import ENTITLEMENTS, LEDGER
from sangkien.reward.bootstrap import SERVICE
from sangkien.rpc import RemoteUnavailable
from sangkien.runtime import new_id
from sangkien.store import Op, Store, StoreUnavailable
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble
from sangkien.testkit.neighbour import Neighbour, neighbour
from sangkien.testkit.service import RunningService, running_service
from sangkien.testkit.service_process import called_process


async def answered(call: Any) -> Any:
    """What the call answers, None while nobody serves."""
    try:
        return await call()
    except RemoteUnavailable:
        return None


async def published(url: str) -> list[dict[str, Any]]:
    """Every event in reward's stream."""
    client = await nats.connect(url)
    js = client.jetstream()
    state = (await js.stream_info("EV_REWARD")).state
    found = [await js.get_msg("EV_REWARD", seq=seq) for seq in range(state.first_seq or 1, state.last_seq + 1)]
    await client.close()
    return [{"type": message.subject, **json.loads(message.data or b"")} for message in found]


async def all_published(url: str, count: int) -> list[dict[str, Any]]:
    """The events, once there are as many; nothing before."""
    events = await published(url)
    return events if len(events) >= count else []


async def test_kill_while_granting_and_publishing_loses_and_doubles_nothing(
    new_office: Any, own_nats_server: NatsServer, directory: DirectoryDouble, tmp_path: Path, as_collective: Any
) -> None:
    recipients = [as_collective(directory.add_unit(f"Tổ dân phố {n}")) for n in range(2_000)]
    async with called_process(
        "reward", nats_url=own_nats_server.url, data_dir=tmp_path / "data", directory=directory
    ) as process:
        office = new_office(process)
        await eventually(lambda: answered(office.open_register), what="reward to serve")
        decision_id = await office.submitted(*recipients)
        own_nats_server.kill()  # so that no event leaves before the process dies
        issuing = asyncio.create_task(answered(lambda: office.issue(decision_id)))
        request = api.GetRewardDecisionRequest(decision_id=decision_id)

        async def numbered() -> bool:
            return bool((await office.stub("finance").GetRewardDecision(request)).decision.number)

        await eventually(numbered, what="the number to be taken")
        assert await process.kill() == -signal.SIGKILL
        await issuing

    own_nats_server.start()
    async with running_service(
        SERVICE, nats_url=own_nats_server.url, data_dir=tmp_path / "data", directory=directory
    ) as service:
        office = new_office(service)
        store = service.host._store
        await eventually(lambda: store.count(LEDGER), value=2_000)  # nobody asked again: the service finishes by itself
        again = await office.issue(decision_id)
        assert (again.number, again.total_vnd, again.already) == (3034, 2_000 * 1_080_000, True)
        assert await store.count(ENTITLEMENTS, {"decision_id": decision_id}) == 2_000
        assert await store.count(CHUNKS, {"due": decision_id}) == 0
        events = await eventually(lambda: all_published(own_nats_server.url, 2_001))
        following = await office.issue(await office.submitted(recipients[0]))

    assert Counter(event["type"] for event in events) == {
        "ev.reward.decision.issued.v1": 1,
        "ev.reward.entitlement.granted.v1": 2_000,
    }
    granted = [event["holder_id"] for event in events if "entitlement_id" in event]
    assert sorted(granted) == sorted(recipient.holder_id for recipient in recipients)
    assert following.number == 3035


@asynccontextmanager
async def breaking_store(service: RunningService, *, after: int) -> AsyncIterator[None]:
    """Reward's own units after the first `after` fail as if the store had gone away, until the block ends.

    The relay's, which come when they come, are neither counted nor broken.
    """
    store = service.host._store
    real, count = store.apply, 0

    async def apply(ops: Sequence[Op]) -> None:
        nonlocal count
        own = any(op.coll not in MESSAGING_SCHEMA.collections for op in ops)
        count += own
        if own and count > after:
            raise StoreUnavailable("gone")
        await real(ops)

    store.apply = apply  # type: ignore[method-assign]
    yield
    store.apply = real  # type: ignore[method-assign]


async def test_store_lost_between_two_chunks_is_taken_up_where_it_was(office: Any, as_collective: Any) -> None:
    await office.open_register()
    decision_id = await office.submitted(*(as_collective(office.collective(f"Tổ {n}")) for n in range(450)))
    store: Store = office.service.host._store
    async with breaking_store(office.service, after=2):  # the number and the first chunk
        assert await answered(lambda: office.issue(decision_id)) is None
        assert await store.count(ENTITLEMENTS) == 200
    answers = await asyncio.gather(*(office.issue(decision_id) for _ in range(4)))  # and the loop besides
    assert {(answer.number, answer.already) for answer in answers} == {(3034, True)}
    assert (await store.count(ENTITLEMENTS), await store.count(LEDGER)) == (450, 450)
    assert await store.sum_by(LEDGER, "kind", "amount_vnd") == {"owed": 450 * 1_080_000}


def recognised(
    initiative: str, *authors: str, unit: str = "local:UNIT", tier: Any = "district"
) -> InitiativeRecognised:
    return InitiativeRecognised(
        initiative_id=initiative,
        dossier_id=f"{initiative}-{tier}",
        decision_id="D1",
        decision_symbol="3034/QĐ-UBND",
        round_id="R1",
        tier=tier,
        title="Sáng kiến",
        unit_id="local:UNIT",
        authors=tuple(AuthorShare(person_id=person, share=10_000 // len(authors)) for person in authors),
        recognised_on=date(2023, 12, 1),
    )


@pytest.fixture
async def recognition(own_nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Neighbour]:
    async with neighbour("recognition", nats_url=own_nats_server.url, data_dir=tmp_path) as publisher:
        yield publisher


@pytest.fixture
async def listening(
    own_nats_server: NatsServer, directory: DirectoryDouble, tmp_path: Path
) -> AsyncIterator[RunningService]:
    async with running_service(
        SERVICE, nats_url=own_nats_server.url, data_dir=tmp_path / "data", directory=directory
    ) as service:
        yield service


async def test_recognised_initiative_counts_once_for_each_author_and_unit_however_often_it_is_told(
    listening: RunningService, recognition: Neighbour
) -> None:
    store = listening.host._store
    first = recognised("I1", "local:A", "local:B")
    event_id = await recognition.says(first, "I1")
    await recognition.repeats(first, "I1", event_id=event_id)  # the same event, past the broker's memory
    await recognition.says(first, "I1", 2)  # the same fact under another event
    broken = {"ce-id": new_id(), "ce-type": first.TYPE, "ce-subject": "I9", "ce-time": "2023-12-01T00:00:00+00:00"}
    await recognition.bus.jetstream.publish(
        first.TYPE, b'{"initiative_id": 9}', headers=broken | {"x-aggregate-version": "1"}
    )
    await recognition.says(recognised("I1", "local:A", tier="city"), "I1", 3)
    await recognition.says(recognised("I2", "local:A"), "I2")

    await eventually(lambda: store.count("inbox"), value=4)
    assert await store.count_by(ACHIEVEMENTS, "holder_id") == {"local:A": 3, "local:B": 1, "local:UNIT": 3}
    letters = await eventually(lambda: listening.host._bus.dead_letters.list("reward"))
    assert [letter.reason for letter in letters] == ["undecodable"]


async def test_reward_of_an_author_continues_the_trace_of_the_initiative(
    listening: RunningService, recognition: Neighbour, new_office: Any, as_individual: Any, as_collective: Any
) -> None:
    office = new_office(listening)
    person, stranger = office.person("Đỗ Ẵm"), office.person("Lê Ỷ")
    await recognition.says(recognised("I1", person), "I1")
    store = listening.host._store
    await eventually(lambda: store.count(ACHIEVEMENTS), value=2)
    drafted = await office.draft(as_individual(person), as_individual(stranger))
    assert [(each.holder_id, each.warning.code) for each in drafted.warnings] == [
        (stranger, "reward_recipient_without_initiative")
    ]

    await office.open_register()
    await office.issue(await office.submitted(as_individual(person), as_individual(stranger)))
    [achieved] = await store.find(ACHIEVEMENTS, {"holder_id": person})
    traces = {row["holder_id"]: row["traceparent"].split("-")[1] for row in await store.find(ENTITLEMENTS)}
    assert traces[person] == achieved["traceparent"].split("-")[1]
    assert traces[stranger] != traces[person]
    rows = {row["_id"]: row for coll in ("outbox", "outbox_sent") for row in await store.find(coll)}
    told = [row["traceparent"].split("-")[1] for row in rows.values() if person in row["body"]]
    assert told == [traces[person]]


async def test_decisions_and_payments_on_mongodb_are_the_same(
    mongo_uri: str,
    nats_server: NatsServer,
    directory: DirectoryDouble,
    tmp_path: Path,
    new_office: Any,
    as_collective: Any,
    as_individual: Any,
) -> None:
    async with running_service(
        SERVICE,
        nats_url=nats_server.url,
        data_dir=tmp_path,
        directory=directory,
        store_url=mongo_uri,
        database=f"reward_{new_id().lower()}",
    ) as service:
        office = new_office(service)
        await office.open_register()
        drafts = [
            await office.submitted(
                as_individual(office.person(f"Đỗ Ẵm {n}")), as_collective(office.collective(f"Tổ {n}"))
            )
            for n in range(3)
        ]
        issued = await asyncio.gather(*(office.issue(decision_id) for decision_id in (*drafts, *drafts)))
        assert sorted({answer.number for answer in issued}) == [3034, 3035, 3036]
        assert [answer.number for answer in issued[:3]] == [answer.number for answer in issued[3:]]
        finance = office.stub("finance")
        owed = (await finance.ListEntitlements(api.ListEntitlementsRequest(decision_id=drafts[0]))).entitlements
        assert [each.amount_vnd for each in owed] == [540_000, 1_080_000]
        payment = api.Payment(
            idempotency_key="k", entitlement_id=owed[0].entitlement_id, amount_vnd=540_000, paid_on="2023-12-28"
        )
        request = api.RecordPaymentsRequest(payments=[payment])
        answers = await asyncio.gather(finance.RecordPayments(request), finance.RecordPayments(request))
        assert sorted(answer.results[0].already for answer in answers) == [False, True]
        ledger = await finance.GetLedger(api.GetLedgerRequest(decision_id=drafts[0]))
        assert (ledger.owed_vnd, ledger.paid_vnd, ledger.entries) == (1_620_000, 540_000, 3)
