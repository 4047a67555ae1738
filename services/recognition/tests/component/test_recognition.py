"""From the council's vote to the public register, over real gRPC and a real broker."""

import asyncio
import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from sangkien.api.recognition.v1 import recognition_pb2 as pb
from sangkien.api.recognition.v1.recognition_pb2_grpc import RecognitionServiceStub
from sangkien.messaging import outbox_row
from sangkien.rpc import RemoteRefusal
from sangkien.runtime import new_id
from sangkien.store import Store
from sangkien.testkit import eventually
from sangkien.testkit.neighbour import SAID_AT, Neighbour

As = Callable[..., RecognitionServiceStub]


async def refusal(call: Any) -> str:
    with pytest.raises(RemoteRefusal) as caught:
        await call
    return caught.value.code


async def events(store: Store, kind: str) -> list[dict[str, Any]]:
    """Bodies of what was or will be published, oldest first; the relay may move a row to the sent ones meanwhile."""
    rows = [*await store.find("outbox", limit=5_000), *await store.find("outbox_sent", limit=5_000)]
    ours = {row["_id"]: json.loads(row["body"]) for row in rows if row["type"] == f"ev.recognition.{kind}.v1"}
    return [ours[id] for id in sorted(ours)]


async def test_decision_brings_the_voted_dossiers_into_the_register(
    as_: As, district: Any, votes: Any, voted: Any, drafted: Any, issuing: Any, store: Store
) -> None:
    failed = voted("D3", outcome="failed", yes=4, no=5, title="Thiếu điểm mới")
    await votes([voted("D1"), voted("D2"), failed])
    waiting = await as_("secretary", district.secretary).ListCandidates(pb.ListCandidatesRequest(round_id="R1"))
    draft = await drafted()
    leader = as_("leader", district.leader)
    issued = await leader.IssueDecision(issuing(draft.decision_id))
    again = await leader.IssueDecision(issuing(draft.decision_id))

    assert [(one.dossier_id, one.outcome) for one in waiting.candidates] == [
        ("D1", "passed"),
        ("D2", "passed"),
        ("D3", "failed"),
    ]
    assert (draft.recognised, draft.refused) == (2, 1)
    assert (issued.number, issued.symbol, issued.certificates, issued.already) == (3034, "3034/QĐ-UBND", 4, False)
    assert (again.number, again.certificates, again.already) == (3034, 4, True)
    decision = (await leader.GetDecision(pb.GetDecisionRequest(decision_id=draft.decision_id))).decision
    assert (decision.state, decision.symbol, decision.issued_on) == ("BAN_HANH", "3034/QĐ-UBND", "2023-12-20")
    assert (decision.tier, decision.recognised, decision.refused, decision.certificates) == ("district", 2, 1, 4)
    register = await as_().ListInitiatives(pb.ListInitiativesRequest(round_id="R1"))
    assert register.total == 2
    assert {(one.dossier_id, one.unit_name, tuple(one.author_names)) for one in register.initiatives} == {
        (dossier, "Trường THCS Thành Công", ("Nguyễn Thị Hòa", "Trần Văn Ất")) for dossier in ("D1", "D2")
    }
    (signed,) = await events(store, "decision.issued")
    assert (signed["number"], signed["recognised"], signed["refused"]) == (3034, 2, 1)
    recognised = await events(store, "initiative.recognised")
    assert [one["dossier_id"] for one in recognised] == ["D1", "D2"]
    assert recognised[0]["authors"] == [
        {"person_id": district.authors[0], "share": 6_000},
        {"person_id": district.authors[1], "share": 4_000},
    ]
    (turned_down,) = await events(store, "initiative.refused")
    assert (turned_down["dossier_id"], turned_down["reason"]) == ("D3", "KHONG_DU_PHIEU")
    assert len(await events(store, "certificate.issued")) == 4
    assert await store.find("works") == []


async def test_higher_tier_recognition_enters_the_register_without_certificates(
    as_: As, district: Any, votes: Any, voted: Any, drafted: Any, issuing: Any, store: Store
) -> None:
    known = voted("D1", tier="city", initiative_id="I1")
    await votes([known, voted("D2", tier="city", initiative_id="I1"), voted("D3", tier="city", initiative_id="I2")])
    draft = await drafted()
    issued = await as_("leader", district.leader).IssueDecision(issuing(draft.decision_id))
    register = (await as_().ListInitiatives(pb.ListInitiativesRequest(tier="city"))).initiatives

    assert (draft.recognised, draft.refused, issued.certificates) == (2, 1, 0)
    assert {(one.initiative_id, one.dossier_id) for one in register} == {("I1", "D1"), ("I2", "D3")}
    assert await store.count("certificates") == 0
    (turned_down,) = await events(store, "initiative.refused")
    assert (turned_down["dossier_id"], turned_down["reason"]) == ("D2", "DA_CONG_NHAN_CUNG_CAP")


async def test_two_leaders_issuing_at_once_take_consecutive_numbers(
    as_: As, district: Any, votes: Any, voted: Any, drafted: Any, issuing: Any
) -> None:
    count = 8
    await votes([voted(f"D{n}", round_id=f"R{n}") for n in range(count)])
    drafts = [await drafted(f"k{n}", round_id=f"R{n}") for n in range(count)]
    leaders = [as_("leader", district.leader), as_("leader", district.deputy)]
    issued = await asyncio.gather(
        *[leaders[n % 2].IssueDecision(issuing(draft.decision_id)) for n, draft in enumerate(drafts)]
    )
    assert sorted(one.number for one in issued) == list(range(3034, 3034 + count))


async def test_one_decision_issued_by_two_leaders_at_once_has_one_signer(
    as_: As, district: Any, votes: Any, voted: Any, drafted: Any, issuing: Any, store: Store
) -> None:
    await votes([voted("D1")])
    request = issuing((await drafted()).decision_id)
    answers = await asyncio.gather(
        as_("leader", district.leader).IssueDecision(request),
        as_("leader", district.deputy).IssueDecision(request),
        return_exceptions=True,
    )
    won = [one for one in answers if isinstance(one, pb.IssueDecisionResponse)]
    lost = [one.code for one in answers if isinstance(one, RemoteRefusal)]
    assert ([one.number for one in won], lost) == ([3034], ["decision_issued_otherwise"])
    assert (await store.count("initiatives"), await store.count("certificates")) == (1, 2)


async def test_list_longer_than_a_unit_is_drafted_and_entered_whole(
    as_: As, district: Any, votes: Any, voted: Any, drafted: Any, issuing: Any, store: Store
) -> None:
    await votes([voted(f"D{n:04}", outcome="failed" if n % 10 == 9 else "passed") for n in range(1_050)])
    first, second = await asyncio.gather(drafted(), drafted())
    issued = await as_("leader", district.leader).IssueDecision(issuing(first.decision_id))

    assert (second.decision_id, first.recognised, first.refused) == (first.decision_id, 945, 105)
    assert (issued.certificates, await store.count("initiatives")) == (1_890, 945)
    docs = await store.find("certificates", sort=[("ordinal", 1)], limit=2_000)
    assert [doc["ordinal"] for doc in docs] == list(range(1, 1_891))
    assert docs[-1]["number"] == "3034.1890/GCN-UBND"
    await eventually(lambda: store.count("outbox_sent"), value=1 + 945 + 105 + 1_890)
    assert await store.count("outbox") == 0


async def test_decision_is_refused_to_whoever_may_not_and_keeps_its_number(
    as_: As, district: Any, votes: Any, voted: Any, drafted: Any, issuing: Any, directory: Any
) -> None:
    stranger = directory.add_unit("Ủy ban nhân dân quận Đống Đa", kind="QUAN")
    nobody = "local:NOBODY"
    await votes([voted("D1"), voted("D2", round_id="R2", unit_id=nobody)])
    draft = (await drafted()).decision_id
    unnamed = (await drafted("k2", round_id="R2")).decision_id
    leader = as_("leader", district.leader)

    async def code(request: pb.IssueDecisionRequest, stub: RecognitionServiceStub = leader) -> str:
        return await refusal(stub.IssueDecision(request))

    assert await code(issuing(draft), as_("leader", district.leader, stranger)) == "not_the_issuer"
    assert await code(issuing(draft), as_("leader", district.secretary)) == "signer_drafted"
    assert await code(issuing(draft), as_("secretary", district.secretary)) == "role_missing"
    assert await code(issuing(draft, issued_on="2023-11-19")) == "issued_before_vote"
    assert await code(issuing(draft, issued_on="2999-01-01")) == "issued_in_future"
    assert await code(issuing(draft, issued_on="20/12/2023")) == "decision_date_malformed"
    assert await code(issuing(draft, issued_on="2024-01-02")) == "register_not_open"
    assert await code(issuing(draft, issued_on="2025-07-01")) == "tier_not_in_force"
    assert await code(issuing(draft, signing_mode="XX")) == "signing_mode_unknown"
    assert await code(issuing(draft, signing_mode="KT")) == "signed_for_mismatch"
    assert await code(issuing(draft, signer_title=" ")) == "recognition_text_malformed"
    assert await code(issuing(unnamed)) == "names_unknown"
    assert await code(issuing("01ARZ3NDEKTSV4RRFFQ69G5FAV")) == "decision_unknown"
    assert (await leader.IssueDecision(issuing(draft))).number == 3034
    assert await code(issuing(draft, issued_on="2023-12-21")) == "decision_issued_otherwise"


async def test_draft_takes_each_dossier_once_and_each_key_once(
    as_: As, district: Any, votes: Any, voted: Any, drafted: Any
) -> None:
    await votes([voted("D1"), voted("D2"), voted("D9", round_id="R9")])
    chosen = await drafted(dossier_ids=["D1"])
    again = await drafted(dossier_ids=["D1"])
    assert (again.decision_id, again.recognised) == (chosen.decision_id, 1)
    assert await refusal(drafted(dossier_ids=["D2"])) == "key_reused"
    assert await refusal(drafted("k2", dossier_ids=["D2", "D1"])) == "candidate_taken"
    assert await refusal(drafted("k2", dossier_ids=["D9"])) == "candidate_unknown"
    assert await refusal(drafted("")) == "decision_key_malformed"
    assert await refusal(drafted("k2", suffix="QĐ UBND")) == "register_suffix_malformed"
    rest = await drafted("k3")
    assert (rest.recognised, rest.refused) == (1, 0)
    assert await refusal(drafted("k4")) == "round_without_candidates"


async def test_register_is_opened_once_by_its_issuer(as_: As, district: Any) -> None:
    secretary = as_("secretary", district.secretary)
    request = pb.OpenRegisterRequest(issuer_id=district.issuer, suffix="/QĐ-UBND", year=2023, last_number=899)
    first = await secretary.OpenRegister(request)
    assert await secretary.OpenRegister(request) == first
    request.last_number = 900
    assert await refusal(secretary.OpenRegister(request)) == "register_opened_otherwise"
    elsewhere = as_("secretary", district.secretary, district.unit)
    assert await refusal(elsewhere.OpenRegister(request)) == "not_the_issuer"


async def test_certificate_is_rendered_once_and_checked_by_anyone(
    as_: As, district: Any, votes: Any, voted: Any, drafted: Any, issuing: Any
) -> None:
    await votes([voted("D1")])
    draft = await drafted()
    await as_("leader", district.leader).IssueDecision(issuing(draft.decision_id))
    own = as_("author", district.authors[0])
    mine = await own.ListCertificates(pb.ListCertificatesRequest(person_id=district.authors[0]))
    (certificate,) = mine.certificates
    request = pb.GetCertificateDocumentRequest(certificate_id=certificate.certificate_id)
    first, second = await asyncio.gather(own.GetCertificateDocument(request), own.GetCertificateDocument(request))
    later = await own.GetCertificateDocument(request)

    assert (mine.total, certificate.number, certificate.issued_on) == (1, "3034.0001/GCN-UBND", "2023-12-20")
    assert (first.pdf, first.sha256) == (second.pdf, second.sha256) == (later.pdf, later.sha256)
    printed = PdfReader(BytesIO(first.pdf)).pages[0].extract_text()
    assert [words in printed for words in ("Nguyễn Thị Hòa", "3034.0001/GCN-UBND", "3034/QĐ-UBND", "CHỦ TỊCH")] == [
        True
    ] * 4
    code = certificate.check_code
    typed = f" {code[:5].lower()}-{code[5:]} "
    shown = await as_().VerifyCertificate(pb.VerifyCertificateRequest(check_code=typed))
    assert shown == pb.VerifyCertificateResponse(
        valid=True,
        number="3034.0001/GCN-UBND",
        title="Không gian lịch sử ở lớp học D1",
        author_name="Nguyễn Thị Hòa",
        unit_name="Trường THCS Thành Công",
        decision_symbol="3034/QĐ-UBND",
        issued_on="2023-12-20",
        data_sha256=certificate.data_sha256,
    )
    for wrong in ("", "x" * 500, code[:-1] + ("A" if code[-1] != "A" else "B"), "0000000000"):
        answer = await as_().VerifyCertificate(pb.VerifyCertificateRequest(check_code=wrong))
        assert answer == pb.VerifyCertificateResponse()
    other = as_("author", district.authors[1])
    assert await refusal(other.GetCertificateDocument(request)) == "certificate_not_yours"
    listing = pb.ListCertificatesRequest(decision_id=draft.decision_id)
    assert await refusal(other.ListCertificates(listing)) == "certificate_not_yours"
    assert await refusal(own.ListCertificates(pb.ListCertificatesRequest())) == "certificate_filter_wrong"
    everyones = await as_("secretary", district.secretary).ListCertificates(listing)
    assert [one.person_id for one in everyones.certificates] == list(district.authors)


async def test_decision_document_lists_what_was_decided(
    as_: As, district: Any, votes: Any, voted: Any, drafted: Any, issuing: Any
) -> None:
    await votes([voted("D1"), voted("D2", outcome="failed")])
    draft = await drafted()
    request = pb.GetDecisionDocumentRequest(decision_id=draft.decision_id)
    secretary = as_("secretary", district.secretary)
    assert await refusal(secretary.GetDecisionDocument(request)) == "decision_not_issued"
    signing = issuing(draft.decision_id, signer_title="Phó Chủ tịch", on_behalf_of="Chủ tịch")
    await as_("leader", district.deputy).IssueDecision(signing)
    first = await secretary.GetDecisionDocument(request)
    second = await secretary.GetDecisionDocument(request)

    assert (first.pdf, first.sha256) == (second.pdf, second.sha256)
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(first.pdf)).pages).split())
    wanted = (
        "3034/QĐ-UBND",
        "ngày 20 tháng 12 năm 2023",
        "Căn cứ Nghị định 13/2012/NĐ-CP",
        "Không gian lịch sử ở lớp học D1",
        "Nguyễn Thị Hòa, Trần Văn Ất",
        "TM. ỦY BAN NHÂN DÂN QUẬN BA ĐÌNH",
        "KT. CHỦ TỊCH",
        "Vũ Phó Tịch",
    )
    assert [words for words in wanted if words not in text] == []


async def test_lists_page_to_the_end_and_refuse_a_strange_token(
    as_: As, district: Any, votes: Any, voted: Any, drafted: Any, issuing: Any
) -> None:
    await votes([voted(f"D{n}") for n in range(5)])
    await as_("leader", district.leader).IssueDecision(issuing((await drafted()).decision_id))
    found, token = [], ""
    while True:
        page = await as_().ListInitiatives(pb.ListInitiativesRequest(year=2023, page_size=2, page_token=token))
        found.extend([one.dossier_id for one in page.initiatives])
        token = page.next_page_token
        if not token:
            break
    assert (sorted(found), page.total) == ([f"D{n}" for n in range(5)], 5)
    assert (await as_().ListInitiatives(pb.ListInitiativesRequest(year=2024))).total == 0
    strange = pb.ListInitiativesRequest(page_token="strange")
    assert await refusal(as_().ListInitiatives(strange)) == "recognition_page_token_invalid"


async def test_dossier_stays_in_the_trace_of_its_vote(
    as_: As, district: Any, review: Neighbour, voted: Any, drafted: Any, issuing: Any, recognition: Any, store: Store
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    row = outbox_row(
        voted("D1"),
        event_id=new_id(),
        aggregate_id="D1",
        aggregate_version=5,
        at=SAID_AT,
        traceparent=f"00-{trace}-b7ad6b7169203331-01",
    )
    await review.store.apply([row])
    review.bus.wake_relay()
    await eventually(lambda: store.count("candidates"), value=1)
    await as_("leader", district.leader).IssueDecision(issuing((await drafted()).decision_id))

    rows = [*await store.find("outbox"), *await store.find("outbox_sent")]
    assert {(row["type"], row["traceparent"].split("-")[1] == trace) for row in rows} == {
        ("ev.recognition.decision.issued.v1", False),
        ("ev.recognition.initiative.recognised.v1", True),
        ("ev.recognition.certificate.issued.v1", True),
    }
    await recognition.host._telemetry.flush()
    spans = [span.name for span in recognition.host._telemetry.store.spans_of(trace)]
    assert spans.count("recognition.enter") == 1


async def test_unknown_ids_are_not_found_whatever_they_look_like(as_: As, district: Any) -> None:
    leader, secretary = as_("leader", district.leader), as_("secretary", district.secretary)
    for odd in ("", "x" * 3_000, "không có", "a|b/c", "01ARZ3NDEKTSV4RRFFQ69G5FAV"):
        assert await refusal(leader.GetDecision(pb.GetDecisionRequest(decision_id=odd))) == "decision_unknown"
        document = pb.GetCertificateDocumentRequest(certificate_id=odd)
        assert await refusal(leader.GetCertificateDocument(document)) == "certificate_unknown"
        assert (await leader.ListCandidates(pb.ListCandidatesRequest(round_id=odd))) == pb.ListCandidatesResponse()
        chosen = {"issuer_id": district.issuer, "suffix": "/QĐ-UBND", "round_id": "R1", "dossier_ids": [odd]}
        drafting = pb.DraftDecisionRequest(idempotency_key="k", **chosen)
        assert await refusal(secretary.DraftDecision(drafting)) == "candidate_unknown"
