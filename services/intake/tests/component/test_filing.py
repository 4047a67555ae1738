"""Filing over real gRPC: once, durably, with a receipt, alone and in bulk."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.contracts.events import DossierSubmitted, RoundClosed, decode
from sangkien.intake.bootstrap import SERVICE
from sangkien.rpc import RemoteRefusal, RemoteUnavailable
from sangkien.store import Store
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.service import RunningService, running_service

NewDraft = Callable[..., pb.Draft]


def file(key: str, draft: pb.Draft) -> pb.FileDossierRequest:
    return pb.FileDossierRequest(idempotency_key=key, dossier=draft)


def rows(drafts: Iterable[pb.Draft], prefix: str = "row:") -> list[pb.FileDossiersRequest]:
    return [
        pb.FileDossiersRequest(row=number, idempotency_key=f"{prefix}{number:06}", dossier=draft)
        for number, draft in enumerate(drafts, start=2)
    ]


async def bulk(stub: IntakeServiceStub, requests: list[pb.FileDossiersRequest]) -> list[pb.FileDossiersResponse]:
    return [answer async for answer in stub.FileDossiers(iter(requests))]


def told(answers: list[pb.FileDossiersResponse]) -> list[tuple[int, str]]:
    return [
        (a.row, a.error.code if a.HasField("error") else "already" if a.filed.already else "filed") for a in answers
    ]


async def refusal(call: Any) -> RemoteRefusal:
    with pytest.raises(RemoteRefusal) as caught:
        await call
    return caught.value


async def test_dossier_is_stored_with_its_version_and_published(
    officer: IntakeServiceStub, round_one: str, draft: NewDraft, store: Store
) -> None:
    answer = await officer.FileDossier(file("key-0001", draft()))

    assert (answer.answer_due, answer.already, list(answer.warnings)) == ("2023-06-12", False, [])
    stored = await officer.GetDossier(pb.GetDossierRequest(dossier_id=answer.code.lower()))
    assert stored.dossier.dossier_id == answer.dossier_id
    assert stored.dossier.content == draft(round_id="R1", tier=pb.TIER_DISTRICT)
    assert [version["_id"] for version in await store.find("dossier_versions")] == [f"{answer.dossier_id}:1"]
    await eventually(lambda: store.count("outbox_sent"), value=1)
    [sent] = await store.find("outbox_sent")
    event = decode(sent["type"], sent["body"])
    assert isinstance(event, DossierSubmitted)
    assert (event.dossier_id, event.round_id, event.tier, event.filed_by, event.answer_due) == (
        answer.dossier_id,
        "R1",
        "district",
        "local:OFFICER",
        date(2023, 6, 12),
    )
    assert sent["traceparent"][3:35] == stored.dossier.trace_id


async def test_key_answers_the_same_dossier_again_and_refuses_other_content(
    officer: IntakeServiceStub, round_one: str, draft: NewDraft, store: Store
) -> None:
    first = await officer.FileDossier(file("key-0001", draft()))
    again = await officer.FileDossier(file("key-0001", draft()))
    other = await refusal(officer.FileDossier(file("key-0001", draft(title="Một sáng kiến khác"))))

    assert (again.dossier_id, again.code, again.already) == (first.dossier_id, first.code, True)
    assert (other.code, other.kind, other.facts) == ("key_reused", "conflict", {"dossier_code": first.code})
    assert await store.count("dossiers") == 1


async def test_calls_at_once_with_one_key_file_one_dossier(
    officer: IntakeServiceStub, round_one: str, draft: NewDraft, store: Store
) -> None:
    answers = await asyncio.gather(*(officer.FileDossier(file("key-0001", draft())) for _ in range(20)))

    assert sorted(answer.already for answer in answers) == [False] + [True] * 19
    assert len({answer.dossier_id for answer in answers}) == 1
    assert (await store.count("dossiers"), await store.count("dossier_versions")) == (1, 1)


async def test_calls_at_once_get_their_own_answers_and_refusals(
    officer: IntakeServiceStub, round_one: str, draft: NewDraft, store: Store
) -> None:
    drafts = [
        draft(),
        draft(title="Ngắn"),
        draft(round_id="R404"),
        draft(filed_on="2023-07-01"),
        draft(tier=pb.TIER_CITY),
    ]
    answers = await asyncio.gather(
        *(officer.FileDossier(file(f"key-{n:04}", drafts[n % 5])) for n in range(40)), return_exceptions=True
    )

    said = [answer.code if isinstance(answer, RemoteRefusal) else "filed" for answer in answers]
    assert said == ["filed", "title_length", "round_unknown_yet", "no_open_round", "no_open_round"] * 8
    assert (await store.count("dossiers"), await store.count("filing_keys")) == (8, 8)


async def test_caller_who_hangs_up_costs_neither_the_others_nor_the_event(
    officer: IntakeServiceStub, round_one: str, draft: NewDraft, store: Store
) -> None:
    calls = [officer.FileDossier(file(f"key-{n:04}", draft(title=f"Sáng kiến số {n}"))) for n in range(30)]
    await asyncio.gather(*calls[:3])
    for call in calls[3::2]:
        call.cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)

    filed = {answer.dossier_id for answer in answers if isinstance(answer, pb.FileDossierResponse)}
    assert len(filed) >= 16

    async def told_of_all() -> bool:  # of those who hung up some may be filed after the last answer
        stored = {row["_id"] for row in await store.find("dossiers")}
        sent = [row["aggregate_id"] for row in await store.find("outbox_sent")]
        return filed <= stored and sorted(sent) == sorted(stored)

    await eventually(told_of_all, what="one event of each dossier")


async def test_service_that_stops_answers_only_for_what_it_stored(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble, review: Any, opened: Any, draft: NewDraft
) -> None:
    where: dict[str, Any] = {"nats_url": own_nats_server.url, "data_dir": tmp_path / "intake", "directory": directory}
    async with running_service(SERVICE, **where) as first:
        stub = IntakeServiceStub(first.channel("local:OFFICER", ["union_officer"], "local:UNIT"))
        await review.says(opened(), "R1", 1)
        await eventually(lambda: first.host._store.count("rounds"), value=1)
        calls = [stub.FileDossier(file(f"key-{n:04}", draft(title=f"Sáng kiến số {n}"))) for n in range(200)]
        await calls[0]
        await first.host.life.drain()
        answers = await asyncio.gather(*calls, return_exceptions=True)

    filed = {answer.dossier_id for answer in answers if isinstance(answer, pb.FileDossierResponse)}
    assert {type(answer) for answer in answers} <= {pb.FileDossierResponse, RemoteUnavailable}
    async with running_service(SERVICE, **where) as again:
        store = again.host._store
        stored = {row["_id"] for row in await store.find("dossiers", limit=200)}
        assert filed <= stored
        await eventually(lambda: store.count("outbox"), value=0)
        assert {row["aggregate_id"] for row in await store.find("outbox_sent", limit=200)} == stored


async def test_known_key_is_answered_after_the_round_was_closed(
    officer: IntakeServiceStub, review: Any, round_one: str, draft: NewDraft, store: Store
) -> None:
    first = await officer.FileDossier(file("key-0001", draft()))
    await review.says(RoundClosed(round_id="R1", closed_on=date(2023, 7, 1)), "R1", 2)
    await eventually(lambda: store.count("rounds", {"state": "closed"}), value=1)

    async def shut() -> str:
        return (await refusal(officer.FileDossier(file("key-0002", draft(round_id="R1"))))).code

    await eventually(shut, value="round_shut")
    again = await officer.FileDossier(file("key-0001", draft()))
    assert (again.dossier_id, again.already) == (first.dossier_id, True)
    assert told(await bulk(officer, rows([draft(round_id="R1")]))) == [(2, "round_shut")]


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"title": "Ngắn"}, "title_length", "dossier.title"),
        ({"authors": []}, "authors_missing", "dossier.authors"),
        ({"authors": [pb.Author(person_id="local:A", share=9_000)]}, "shares_not_100", "share"),
        ({"authors": [pb.Author(person_id="local:A", share=5_000)] * 2}, "author_twice", "dossier.authors[1]"),
        ({"unit_id": ""}, "unit_missing", "dossier.unit_name"),
        ({"filed_on": "2023-02-31"}, "draft_date_malformed", "dossier.filed_on"),
        ({"filed_on": "2023-05-10T08:00"}, "draft_date_malformed", "dossier.filed_on"),
        ({"filed_on": "9999-01-01"}, "filed_in_future", "dossier.filed_on"),
        ({"first_applied_on": "2023-05-11"}, "applied_after_filing", "dossier.first_applied_on"),
        ({"filed_on": "2023-07-01"}, "no_open_round", "dossier.round_id"),
        ({"filed_on": "2023-07-01", "round_id": "R1"}, "outside_round", "dossier.filed_on"),
        ({"tier": pb.TIER_CITY, "round_id": "R1"}, "tier_differs", "dossier.tier"),
        ({"round_id": "R404"}, "round_unknown_yet", "dossier.round_id"),
        ({"unit_id": "", "unit_name": "Trường Vô Danh"}, "unit_unknown", "dossier.unit_name"),
    ],
)
async def test_bad_content_is_refused_alone_and_in_bulk(
    officer: IntakeServiceStub,
    round_one: str,
    draft: NewDraft,
    store: Store,
    changed: dict[str, Any],
    code: str,
    field: str,
) -> None:
    alone = await refusal(officer.FileDossier(file("key-0001", draft(**changed))))
    answers = await bulk(officer, rows([draft(), draft(**changed), draft()]))

    assert (alone.code, alone.field) == (code, field)
    assert told(answers) == [(2, "filed"), (3, code), (4, "filed")]
    assert await store.count("dossiers") == 2


async def test_round_must_be_named_when_several_are_open(
    officer: IntakeServiceStub, review: Any, opened: Any, round_one: str, draft: NewDraft, store: Store
) -> None:
    await review.says(opened("R2"), "R2", 1)
    await eventually(lambda: store.count("rounds"), value=2)

    several = await refusal(officer.FileDossier(file("key-0001", draft())))
    named = await officer.FileDossier(file("key-0001", draft(round_id="R2")))

    assert (several.code, several.facts) == ("several_open_rounds", {"names": "Đợt R1; Đợt R2"})
    assert named.already is False


async def test_late_filing_is_taken_with_a_warning(officer: IntakeServiceStub, round_one: str, draft: NewDraft) -> None:
    on_time = await officer.FileDossier(file("key-0001", draft(first_applied_on="2022-05-10")))
    late = await officer.FileDossier(file("key-0002", draft(first_applied_on="2022-05-09")))

    assert list(on_time.warnings) == []
    assert [(warning.code, warning.facts["limit"]) for warning in late.warnings] == [
        ("limitation_passed", "2023-05-09")
    ]


async def test_bulk_filing_asks_the_directory_once_for_each_question(
    officer: IntakeServiceStub, round_one: str, draft: NewDraft, directory: DirectoryDouble, store: Store
) -> None:
    unit = directory.add_unit("Trường Tiểu học Hoàng Diệu")
    known = directory.add_person("Nguyễn Thị Hoa", unit)
    named = [pb.Author(full_name="Nguyễn Thị Hoa", share=6_000), pb.Author(full_name="Trần Văn An", share=4_000)]
    by_name = {"unit_id": "", "unit_name": "trường tiểu học HOÀNG DIỆU", "authors": named}
    drafts = [draft(title=f"Sáng kiến số {n}", **by_name) for n in range(1_200)]
    drafts[700] = draft(unit_id="", unit_name="Trường Vô Danh")

    answers = await bulk(officer, rows(drafts))

    assert [a.row for a in answers] == list(range(2, 1_202))
    assert told(answers)[700] == (702, "unit_unknown")
    assert answers[700].error.facts["suggestions"] == "Trường Tiểu học Hoàng Diệu"
    assert (await store.count("dossiers"), await store.count("filing_keys")) == (1_199, 1_199)
    assert {call: directory.calls.count(call) for call in set(directory.calls)} == {
        "ResolveUnits": 2,
        "RegisterPeople": 1,
    }
    [first] = await store.find("dossiers", sort=[("_id", 1)], limit=1)
    assert (first["unit_id"], first["author_ids"][0]) == (unit, known)


async def test_bulk_file_sent_again_files_nothing_twice(
    officer: IntakeServiceStub, round_one: str, draft: NewDraft, store: Store
) -> None:
    drafts = [draft(title=f"Sáng kiến số {n}") for n in range(600)]
    requests = rows(drafts)
    twins = [*requests, pb.FileDossiersRequest(row=9_999, idempotency_key="row:000002", dossier=drafts[0])]

    first = told(await bulk(officer, twins))
    again = told(await bulk(officer, twins))

    assert [word for _, word in first] == ["filed"] * 600 + ["already"]
    assert {word for _, word in again} == {"already"}
    assert await store.count("dossiers") == 600


async def test_every_row_of_a_bulk_filing_has_a_trace_of_its_own(
    officer: IntakeServiceStub, round_one: str, draft: NewDraft, intake: RunningService
) -> None:
    answers = await bulk(officer, rows([draft(title="Sáng kiến thứ nhất"), draft(title="Sáng kiến thứ hai")]))

    traces = set()
    for answer in answers:
        got = await officer.GetDossier(pb.GetDossierRequest(dossier_id=answer.filed.dossier_id))
        traces.add(got.dossier.trace_id)
    await intake.host._telemetry.flush()
    kept = intake.host._telemetry.store
    assert kept is not None
    spans = [span for trace in traces for span in kept.spans_of(trace)]
    assert len(traces) == 2
    assert sorted(str(span.attributes["aggregate_id"]) for span in spans if span.name == "intake.file") == sorted(
        answer.filed.dossier_id for answer in answers
    )


async def test_row_without_an_answering_directory_may_be_filed_again(
    own_nats_server: NatsServer, tmp_path: Path, review: Any, opened: Any, draft: NewDraft
) -> None:
    async with AsyncExitStack() as stack:
        leaving = await stack.enter_async_context(AsyncExitStack())
        directory = await leaving.enter_async_context(directory_double())
        running = await stack.enter_async_context(
            running_service(SERVICE, nats_url=own_nats_server.url, data_dir=tmp_path / "intake", directory=directory)
        )
        officer = IntakeServiceStub(running.channel("local:OFFICER", ["union_officer"], "local:UNIT"))
        store = running.host._store
        await review.says(opened(), "R1", 1)
        await eventually(lambda: store.count("rounds"), value=1)
        directory.add_unit("Trường Tiểu học Hoàng Diệu")
        asked = draft(unit_id="", unit_name="Trường Tiểu học Hoàng Diệu")
        other = draft(unit_id="", unit_name="Phòng Kinh tế")
        assert told(await bulk(officer, rows([asked]))) == [(2, "filed")]

        await leaving.aclose()
        answers = await bulk(officer, rows([draft(), other], prefix="down:"))
        with pytest.raises(RemoteUnavailable):
            await officer.FileDossier(file("key-0001", other))

        assert told(answers) == [(2, "filed"), (3, "directory_unreachable")]
        assert told(await bulk(officer, rows([asked]))) == [(2, "already")]
        assert await store.count("dossiers") == 2


async def test_author_with_a_malformed_email_is_refused_again_though_the_directory_knows_the_person(
    officer: IntakeServiceStub, directory: DirectoryDouble, round_one: str, draft: NewDraft
) -> None:
    directory.add_unit("Phường Điện Biên")

    def named(title: str, email: str) -> pb.Draft:
        author = pb.Author(full_name="Nguyễn Thị Hoa", birth_date="1980-02-01", email=email, share=10_000)
        return draft(title=title, unit_id="", unit_name="Phường Điện Biên", authors=[author])

    requests = rows([named("Sáng kiến một", "hoa@x.example"), named("Sáng kiến hai", "không phải thư")])
    first = told(await bulk(officer, requests))
    again = told(await bulk(officer, requests))

    assert (first, again) == ([(2, "filed"), (3, "person_refused")], [(2, "already"), (3, "person_refused")])
