"""People's records over a real broker: repeated, late and broken news, and who may read them."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.recognition.v1 import recognition_pb2 as pb
from sangkien.contracts.events import ForeignRecordAsserted, PersonLinkChanged, RecordChanged, RecordLine
from sangkien.messaging.outbox import OUTBOX, SENT
from sangkien.rpc import RemoteRefusal
from sangkien.store import Store
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.neighbour import Neighbour, neighbour

LINK = "ba-dinh/01JLINK"


@pytest.fixture
async def registrar(own_nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Neighbour]:
    async with neighbour("directory", nats_url=own_nats_server.url, data_dir=tmp_path) as publisher:
        yield publisher


@pytest.fixture
async def exchange(own_nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Neighbour]:
    async with neighbour("exchange", nats_url=own_nats_server.url, data_dir=tmp_path) as publisher:
        yield publisher


def link(person: str, state: str = "confirmed", **changed: bool) -> PersonLinkChanged:
    facts: dict[str, Any] = {"sends": False, "receives": True, "by_us": False}
    return PersonLinkChanged(link_id=LINK, node="ba-dinh", state=state, person_id=person, **(facts | changed))


def asserted(person: str, version: int = 1, number: str = "") -> ForeignRecordAsserted:
    line = RecordLine(
        initiative_id="THERE", tier="grassroots", version=version, title="Tủ sách lưu động", share=10_000,
        decision_symbol="12/QĐ-UBND", issued_on=date(2022, 5, 19), certificate_number=number,
    )  # fmt: skip
    return ForeignRecordAsserted(link_id=LINK, node="ba-dinh", person_id=person, lines=(line,))


async def told(store: Store) -> list[RecordChanged]:
    where = {"type": RecordChanged.TYPE}
    rows = {row["_id"]: row for coll in (OUTBOX, SENT) for row in await store.find(coll, where, limit=100)}
    return [RecordChanged.from_bytes(rows[id]["body"]) for id in sorted(rows)]


async def test_record_is_the_own_one_and_what_another_node_asserts_while_the_link_stands(
    as_: Callable[..., Any], district: Any, votes: Any, voted: Any, drafted: Any, issuing: Any,
    registrar: Neighbour, exchange: Neighbour,
) -> None:  # fmt: skip
    first, second = district.authors
    await votes([voted("D1")])
    draft = await drafted()
    await as_("leader", district.leader).IssueDecision(issuing(draft.decision_id))
    confirmed = await registrar.says(link(first), LINK, 2)
    newest = await exchange.says(asserted(first, 2, "12.0001/GCN-UBND"), LINK, 2)
    await exchange.says(asserted(first), LINK, 1)
    await exchange.repeats(asserted(first, 2, "12.0001/GCN-UBND"), LINK, 2, event_id=newest)
    await registrar.repeats(link(first), LINK, 2, event_id=confirmed)
    stub = as_("author", first)

    async def shown(count: int) -> list[tuple[str, int, str, str]] | None:
        entries = (await stub.GetRecord(pb.GetRecordRequest(person_id=first))).entries
        found = [(one.title, one.share, one.certificate_number, one.asserted_by) for one in entries]
        return found if len(found) == count and all(one[2] for one in found) else None

    own = ("Không gian lịch sử ở lớp học D1", 6_000, "3034.0001/GCN-UBND", "")
    assert await eventually(lambda: shown(2)) == [("Tủ sách lưu động", 10_000, "12.0001/GCN-UBND", "ba-dinh"), own]
    await registrar.says(link(first, "revoked"), LINK, 3)
    assert await eventually(lambda: shown(1)) == [own]
    codes = []
    for role, person in (("author", second), ("union_officer", "local:X")):
        with pytest.raises(RemoteRefusal) as refused:
            await as_(role, person).GetRecord(pb.GetRecordRequest(person_id=first))
        codes.append(refused.value.code)
    assert codes == ["record_not_yours"] * 2


async def test_record_goes_to_the_node_that_asked_whole_at_first_and_then_each_change_once(
    as_: Callable[..., Any], district: Any, votes: Any, voted: Any, drafted: Any, issuing: Any,
    registrar: Neighbour, store: Store,
) -> None:  # fmt: skip
    first = district.authors[0]
    sends = link(first, sends=True, receives=False)
    await votes([voted("D1")])
    draft = await drafted()
    leader = as_("leader", district.leader)
    await leader.IssueDecision(issuing(draft.decision_id))

    async def certified() -> bool:
        found = await store.get("person_records", first)
        return bool(found and found["lines"] and found["lines"][0][7])

    await eventually(certified, what="the own record")
    event_id = await registrar.says(sends, LINK, 2)
    await eventually(lambda: len_of(store), value=1)
    await registrar.repeats(sends, LINK, 2, event_id=event_id)
    await votes([voted("D2", round_id="R2")])
    again = await drafted("k2", round_id="R2")
    await leader.IssueDecision(issuing(again.decision_id))
    messages = await eventually(lambda: at_least(store, 3), what="the second initiative and its certificate")

    assert [message.number for message in messages] == [1, 2, 3]
    said = [[(line.title[-2:], line.version, bool(line.certificate_number)) for line in m.lines] for m in messages]
    assert said == [[("D1", 2, True)], [("D2", 1, False)], [("D2", 2, True)]]
    assert {(message.link_id, message.node) for message in messages} == {(LINK, "ba-dinh")}


async def len_of(store: Store) -> int:
    return len(await told(store))


async def at_least(store: Store, count: int) -> list[RecordChanged] | None:
    found = await told(store)
    return found if len(found) >= count else None


async def test_broken_news_of_links_and_records_is_put_aside_and_the_rest_goes_on(
    as_: Callable[..., Any], recognition: Any, registrar: Neighbour, exchange: Neighbour
) -> None:
    await registrar.bus.jetstream.publish(PersonLinkChanged.TYPE, b'{"link_id": 7}')
    await exchange.bus.jetstream.publish(ForeignRecordAsserted.TYPE, b'{"lines": []}')
    await exchange.says(asserted("local:Q"), LINK, 1)
    await registrar.says(link("local:Q"), LINK, 2)
    stub = as_("secretary", "local:S")

    async def shown() -> bool:
        return bool((await stub.GetRecord(pb.GetRecordRequest(person_id="local:Q"))).entries)

    await eventually(shown, what="the line that is well")
    bus = recognition.host._bus
    letters = await eventually(lambda: both(bus), what="two dead letters")
    assert sorted((letter.consumer, letter.reason) for letter in letters) == [
        ("recognition__directory", "undecodable"),
        ("recognition__exchange", "undecodable"),
    ]


async def both(bus: Any) -> Any:
    letters = await bus.dead_letters.list("recognition")
    return letters if len(letters) == 2 else None
