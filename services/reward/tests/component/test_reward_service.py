"""The whole service over real gRPC, on SQLite and a real broker."""

import asyncio
import io
from typing import Any

import pypdf
import pytest

from sangkien.api.reward.v1 import reward_pb2 as api
from sangkien.reward.adapters.stored_ledger import LEDGER
from sangkien.rpc import RemoteRefusal

QUAN = {"form": "giay-khen-quan"}


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


async def test_district_list_of_2023_comes_to_75_060_000_dong(
    office: Any, as_individual: Any, as_collective: Any
) -> None:
    await office.open_register(last_number=3033)
    collectives = [as_collective(office.collective(f"Trường Mầm non {n}")) for n in range(43)]
    individuals = [as_individual(office.person(f"Nguyễn Thị Ằng {n}")) for n in range(53)]
    decision_id = await office.submitted(*collectives, *individuals)

    issued = await office.issue(decision_id)
    assert (issued.number, issued.symbol, issued.total_vnd, issued.already) == (3034, "3034/QĐ-UBND", 75_060_000, False)

    staff = office.stub("finance")
    decision = (await staff.GetRewardDecision(api.GetRewardDecisionRequest(decision_id=decision_id))).decision
    assert (decision.state, decision.individuals, decision.collectives) == ("BAN_HANH", 53, 43)
    assert (decision.per_individual_vnd, decision.per_collective_vnd) == (540_000, 1_080_000)
    assert decision.rule_set == "vn.reward.nd-91-2017+vn.base-salary.2023-07-01"
    assert decision.collective_derivation[2] == "1.800.000 × 0,60 = 1.080.000"
    assert list(decision.unverified) == []

    page = await staff.ListEntitlements(api.ListEntitlementsRequest(decision_id=decision_id, page_size=1_000))
    assert [e.holder_id for e in page.entitlements] == [r.holder_id for r in (*collectives, *individuals)]
    by_holder = {
        holder: sum(e.amount_vnd for e in page.entitlements if e.holder == holder)
        for holder in (api.HOLDER_COLLECTIVE, api.HOLDER_INDIVIDUAL)
    }
    assert by_holder == {api.HOLDER_COLLECTIVE: 46_440_000, api.HOLDER_INDIVIDUAL: 28_620_000}
    ledger = await staff.GetLedger(api.GetLedgerRequest(decision_id=decision_id))
    assert (ledger.owed_vnd, ledger.paid_vnd, ledger.entries) == (75_060_000, 0, 96)

    document = await staff.GetRewardDocument(api.GetRewardDocumentRequest(decision_id=decision_id))
    again = await staff.GetRewardDocument(api.GetRewardDocumentRequest(decision_id=decision_id))
    assert document == again
    text = text_of(document.pdf)
    assert "Số: 3034/QĐ-UBND Ba Đình, ngày 20 tháng 12 năm 2023" in text
    assert "Tổng cộng: 75.060.000 đồng./." in text
    assert text.count("1.080.000") == 1 + 43
    assert text.index("I. Cá nhân") < text.index("II. Tập thể")


async def test_issue_repeated_answers_already_and_another_signer_or_day_hears_what_stands(
    office: Any, as_individual: Any
) -> None:
    await office.open_register()
    decision_id = await office.submitted(as_individual(office.person("Đỗ Ẵm")))
    first = await office.issue(decision_id)
    again = await office.issue(decision_id)
    assert (again.number, again.total_vnd, again.already) == (first.number, first.total_vnd, True)

    with pytest.raises(RemoteRefusal) as refused:
        await office.issue(decision_id, on="2023-12-21")
    assert (refused.value.code, refused.value.facts) == (
        "reward_issued_otherwise",
        {"symbol": "3034/QĐ-UBND", "issued_on": "2023-12-20"},
    )


async def test_leaders_who_sign_at_once_take_consecutive_numbers(office: Any, as_individual: Any) -> None:
    await office.open_register(last_number=0)
    decisions = [await office.submitted(as_individual(office.person(f"Lê Ỷ {n}"))) for n in range(6)]
    # each decision twice, as an impatient second click would
    answers = await asyncio.gather(*(office.issue(decision_id) for decision_id in (*decisions, *decisions)))
    numbers = {
        decision_id: answer.number for decision_id, answer in zip((*decisions, *decisions), answers, strict=True)
    }
    assert sorted(numbers.values()) == [1, 2, 3, 4, 5, 6]
    assert [a.number for a in answers[:6]] == [a.number for a in answers[6:]]
    assert sorted(answer.already for answer in answers) == [False] * 6 + [True] * 6
    assert answers[0].symbol == f"{answers[0].number:02}/QĐ-UBND"
    assert await office.service.host._store.count(LEDGER) == 6


@pytest.mark.parametrize(
    ("changed", "on", "code"),
    [
        ({"form": "cstd-co-so"}, "2023-12-20", "form_not_for_holder"),
        ({"form": "xa-phuong-tieu-bieu"}, "2023-12-20", "no_rule_on_date"),
        ({"form": "giay-khen-quan"}, "2017-09-30", "no_rule_on_date"),
        ({"form": "giay-khen-quan"}, "2022-12-20", "reward_register_not_open"),
        ({"form": "giay-khen-quan"}, "2999-01-01", "reward_issued_in_future"),
        ({"form": "giay-khen-quan"}, "20/12/2023", "reward_date_malformed"),
    ],
)
async def test_issue_refuses_what_no_rule_or_register_carries_and_takes_no_number(
    office: Any, as_collective: Any, changed: dict[str, str], on: str, code: str
) -> None:
    await office.open_register()
    unit = as_collective(office.collective("Mầm non A"))
    decision_id = await office.submitted(unit, **changed)
    with pytest.raises(RemoteRefusal) as refused:
        await office.issue(decision_id, on=on)
    assert refused.value.code == code

    good = await office.submitted(unit)
    assert (await office.issue(good)).number == 3034


async def test_draft_shows_what_issue_would_refuse_and_what_a_secretary_should_look_at(
    office: Any, as_individual: Any, as_collective: Any
) -> None:
    person, unit = office.person("Đỗ Ẵm"), office.collective("Mầm non A")
    drafted = await office.draft(
        as_individual(person), as_collective(unit), as_individual("local:nobody"), form="cstd-co-so"
    )
    assert [(each.holder_id, each.warning.code) for each in drafted.warnings] == [
        (unit, "form_not_for_holder"),
        (person, "reward_recipient_without_initiative"),
        ("local:nobody", "reward_recipient_unknown"),
    ]
    late = await office.draft(as_collective(unit), planned_on="2026-08-01")
    assert [(each.holder_id, each.warning.code) for each in late.warnings] == [("", "reward_rule_unverified")]
    assert "không còn quận" in late.warnings[0].warning.message_vi
    assert "no quận" in late.warnings[0].warning.message_en
    early = await office.draft(as_collective(unit), as_individual(person), planned_on="2017-09-30")
    assert [each.warning.code for each in early.warnings] == ["no_rule_on_date", "reward_recipient_without_initiative"]

    await office.open_register()
    decision_id = await office.submitted(as_collective(unit), as_individual("local:nobody"))
    with pytest.raises(RemoteRefusal) as refused:
        await office.issue(decision_id)
    assert (refused.value.code, refused.value.facts) == ("reward_recipients_unknown", {"count": "1", "first": "2"})


async def test_draft_of_the_largest_list_answers_with_the_foremost_warnings_and_is_granted_whole(
    office: Any, as_individual: Any
) -> None:
    await office.open_register()
    people = [as_individual(office.person(f"Nguyễn Thị Ằng {n}")) for n in range(20_000)]
    drafted = await office.draft(*people, planned_on="2025-07-01")
    assert (len(drafted.warnings), drafted.warnings_in_all) == (500, 20_001)
    assert [drafted.warnings[0].warning.code, drafted.warnings[1].holder_id] == [
        "reward_rule_unverified",
        people[0].holder_id,
    ]
    await office.stub("secretary").SubmitRewardDecision(
        api.SubmitRewardDecisionRequest(decision_id=drafted.decision_id)
    )
    assert (await office.issue(drafted.decision_id)).total_vnd == 20_000 * 540_000
    ledger = await office.stub("finance").GetLedger(api.GetLedgerRequest(decision_id=drafted.decision_id))
    assert (ledger.owed_vnd, ledger.entries) == (20_000 * 540_000, 20_000)


async def test_draft_of_one_key_is_one_decision_and_the_key_takes_nothing_else(office: Any, as_individual: Any) -> None:
    one, two = as_individual(office.person("Đỗ Ẵm")), as_individual(office.person("Lê Ỷ"))
    request = office.draft_request(one)
    stub = office.stub("secretary")
    first, second = await asyncio.gather(stub.DraftRewardDecision(request), stub.DraftRewardDecision(request))
    assert first.decision_id == second.decision_id

    request.recipients.append(two)
    with pytest.raises(RemoteRefusal) as refused:
        await stub.DraftRewardDecision(request)
    assert refused.value.code == "key_reused"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"idempotency_key": ""}, "reward_key_malformed"),
        ({"form": "giay-khen"}, "unknown_form"),
        ({"suffix": "QĐ-UBND"}, "register_suffix_malformed"),
        ({"occasion": "  "}, "reward_occasion_malformed"),
        ({"planned_on": "2023-02-30"}, "reward_date_malformed"),
        ({"recipients": []}, "reward_no_recipients"),
        ({"recipients": [api.Recipient(holder_id="p1")]}, "reward_recipient_malformed"),
        ({"recipients": [api.Recipient(holder=api.HOLDER_COLLECTIVE)]}, "reward_recipient_malformed"),
    ],
)
async def test_draft_refuses_what_cannot_be_read(office: Any, as_individual: Any, changed: Any, code: str) -> None:
    with pytest.raises(RemoteRefusal) as refused:
        await office.draft(as_individual(office.person("Đỗ Ẵm")), **changed)
    assert refused.value.code == code


async def test_roles_part_drafting_signing_paying_and_looking(office: Any, as_individual: Any) -> None:
    await office.open_register()
    person = office.person("Đỗ Ẵm")
    decision_id = await office.submitted(as_individual(person))
    both = office.people["secretary"]  # drafted it, and is made a leader as well
    stub = type(office.stub("secretary"))(office.service.channel(both, ["leader"], office.issuer))
    request = api.IssueRewardDecisionRequest(
        decision_id=decision_id, issued_on="2023-12-20", signing_mode="TM", signer_title="Chủ tịch"
    )
    with pytest.raises(RemoteRefusal) as refused:
        await stub.IssueRewardDecision(request)
    assert refused.value.code == "reward_signer_is_drafter"
    with pytest.raises(RemoteRefusal) as refused:
        await office.issue(decision_id, who="finance")
    assert refused.value.code == "role_missing"
    await office.issue(decision_id)

    own = type(stub)(office.service.channel(person, ["author"], office.unit))
    mine = await own.ListEntitlements(api.ListEntitlementsRequest(holder_id=person))
    assert [(e.holder_id, e.amount_vnd) for e in mine.entitlements] == [(person, 540_000)]
    for asked in (
        api.ListEntitlementsRequest(decision_id=decision_id),
        api.ListEntitlementsRequest(holder_id=office.people["leader"]),
    ):
        with pytest.raises(RemoteRefusal) as refused:
            await own.ListEntitlements(asked)
        assert refused.value.code == "reward_not_yours"


async def test_roles_of_another_organisation_neither_open_draft_submit_nor_sign(
    office: Any, as_individual: Any
) -> None:
    await office.open_register()
    recipient = as_individual(office.person("Đỗ Ẵm"))
    drafted = await office.draft(recipient)
    stubs = {
        role: type(office.stub(role))(office.service.channel(office.people[role], [role], office.unit))
        for role in ("secretary", "leader")
    }
    sign = api.IssueRewardDecisionRequest(
        decision_id=drafted.decision_id, issued_on="2023-12-20", signing_mode="TM", signer_title="Chủ tịch"
    )
    register = api.OpenRegisterRequest(issuer_id=office.issuer, suffix="/QĐ-KT", year=2023)
    for call in (
        stubs["secretary"].OpenRegister(register),
        stubs["secretary"].DraftRewardDecision(office.draft_request(recipient)),
        stubs["secretary"].SubmitRewardDecision(api.SubmitRewardDecisionRequest(decision_id=drafted.decision_id)),
        stubs["leader"].IssueRewardDecision(sign),
    ):
        with pytest.raises(RemoteRefusal) as refused:
            await call
        assert refused.value.code == "reward_not_of_the_issuer"


async def test_issue_of_a_draft_nobody_submitted_is_refused(office: Any, as_individual: Any) -> None:
    await office.open_register()
    drafted = await office.draft(as_individual(office.person("Đỗ Ẵm")))
    with pytest.raises(RemoteRefusal) as refused:
        await office.issue(drafted.decision_id)
    assert (refused.value.code, refused.value.facts) == ("reward_not_submitted", {"state": "DU_THAO"})
    with pytest.raises(RemoteRefusal) as refused:
        await office.stub("finance").GetRewardDocument(api.GetRewardDocumentRequest(decision_id=drafted.decision_id))
    assert refused.value.code == "reward_not_issued"


async def test_quote_gives_the_amount_and_names_in_both_languages_what_is_not_verified(office: Any) -> None:
    stub = office.stub("author")
    answer = await stub.QuoteReward(api.QuoteRewardRequest(**QUAN, holder=api.HOLDER_COLLECTIVE, on="2025-07-01"))
    assert (answer.amount_vnd, answer.verified) == (1_410_000, False)
    assert list(answer.unverified) == ["issuer", "rounding"]
    assert answer.unverified_en[0].endswith("so nobody can issue this form")
    assert answer.unverified_vi[1] == "quy định làm tròn"


async def test_register_opened_otherwise_is_refused_and_the_same_opening_is_one(office: Any) -> None:
    assert await office.open_register(last_number=3033) == await office.open_register(last_number=3033)
    with pytest.raises(RemoteRefusal) as refused:
        await office.open_register(last_number=3000)
    assert (refused.value.code, refused.value.facts["opened_at"]) == ("register_opened_otherwise", "3033")
