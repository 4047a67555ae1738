from email.message import EmailMessage
from typing import Any

import pytest

from sangkien.api.notification.v1 import notification_pb2 as api
from sangkien.rpc import RemoteRefusal
from sangkien.testkit import eventually


def ids(received: list[EmailMessage]) -> list[str]:
    return sorted(str(each["Message-ID"]) for each in received)


async def deliveries(cast: Any, state: str) -> list[tuple[str, int, str]]:
    found = await cast.stub().ListDeliveries(api.ListDeliveriesRequest(state=state))
    return sorted((each.recipient_id, each.attempts, each.last_error) for each in found.deliveries)


async def test_mail_carries_both_languages_to_the_recipient(begin: Any, smtp: Any, with_mail: Any, events: Any) -> None:
    cast = await begin(**with_mail)
    author = cast.directory.add_person("Nguyễn Thị Minh Khai", cast.unit, email="khai@badinh.vn")
    event_id = await cast.publish(events.submitted("D1", author))
    await eventually(cast.mails, value={"sent": 1})
    (mail,) = smtp.received
    text = mail.get_content()
    assert (str(mail["To"]), str(mail["From"])) == ("Nguyễn Thị Minh Khai <khai@badinh.vn>", "sangkien@badinh.vn")
    assert str(mail["Subject"]) == (
        "Đã nhận hồ sơ SK-D1 “Cải tiến quy trình” / Dossier SK-D1 “Cải tiến quy trình” received"
    )
    assert ids(smtp.received) == [f"<{event_id}.{author.replace(':', '_')}.email@badinh.vn>"]
    assert [part.strip()[:12] for part in text.split("----")] == ["Hồ sơ SK-D1 ", "Dossier SK-D"]
    assert "8 June 2023" in text


async def test_mail_put_off_is_sent_later_and_one_refused_is_not(
    begin: Any, smtp: Any, with_mail: Any, events: Any
) -> None:
    cast = await begin(**with_mail)
    patient, gone, homeless = (
        cast.directory.add_person(name, cast.unit, email=email)
        for name, email in (("A", "patient@x.vn"), ("B", "gone@x.vn"), ("C", ""))
    )
    smtp.replies["patient@x.vn"] = ["451 4.7.1 patient@x.vn greylisted"]
    smtp.replies["gone@x.vn"] = ["550 5.1.1 gone@x.vn unknown"]
    await cast.publish(events.submitted("D1", patient, gone, homeless, "local:STRANGER"))
    await eventually(cast.mails, value={"sent": 1, "failed": 1, "no_address": 2})
    assert await deliveries(cast, "sent") == [(patient, 2, "")]
    assert await deliveries(cast, "failed") == [(gone, 1, "smtp 550")]
    assert await deliveries(cast, "no_address") == sorted(
        [(homeless, 0, "no_address"), ("local:STRANGER", 0, "no_address")]
    )
    assert [str(mail["To"]) for mail in smtp.received] == ["A <patient@x.vn>"]


async def test_failed_mail_is_sent_at_an_operators_word_once(
    begin: Any, smtp: Any, with_mail: Any, events: Any
) -> None:
    cast = await begin(**with_mail)
    people = [cast.directory.add_person(f"N {n}", cast.unit, email=f"n{n}@x.vn") for n in range(3)]
    for number in range(3):
        smtp.replies[f"n{number}@x.vn"] = ["550 full"]
    await cast.publish(events.submitted("D1", *people))
    await eventually(cast.mails, value={"failed": 3})
    first = await cast.stub().RetryDeliveries(api.RetryDeliveriesRequest())
    await eventually(cast.mails, value={"sent": 3})
    second = await cast.stub().RetryDeliveries(api.RetryDeliveriesRequest())
    named = await cast.stub().RetryDeliveries(api.RetryDeliveriesRequest(delivery_ids=["nothing", "a\0b"]))
    assert [first.queued, second.queued, named.queued] == [3, 0, 0]
    assert len(set(ids(smtp.received))) == len(smtp.received) == 3


async def test_mail_waits_while_the_server_is_down(begin: Any, smtp: Any, with_mail: Any, events: Any) -> None:
    cast = await begin(**with_mail)
    people = [cast.directory.add_person(f"N {n}", cast.unit, email=f"n{n}@x.vn") for n in range(60)]
    await smtp.stop()
    await cast.publish(events.submitted("D1", *people))

    async def tried() -> bool:
        return any(error == "unreachable" for _, _, error in await deliveries(cast, "queued"))

    await eventually(tried)
    assert await cast.mails() == {"queued": 60}
    await smtp.start()
    await eventually(cast.mails, value={"sent": 60})
    assert len(set(ids(smtp.received))) == len(smtp.received) == 60


async def test_server_that_closes_in_the_middle_loses_and_doubles_nothing(
    begin: Any, smtp: Any, with_mail: Any, events: Any
) -> None:
    cast = await begin(**with_mail)
    people = [cast.directory.add_person(f"N {n}", cast.unit, email=f"n{n}@x.vn") for n in range(20)]
    smtp.replies["n7@x.vn"] = ["421 closing"]
    await cast.publish(events.submitted("D1", *people))
    await eventually(cast.mails, value={"sent": 20})
    assert len(set(ids(smtp.received))) == len(smtp.received) == 20


async def test_mail_ends_the_trace_that_the_filing_began(begin: Any, smtp: Any, with_mail: Any, events: Any) -> None:
    cast = await begin(**with_mail)
    author = cast.directory.add_person("A", cast.unit, email="a@x.vn")
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    await cast.publish(events.submitted("D1", author), traceparent=f"00-{trace_id}-b7ad6b7169203331-01")
    await eventually(cast.mails, value={"sent": 1})
    telemetry = cast.running.host._telemetry

    async def joined() -> bool:
        await telemetry.flush()
        spans = {span.name: span for span in telemetry.store.spans_of(trace_id)}
        return bool(spans["notice email"].parent_id == spans["notice inbox"].span_id)

    await eventually(joined, what="the mail in the trace of the notice")


async def test_reviewer_finds_each_assignment_in_the_inbox_and_one_mail_for_all(
    begin: Any, smtp: Any, with_mail: Any, events: Any
) -> None:
    # Quiet for longer than a busy machine takes between two assignments, or the first leaves alone.
    cast = await begin(**with_mail | {"digest_quiet_seconds": 3.0})
    reviewer = cast.directory.add_person("Lê Văn Tám", cast.unit, email="tam@x.vn")
    ids = [await cast.publish(events.assigned(f"D{number}", reviewer)) for number in range(3)]
    await cast.publish(events.assigned("D2", reviewer), event_id=ids[2])
    notices = await cast.inbox(reviewer, 3)
    await eventually(cast.mails, value={"sent": 1})

    assert [(each.kind, each.about_id) for each in notices] == [("reviewer_assigned", f"D{n}") for n in range(3)]
    assert [str(mail["Subject"]) for mail in smtp.received] == [
        "Đề nghị phản biện 3 sáng kiến / Initiatives to review: 3"
    ]
    (delivery,) = (await cast.stub().ListDeliveries(api.ListDeliveriesRequest(state="sent"))).deliveries
    assert (delivery.kind, delivery.recipient_id, delivery.attempts) == ("review_digest", reviewer, 1)


async def test_state_that_does_not_exist_is_refused(begin: Any) -> None:
    cast = await begin()
    with pytest.raises(RemoteRefusal) as refused:
        await cast.stub().ListDeliveries(api.ListDeliveriesRequest(state="lost"))
    assert (refused.value.code, refused.value.item.field) == ("delivery_state_unknown", "state")
