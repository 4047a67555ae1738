"""Dossiers for the councils of other nodes, and those that came from other nodes, over real gRPC and a real broker."""

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.contracts.events import (
    ForeignAnswerReceived,
    ForeignOrganisationAsserted,
    ForeignRoundAnnounced,
    OrganisationReorganised,
    Succession,
)
from sangkien.rpc import RemoteRefusal
from sangkien.store import Store
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.neighbour import Neighbour, neighbour
from sangkien.testkit.service import RunningService

NewDraft = Callable[..., pb.Draft]


@pytest.fixture
async def exchange(own_nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Neighbour]:
    async with neighbour("exchange", nats_url=own_nats_server.url, data_dir=tmp_path) as publisher:
        yield publisher


def announced(round_id: str = "F1", **changed: Any) -> ForeignRoundAnnounced:
    facts: dict[str, Any] = {
        "round_id": round_id,
        "node": "hanoi",
        "name": "Cấp Thành phố",
        "tier": "city",
        "owner_id": "hanoi:CITY",
        "opens_on": date(2023, 4, 1),
        "closes_on": date(2023, 6, 30),
    }
    return ForeignRoundAnnounced(**(facts | changed))


def answered(dossier_id: str, answer: Any, **changed: Any) -> ForeignAnswerReceived:
    facts: dict[str, Any] = {"version": 1, "node": "hanoi", "on": date(2023, 6, 1)}
    return ForeignAnswerReceived(dossier_id=dossier_id, answer=answer, **(facts | changed))


async def refusal(call: Any) -> str:
    with pytest.raises(RemoteRefusal) as caught:
        await call
    return caught.value.code


@pytest.fixture
async def foreign_round(exchange: Neighbour, intake: RunningService, store: Store) -> str:
    await exchange.says(announced(), "F1", 1)
    await eventually(lambda: store.count("rounds", {"node": "hanoi"}), value=1)
    return "F1"


@pytest.fixture
async def filed(officer: IntakeServiceStub, foreign_round: str, draft: NewDraft) -> str:
    author = pb.Author(person_id="local:AUTHOR", full_name="Nguyễn Thị Hoa", share=10_000)
    request = pb.FileDossierRequest(idempotency_key="key-0001", dossier=draft(round_id="F1", authors=[author]))
    return str((await officer.FileDossier(request)).dossier_id)


async def now(stub: IntakeServiceStub, dossier_id: str) -> pb.Dossier:
    dossier: pb.Dossier = (await stub.GetDossier(pb.GetDossierRequest(dossier_id=dossier_id))).dossier
    return dossier


async def settled(intake: RunningService, store: Store, exchange: Neighbour, events: int) -> None:
    await eventually(lambda: store.count("inbox"), value=events)
    assert await intake.host._bus.dead_letters.list("intake") == []


async def test_round_of_another_node_takes_dossiers_by_the_same_rules(
    officer: IntakeServiceStub, foreign_round: str, draft: NewDraft, store: Store, filed: str
) -> None:
    def filing(**changed: Any) -> Any:
        request = pb.FileDossierRequest(idempotency_key="key-0002", dossier=draft(**({"round_id": "F1"} | changed)))
        return officer.FileDossier(request)

    assert await refusal(filing(filed_on="2023-07-01")) == "outside_round"
    assert await refusal(filing(tier=pb.TIER_DISTRICT)) == "tier_differs"
    assert await refusal(filing(authors=[pb.Author(person_id="local:A", share=9_000)])) == "shares_not_100"

    await eventually(lambda: store.count("outbox_sent"), value=1)
    [sent] = await store.find("outbox_sent")
    assert (sent["type"], '"competent_node":"hanoi"' in sent["body"]) == ("ev.intake.dossier.submitted.v1", True)
    dossier = await now(officer, filed)
    assert (dossier.state, dossier.competent_node, dossier.content.tier) == ("DA_NOP", "hanoi", pb.TIER_CITY)


async def test_round_belongs_to_the_node_that_told_of_it_first_and_never_goes_back(
    exchange: Neighbour,
    review: Neighbour,
    intake: RunningService,
    store: Store,
    opened: Any,
    round_one: str,
) -> None:
    await exchange.says(announced("F1"), "F1", 4)
    await eventually(lambda: store.count("rounds"), value=2)
    await exchange.says(announced("F1", node="evil", name="Chiếm"), "F1", 9)
    await exchange.says(announced("F1", name="Tên cũ"), "F1", 3)
    await exchange.says(announced(round_one, name="Chiếm"), round_one, 9)
    await exchange.says(announced("F1", closed_on=date(2023, 6, 1)), "F1", 5)
    await settled(intake, store, exchange, 6)

    rounds = {doc["_id"]: (doc["node"], doc["name"], doc["state"]) for doc in await store.find("rounds")}
    assert rounds == {"R1": ("", "Đợt R1", "open"), "F1": ("hanoi", "Cấp Thành phố", "closed")}


async def test_own_round_is_preferred_where_none_is_named(
    officer: IntakeServiceStub, foreign_round: str, round_one: str, draft: NewDraft, store: Store
) -> None:
    await eventually(lambda: store.count("rounds"), value=2)
    answer = await officer.FileDossier(pb.FileDossierRequest(idempotency_key="key-0001", dossier=draft()))

    assert (await now(officer, answer.dossier_id)).content.round_id == "R1"


async def test_answers_of_the_competent_node_move_the_dossier_and_no_others_do(
    officer: IntakeServiceStub, exchange: Neighbour, intake: RunningService, store: Store, filed: str
) -> None:
    due = date(2023, 6, 15)
    await exchange.says(answered(filed, "received", code="SK-2023-XXXX-YYYY", answer_due=due), filed, 2)
    await exchange.says(answered(filed, "refused", node="evil", reason="X"), filed, 3)
    await exchange.says(answered(filed, "refused", version=7, reason="X"), filed, 4)
    await exchange.says(answered("01UNKNOWN", "accepted"), "01UNKNOWN", 5)
    await settled(intake, store, exchange, 5)
    received = await now(officer, filed)
    assert (received.state, received.remote_code, received.answer_due) == ("DA_NOP", "SK-2023-XXXX-YYYY", "2023-06-15")

    await exchange.says(answered(filed, "recognised", decision_symbol="12/QĐ-UBND"), filed, 9)
    await exchange.says(answered(filed, "refused", reason="LATE"), filed, 8)
    await exchange.says(answered(filed, "accepted"), filed, 7)
    await settled(intake, store, exchange, 8)
    after = await now(officer, filed)
    assert (after.state, after.outcome, after.decision_symbol, after.refusal_reason) == (
        "CHAP_NHAN_DON",
        "recognised",
        "12/QĐ-UBND",
        "",
    )
    request = pb.WithdrawDossierRequest(dossier_id=filed, withdrawn_on="2023-06-22")
    assert await refusal(officer.WithdrawDossier(request)) == "withdrawal_too_late"


async def test_what_was_not_received_is_mended_and_goes_out_again(
    officer: IntakeServiceStub,
    exchange: Neighbour,
    intake: RunningService,
    store: Store,
    draft: NewDraft,
    filed: str,
) -> None:
    unknown = answered(filed, "not_received", reason="unit_unknown")
    event_id = await exchange.says(unknown, filed, 2)
    await settled(intake, store, exchange, 2)
    asked = await now(officer, filed)
    assert (asked.state, list(asked.shortcomings), asked.supplement_due) == (
        "YEU_CAU_BO_SUNG",
        ["unit_unknown"],
        "",
    )

    mended = draft(round_id="F1", filed_on="2023-06-20", unit_id="local:OTHER")
    await officer.SupplementDossier(pb.SupplementDossierRequest(dossier_id=filed, expected_version=1, dossier=mended))
    await exchange.repeats(unknown, filed, 2, event_id=event_id)
    await exchange.says(answered(filed, "supplement_requested", reason="LATE", answer_due=date(2023, 6, 1)), filed, 3)
    await settled(intake, store, exchange, 3)

    after = await now(officer, filed)
    assert (after.state, after.version, list(after.shortcomings)) == ("DA_NOP", 2, [])
    await eventually(lambda: store.count("outbox_sent"), value=2)
    assert ['"competent_node":"hanoi"' in row["body"] for row in await store.find("outbox_sent")] == [True, True]


async def test_exchange_reads_names_of_what_it_carries_and_of_nothing_else(
    intake: RunningService, officer: IntakeServiceStub, round_one: str, draft: NewDraft, filed: str
) -> None:
    author = pb.Author(person_id="local:AUTHOR", full_name="Nguyễn Thị Hoa", share=10_000)
    request = pb.FileDossierRequest(idempotency_key="key-0002", dossier=draft(round_id="R1", authors=[author]))
    own = (await officer.FileDossier(request)).dossier_id
    carrier, other = (
        IntakeServiceStub(intake.channel(f"service/{name}", ["service"])) for name in ("exchange", "review")
    )

    async def names(stub: IntakeServiceStub) -> list[str]:
        return [(await now(stub, id)).content.authors[0].full_name for id in (filed, own)]

    assert (await names(carrier), await names(other)) == (["Nguyễn Thị Hoa", ""], ["", ""])


async def test_exchange_alone_of_the_services_files_and_mends_what_it_filed(
    intake: RunningService,
    officer: IntakeServiceStub,
    round_one: str,
    review: Neighbour,
    draft: NewDraft,
    store: Store,
) -> None:
    carrier, other = (
        IntakeServiceStub(intake.channel(f"service/{name}", ["service"])) for name in ("exchange", "review")
    )
    request = pb.FileDossierRequest(idempotency_key="fed:cd:01ABC:1", dossier=draft(round_id="R1"))
    officers = pb.FileDossierRequest(idempotency_key="key-0002", dossier=draft(round_id="R1"))
    assert await refusal(other.FileDossier(request)) == "filing_forbidden"
    came = await carrier.FileDossier(request)
    again = await carrier.FileDossier(request)
    own = (await officer.FileDossier(officers)).dossier_id

    assert (again.dossier_id, again.already, await store.count("dossiers")) == (came.dossier_id, True, 2)
    taken_back = pb.WithdrawDossierRequest(dossier_id=own, withdrawn_on="2023-06-22")
    assert await refusal(carrier.WithdrawDossier(taken_back)) == "not_an_author"
    taken_back.dossier_id = came.dossier_id
    assert await refusal(other.WithdrawDossier(taken_back)) == "filing_forbidden"
    await carrier.WithdrawDossier(taken_back)
    assert [(await now(carrier, id)).state for id in (own, came.dossier_id)] == ["DA_NOP", "RUT"]
    await eventually(lambda: store.count("outbox_sent"), value=3)
    assert [
        '"filed_by":""' in row["body"] for row in await store.find("outbox_sent", {"aggregate_id": came.dossier_id})
    ] == [
        True,
        False,
    ]


async def test_exchange_reads_the_evidence_of_what_another_node_decides(
    officer: IntakeServiceStub, intake: RunningService, foreign_round: str, draft: NewDraft
) -> None:
    content = b"%PDF-1.7 " + b"minh chung " * 40_000
    file = pb.EvidenceFile(sha256=hashlib.sha256(content).hexdigest(), size=len(content), name="Nguyễn Thị Hoa.pdf")
    await officer.PutFilePart(pb.PutFilePartRequest(sha256=file.sha256, size=file.size, data=content))
    filing = pb.FileDossierRequest(idempotency_key="key-0001", dossier=draft(round_id="F1", files=[file]))
    dossier_id = (await officer.FileDossier(filing)).dossier_id
    carrier = IntakeServiceStub(intake.channel("service/exchange", ["service"]))

    wanted = pb.ReadFileRequest(dossier_id=dossier_id, sha256=file.sha256, offset=11)
    pieces = [answer.data async for answer in carrier.ReadFile(wanted)]
    [told] = (await now(carrier, dossier_id)).content.files

    assert b"".join(pieces) == content[11:]
    assert (told.name, told.held) == ("Nguyễn Thị Hoa.pdf", True)
    other = IntakeServiceStub(intake.channel("service/reporting", ["service"]))
    [hidden] = (await now(other, dossier_id)).content.files
    assert hidden == pb.EvidenceFile(size=file.size, held=True)


async def test_filing_goes_to_the_successor_of_a_council_that_is_gone_by_its_day(
    officer: IntakeServiceStub, exchange: Neighbour, intake: RunningService, store: Store, draft: NewDraft,
    own_nats_server: NatsServer, tmp_path: Path,
) -> None:  # fmt: skip
    last = date(2023, 5, 31)
    went = [Succession(organisation_id="hanoi:CITY", share="whole", on=date(2023, 6, 1), document="1656/NQ")]
    known = {"name": "Quận Ba Đình", "kind": "QUAN", "successors": went}
    gone = ForeignOrganisationAsserted(organisation_id="badinh:Q", node="badinh", valid_to=last, **known)
    merged = OrganisationReorganised(
        organisation_id="local:Q", name="Cũ", kind="QUAN", valid_from=date.min, valid_to=last, successors=()
    )
    await exchange.says(announced(), "F1", 1)
    await exchange.says(announced("F2", node="badinh", name="Cấp quận", owner_id="badinh:Q"), "F2", 1)
    await exchange.says(announced("F3", node="badinh", name="Đã tan", owner_id="local:Q"), "F3", 1)
    event_id = await exchange.says(gone, "badinh:Q", 3)
    await exchange.says(gone.model_copy(update={"valid_to": date(2023, 4, 30)}), "badinh:Q", 2)
    await exchange.repeats(gone, "badinh:Q", 3, event_id=event_id)
    async with neighbour("directory", nats_url=own_nats_server.url, data_dir=tmp_path) as directory:
        await directory.says(merged, "local:Q", 2)
        await settled(intake, store, exchange, 6)

    async def file(key: str, round_id: str, filed_on: str) -> str:
        asked = pb.FileDossierRequest(idempotency_key=key, dossier=draft(round_id=round_id, filed_on=filed_on))
        return (await now(officer, (await officer.FileDossier(asked)).dossier_id)).content.round_id

    assert await file("key-0001", "F2", "2023-05-31") == "F2"
    assert await file("key-0002", "F2", "2023-06-01") == "F1"
    assert await refusal(file("key-0003", "F3", "2023-06-01")) == "council_gone"
    assert await refusal(file("key-0004", "", "2023-05-31")) == "several_open_rounds"
    assert await file("key-0005", "", "2023-06-01") == "F1"
