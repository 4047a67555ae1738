"""Delivery on both stores: replicas that share one, and events that come too early."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sangkien.messaging import Incoming, Later
from sangkien.notification.adapters.notice_store import StoredDossiers, StoredInboxes, StoredMails
from sangkien.notification.adapters.smtp import SmtpPost
from sangkien.notification.adapters.wording import CatalogueWording, RuleGlossary
from sangkien.notification.application.deliver_mail import DeliverMail
from sangkien.notification.application.ports import Contact
from sangkien.notification.application.write_notices import WriteNotices
from sangkien.notification.domain.mail import Mail
from sangkien.notification.entrypoints.messages import PATIENT_DELIVERIES, NoticeHandler
from sangkien.store import Insert, Store

NOW = datetime(2023, 5, 8, 8, 30, tzinfo=UTC)


def queued(number: int) -> Mail:
    return Mail(f"M{number:03}", f"P{number}", "dossier_received", "D1", "s", "t", "queued", 0, NOW, NOW, "", "")


async def no_digests() -> None:
    """There are none."""


def worker(store: Store, smtp: Any) -> DeliverMail:
    async def contacts(ids: Sequence[str]) -> Mapping[str, Contact]:
        return {id: Contact("", f"{id}@x.vn") for id in ids}

    return DeliverMail(
        StoredMails(store),
        contacts,
        SmtpPost(smtp.url, "s@badinh.vn"),
        store.apply,
        lambda *_: nullcontext(),
        no_digests,
        now=lambda: NOW,
        first_delay=timedelta(minutes=1),
        shared=True,
    )


async def test_replicas_send_each_mail_once(store: Store, smtp: Any) -> None:
    mails = StoredMails(store)
    await store.apply([mails.save(queued(number)) for number in range(120)])
    workers = [worker(store, smtp) for _ in range(3)]

    async def until_done(one: DeliverMail) -> None:
        while (await mails.count())["queued"] and await one.deliver_due():
            pass

    await asyncio.gather(*(until_done(one) for one in workers))
    # What a replica claimed and could not finish would be due again only after its lease.
    assert {state: count for state, count in (await mails.count()).items() if count} == {"sent": 120}
    sent = Counter(str(mail["Message-ID"]) for mail in smtp.received)
    assert sent == Counter({f"<M{number:03}@badinh.vn>": 1 for number in range(120)})


async def test_event_of_a_dossier_never_heard_of_is_told_by_its_id(store: Store, events: Any) -> None:
    write = WriteNotices(
        StoredInboxes(store), None, CatalogueWording(), lambda *_: nullcontext(), lambda: "", lambda: NOW
    )
    handler = NoticeHandler(StoredDossiers(store), RuleGlossary(), write)

    def heard(deliveries: int) -> Incoming:
        event = events.accepted("D1", "local:A1")
        return Incoming("01E", event.TYPE, event, "D1", 2, NOW, "", b"", deliveries)

    with pytest.raises(Later) as later:
        await handler([heard(PATIENT_DELIVERIES - 1)])
    ops = await handler([heard(PATIENT_DELIVERIES)])

    assert later.value.event_ids == ("01E",)
    assert [op.doc["subject"] for op in ops if isinstance(op, Insert)] == ["Hồ sơ D1 được chấp nhận"]
