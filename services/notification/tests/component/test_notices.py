from datetime import date
from typing import Any

import pytest

from sangkien.api.notification.v1 import notification_pb2 as api
from sangkien.contracts.events import (
    CertificateIssued,
    DossierRefused,
    EntitlementGranted,
    ForeignAnswerReceived,
    ForeignCertificateReceived,
    InitiativeRefused,
    ReviewersAssigned,
    SupplementRequested,
)
from sangkien.rpc import RemoteRefusal
from sangkien.testkit import eventually

AUTHORS = ("local:A1", "local:A2")
DAY = date(2023, 12, 20)
AFTER_FILING = [
    SupplementRequested(
        dossier_id="D1", dossier_version=1, round_id="R1", author_ids=AUTHORS, shortcomings=("LA",), due=DAY
    ),
    DossierRefused(
        dossier_id="D1", dossier_version=1, round_id="R1", author_ids=AUTHORS, reason="CHUA_AP_DUNG", refused_on=DAY
    ),
    ReviewersAssigned(dossier_id="D1", round_id="R1", title="Cải tiến quy trình", reviewer_ids=("local:R1",), due=DAY),
    InitiativeRefused(
        dossier_id="D1",
        decision_id="Q1",
        decision_symbol="3034/QĐ-UBND",
        round_id="R1",
        author_ids=AUTHORS,
        reason="KHONG_DU_PHIEU",
        decided_on=DAY,
    ),
    CertificateIssued(
        certificate_id="C1",
        initiative_id="I1",
        dossier_id="D1",
        round_id="R1",
        person_id="local:A2",
        number="155/GCN",
        data_sha256="0" * 64,
        issued_on=DAY,
    ),
    EntitlementGranted(
        entitlement_id="E1",
        decision_id="Q2",
        decision_symbol="3035/QĐ-UBND",
        form="giay-khen-quan",
        holder="collective",
        holder_id="local:U1",
        amount_vnd=1_080_000,
        granted_on=DAY,
    ),
]


async def test_everyone_concerned_is_told_and_nobody_else(begin: Any, events: Any) -> None:
    cast = await begin()
    await cast.publish(events.submitted("D1", *AUTHORS, filed_by="local:OFFICER"))
    await cast.inbox("local:OFFICER", 1)
    await cast.publish(events.accepted("D1", *AUTHORS))
    for event in AFTER_FILING:
        await cast.publish(event)

    told = {
        who: sorted((each.kind, each.about_id) for each in await cast.inbox(who, count))
        for who, count in {
            "local:OFFICER": 1, "local:A1": 5, "local:A2": 6, "local:R1": 1, "local:U1": 1,
        }.items()
    }  # fmt: skip
    both = ["dossier_accepted", "dossier_received", "dossier_refused", "initiative_refused", "supplement_requested"]
    assert told == {
        "local:OFFICER": [("dossier_received", "D1")],
        "local:A1": [(kind, "D1") for kind in both],
        "local:A2": sorted([*((kind, "D1") for kind in both), ("certificate_issued", "C1")]),
        "local:R1": [("reviewer_assigned", "D1")],
        "local:U1": [("entitlement_granted", "E1")],
    }


async def test_notice_says_in_vietnamese_what_happened(begin: Any, events: Any) -> None:
    cast = await begin()
    await cast.publish(events.submitted("D1", *AUTHORS))
    await cast.inbox("local:A1", 1)
    await cast.publish(AFTER_FILING[3])
    await cast.publish(AFTER_FILING[5])
    first, second = await cast.inbox("local:A1", 2)
    (reward,) = await cast.inbox("local:U1", 1)
    assert (first.subject, first.body) == (
        "Đã nhận hồ sơ SK-D1 “Cải tiến quy trình”",
        (
            "Hồ sơ SK-D1 “Cải tiến quy trình” đã được tiếp nhận. "
            "Kết quả kiểm tra hình thức sẽ được trả lời chậm nhất ngày 08/06/2023."
        ),
    )
    assert second.body == (
        "Theo Quyết định số 3034/QĐ-UBND, hồ sơ SK-D1 “Cải tiến quy trình” không được công nhận. "
        "Lý do: Không đủ số phiếu đồng ý của hội đồng."
    )
    assert reward.body == "Theo Quyết định số 3035/QĐ-UBND, mức thưởng là 1.080.000\u00a0đ."


async def test_event_heard_twice_is_told_once(begin: Any, events: Any) -> None:
    cast = await begin()
    id = await cast.publish(events.submitted("D1", "local:A1"))
    await cast.publish(events.submitted("D1", "local:A1"), event_id=id)
    await cast.publish(events.submitted("D2", "local:A1"))
    assert [each.about_id for each in await cast.inbox("local:A1", 2)] == ["D1", "D2"]


async def test_acceptance_heard_before_the_filing_waits_for_its_words(begin: Any, events: Any) -> None:
    cast = await begin()
    await cast.publish(events.accepted("D1", "local:A1"))

    async def put_off() -> bool:
        lag = await cast.running.host._bus.consumer_lag()
        return bool(lag["notification__review"].redelivered or lag["notification__review"].unacknowledged)

    await eventually(put_off)
    await cast.inbox("local:A1", 0)
    await cast.publish(events.submitted("D1", "local:A1"))
    notices = await cast.inbox("local:A1", 2)
    assert sorted(each.subject for each in notices) == [
        "Hồ sơ SK-D1 “Cải tiến quy trình” được chấp nhận",
        "Đã nhận hồ sơ SK-D1 “Cải tiến quy trình”",
    ]


async def test_event_that_cannot_be_read_is_put_aside_and_the_rest_goes_on(begin: Any, events: Any) -> None:
    cast = await begin()
    good = events.submitted("D1", "local:A1")
    await cast.broker.jetstream().publish(good.TYPE, b'{"dossier_id": 1}', headers={"ce-type": good.TYPE})
    await cast.publish(good)
    await cast.inbox("local:A1", 1)
    letters = await eventually(lambda: cast.running.host._bus.dead_letters.list("notification"))
    assert [letter.reason for letter in letters] == ["undecodable"]


async def test_notice_ends_the_trace_that_the_filing_began(begin: Any, events: Any) -> None:
    cast = await begin()
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    await cast.publish(events.submitted("D1", *AUTHORS), traceparent=f"00-{trace_id}-b7ad6b7169203331-01")
    await cast.inbox("local:A1", 1)
    telemetry = cast.running.host._telemetry

    async def names() -> list[str]:
        await telemetry.flush()
        return sorted(span.name for span in telemetry.store.spans_of(trace_id))

    expected = ["ev.intake.dossier.submitted.v1 process", "notice inbox", "notice inbox", "notification apply"]
    await eventually(names, value=expected)


async def test_inbox_is_its_owners(begin: Any, events: Any) -> None:
    cast = await begin()
    await cast.publish(events.submitted("D1", "local:A1"))
    await cast.publish(AFTER_FILING[5])
    (notice,) = await cast.inbox("local:A1", 1)
    await cast.inbox("local:U1", 1)
    owner, stranger = cast.stub("local:A1", "author"), cast.stub("local:A2", "author")
    leader = cast.stub("local:L", "leader", organisation="local:U1")
    colleague = cast.stub("local:C", "author", organisation="local:U1")

    own = await owner.ListInbox(api.ListInboxRequest())
    organisations = await leader.ListInbox(api.ListInboxRequest(recipient_id="local:U1"))

    assert [each.notice_id for each in own.notices] == [notice.notice_id]
    assert [each.kind for each in organisations.notices] == ["entitlement_granted"]
    for caller, whose in ((stranger, "local:A1"), (colleague, "local:U1"), (leader, "local:A1")):
        with pytest.raises(RemoteRefusal) as refused:
            await caller.ListInbox(api.ListInboxRequest(recipient_id=whose))
        assert refused.value.code == "inbox_not_yours"


async def test_notices_are_marked_read_by_their_owner_alone(begin: Any, events: Any) -> None:
    cast = await begin()
    await cast.publish(events.submitted("D1", *AUTHORS))
    (mine,) = await cast.inbox("local:A1", 1)
    (other,) = await cast.inbox("local:A2", 1)
    owner = cast.stub("local:A1", "author")
    for ids in ([mine.notice_id, other.notice_id], [mine.notice_id, "nothing"]):
        with pytest.raises(RemoteRefusal) as refused:
            await owner.MarkRead(api.MarkReadRequest(notice_ids=ids))
        assert refused.value.code == "notice_unknown"
    assert [each.read for each in await cast.inbox("local:A1", 1)] == [False]
    for _ in range(2):
        await owner.MarkRead(api.MarkReadRequest(notice_ids=[mine.notice_id]))
    read = [(await cast.inbox(each, 1))[0].read for each in AUTHORS]
    assert read == [True, False]


async def test_inbox_comes_in_pages_newest_first(begin: Any, events: Any) -> None:
    cast = await begin()
    for number in range(5):
        await cast.publish(events.submitted(f"D{number}", "local:A1"))
    await cast.inbox("local:A1", 5)
    about, token = [], ""
    while True:
        page = await cast.stub("local:A1", "author").ListInbox(api.ListInboxRequest(page_size=2, page_token=token))
        about.append([each.about_id for each in page.notices])
        token = page.next_page_token
        if not token:
            break
    assert about == [["D4", "D3"], ["D2", "D1"], ["D0"]]


async def test_no_mail_is_queued_without_a_mail_server(begin: Any, events: Any) -> None:
    cast = await begin()
    await cast.publish(events.submitted("D1", *AUTHORS))
    await cast.inbox("local:A2", 1)
    counts = (await cast.stub().CountDeliveries(api.CountDeliveriesRequest())).counts
    assert {(each.channel, each.state): each.count for each in counts if each.count} == {("inbox", "sent"): 2}


async def test_authors_are_told_what_another_node_makes_of_their_dossier(begin: Any, events: Any) -> None:
    cast = await begin()
    await cast.publish(events.submitted("D1", *AUTHORS, competent_node="hanoi"))
    await cast.inbox("local:A1", 1)
    words: list[tuple[str, dict[str, Any]]] = [
        ("received", {}),
        ("not_received", {"reason": "unit_unknown"}),
        ("accepted", {"answer_due": DAY}),
        ("voted", {}),
        ("recognised", {"decision_symbol": "99/QĐ-UBND"}),
    ]
    for answer, facts in words:
        answered = ForeignAnswerReceived(
            dossier_id="D1", version=1, node="hanoi", answer=answer, on=DAY, author_ids=("local:A1",), **facts
        )
        await cast.publish(answered)

    told = await cast.inbox("local:A1", 4)
    assert [each.kind for each in told] == [
        "dossier_received",
        "dossier_not_received",
        "dossier_accepted",
        "initiative_recognised",
    ]
    assert told[1].body == (
        "Nơi xét (hanoi) chưa tiếp nhận hồ sơ SK-D1 “Cải tiến quy trình”. Lý do: Nơi xét chưa có đơn vị này trong "
        "danh bạ. Sửa và nộp bản bổ sung, hồ sơ sẽ được gửi lại."
    )
    assert len(await cast.inbox("local:A2", 1)) == 1


async def test_author_is_told_of_a_certificate_of_another_node_and_how_to_check_it(begin: Any, events: Any) -> None:
    cast = await begin()
    await cast.publish(events.submitted("D1", *AUTHORS, competent_node="hanoi"))
    await cast.inbox("local:A2", 1)
    issued = ForeignCertificateReceived(
        dossier_id="D1",
        node="hanoi",
        certificate_id="C9",
        number="1/2023",
        person_id="local:A2",
        told_ids=("local:A2",),
        data_sha256="0" * 64,
        check_code="7K3QD9M2XA",
        issued_on=DAY,
    )
    id = await cast.publish(issued)
    await cast.publish(issued, event_id=id)

    _, told = await cast.inbox("local:A2", 2)
    assert (told.kind, told.body) == (
        "foreign_certificate",
        (
            "Chúc mừng! Nơi xét (hanoi) đã cấp giấy chứng nhận số 1/2023 ngày 20/12/2023 cho sáng kiến của hồ sơ SK-D1 "
            "“Cải tiến quy trình”. Để kiểm tra, quét mã QR trên giấy hoặc nhập mã 7K3QD9M2XA tại nơi cấp."
        ),
    )
    assert [each.kind for each in await cast.inbox("local:A1", 1)] == ["dossier_received"]
