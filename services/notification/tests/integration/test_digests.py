"""Reviewers' digests on both stores and a real mail server, by a clock of the test's own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sangkien.chassis.context import HANOI
from sangkien.messaging import Incoming
from sangkien.notification.adapters.notice_store import (
    DIGEST_LINES,
    INBOX,
    StoredDigestLines,
    StoredDossiers,
    StoredInboxes,
    StoredMails,
)
from sangkien.notification.adapters.smtp import SmtpPost
from sangkien.notification.adapters.wording import CatalogueWording, RuleGlossary
from sangkien.notification.application.deliver_mail import DeliverMail
from sangkien.notification.application.gather_digests import Calendar, GatherDigests
from sangkien.notification.application.ports import Contact
from sangkien.notification.application.retry_deliveries import RetryDeliveries
from sangkien.notification.application.seal_digests import SealDigests
from sangkien.notification.application.write_notices import WriteNotices
from sangkien.notification.domain.mail import Window
from sangkien.notification.entrypoints.messages import NoticeHandler
from sangkien.runtime import new_id
from sangkien.store import Duplicate, Store

NOON = datetime(2023, 5, 8, 12, tzinfo=HANOI).astimezone(UTC)
WINDOW = Window(timedelta(seconds=2), timedelta(seconds=10))


class Desk:
    """Notification's part in digests over a store and a mail server, at the time it is told."""

    def __init__(self, store: Store, smtp: Any) -> None:
        self.store, self.smtp, self.now = store, smtp, NOON
        self.start()

    def start(self) -> None:
        """Start, or start again with nothing but what is stored."""
        now: Callable[[], datetime] = lambda: self.now  # noqa: E731
        mails, lines, wording = StoredMails(self.store), StoredDigestLines(self.store), CatalogueWording()
        gather = GatherDigests(mails, lines, WINDOW, Calendar(HANOI, 7), now)
        write = WriteNotices(
            StoredInboxes(self.store), (mails, gather), wording, lambda *_: nullcontext(), lambda: "", now
        )
        self._handler = NoticeHandler(StoredDossiers(self.store), RuleGlossary(), write)
        self._post = SmtpPost(self.smtp.url, "s@badinh.vn")
        self._deliver = DeliverMail(
            mails,
            contacts,
            self._post,
            self.store.apply,
            lambda *_: nullcontext(),
            SealDigests(mails, lines, wording, self.store.apply, now=now, quiet=WINDOW.quiet),
            now=now,
            first_delay=timedelta(minutes=1),
            shared=True,
        )
        self.retry = RetryDeliveries(mails, self.store.apply, now)

    async def hear(self, *events: Any) -> list[str]:
        """Commit what follows from events that come in one batch; their ids."""
        ids = [new_id() for _ in events]
        heard = [
            Incoming(id, each.TYPE, each, each.dossier_id, 1, self.now, "", b"", 1)
            for id, each in zip(ids, events, strict=True)
        ]
        await self.store.apply(await self._handler(heard))
        return ids

    async def at(self, after: timedelta) -> list[str]:
        """The Message-IDs the mail server took by this time after noon."""
        self.now = NOON + after
        while await self._deliver.deliver_due():
            pass
        await self._post.rest()
        return [str(mail["Message-ID"]).strip("<>").removesuffix("@badinh.vn") for mail in self.smtp.received]

    async def states(self) -> dict[str, int]:
        return {state: count for state, count in (await StoredMails(self.store).count()).items() if count}


async def contacts(ids: Sequence[str]) -> Mapping[str, Contact]:
    return {id: Contact("", f"{id}@x.vn") for id in ids}


@pytest.fixture
async def desk(store: Store, smtp: Any) -> Desk:
    desk = Desk(store, smtp)
    await desk.at(-WINDOW.quiet)
    return desk


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def titles(mail: Any) -> list[str]:
    """What the Vietnamese half of a digest lists."""
    return [line for line in mail.get_content().split("----")[0].splitlines() if line[:1].isdigit()]


async def test_digest_tells_once_of_all_that_was_assigned_together(desk: Desk, events: Any) -> None:
    await desk.at(seconds(0))
    await desk.hear(events.assigned("D1", "P1"), events.assigned("D2", "P1"))
    early = await desk.at(seconds(1.5))
    await desk.hear(events.assigned("D3", "P1"))
    still_early = await desk.at(seconds(3.4))
    late = await desk.at(seconds(3.5))

    assert (early, still_early, late) == ([], [], ["R1.P1.20230508.digest"])
    (mail,) = desk.smtp.received
    assert str(mail["Subject"]) == "Đề nghị phản biện 3 sáng kiến / Initiatives to review: 3"
    assert mail.get_content().splitlines() == [
        "Đề nghị đồng chí chấm điểm 3 sáng kiến sau đây:",
        *(f"{n}. “Sáng kiến D{n}”. Hạn nộp phiếu: 20/06/2023." for n in (1, 2, 3)),
        "",
        "----",
        "",
        "Please score these initiatives, 3 in all:",
        *(f"{n}. “Sáng kiến D{n}”. The sheet is due: 20 June 2023." for n in (1, 2, 3)),
    ]
    assert (await desk.states(), await desk.store.count(INBOX)) == ({"sent": 1}, 3)


async def test_digest_leaves_in_the_end_though_assignments_keep_coming(desk: Desk, events: Any) -> None:
    sent = []
    for number in range(11):
        sent.append(await desk.at(seconds(number)))
        if number < 10:
            await desk.hear(events.assigned(f"D{number}", "P1"))

    assert sent == [*[[]] * 10, ["R1.P1.20230508.digest"]]
    assert len(titles(desk.smtp.received[0])) == 10


async def test_what_is_assigned_after_the_digest_left_goes_into_the_next_days(desk: Desk, events: Any) -> None:
    await desk.hear(events.assigned("D1", "P1"))
    await desk.at(seconds(2))
    await desk.hear(events.assigned("D2", "P1"))
    await desk.at(timedelta(hours=1))
    await desk.hear(events.assigned("D3", "P1"))
    waiting = await desk.states()
    before_seven, at_seven = [await desk.at(timedelta(hours=hours)) for hours in (18.99, 19)]

    assert waiting == {"sent": 1, "held": 1}
    assert (before_seven, at_seven) == (["R1.P1.20230508.digest"], ["R1.P1.20230508.digest", "R1.P1.20230509.digest"])
    assert [titles(mail) for mail in desk.smtp.received] == [
        ["1. “Sáng kiến D1”. Hạn nộp phiếu: 20/06/2023."],
        [f"{n}. “Sáng kiến D{n + 1}”. Hạn nộp phiếu: 20/06/2023." for n in (1, 2)],
    ]


async def test_what_is_assigned_while_the_digest_is_sent_goes_into_the_next(desk: Desk, events: Any) -> None:
    heard = []
    desk.smtp.before_answer = lambda: heard.append(asyncio.ensure_future(desk.hear(events.assigned("D2", "P1"))))
    await desk.hear(events.assigned("D1", "P1"))
    await desk.at(seconds(2))
    await asyncio.gather(*heard)

    assert await desk.states() == {"sent": 1, "held": 1}
    assert [titles(mail) for mail in desk.smtp.received] == [["1. “Sáng kiến D1”. Hạn nộp phiếu: 20/06/2023."]]


async def test_each_reviewer_and_round_has_a_digest_of_its_own(desk: Desk, events: Any) -> None:
    await desk.hear(
        events.assigned("D1", "P1", "P2"), events.assigned("D2", "P2"), events.assigned("D3", "P2", round_id="R2")
    )
    await desk.at(seconds(2))

    told = sorted((str(mail["To"]), len(titles(mail))) for mail in desk.smtp.received)
    assert told == [("P1@x.vn", 1), ("P2@x.vn", 1), ("P2@x.vn", 2)]


async def test_digest_is_gathered_on_over_a_restart(desk: Desk, events: Any) -> None:
    await desk.hear(events.assigned("D1", "P1"))
    desk.start()
    just_started = await desk.at(seconds(3))
    await desk.hear(events.assigned("D2", "P1"))
    after_a_quiet_window = await desk.at(seconds(5))

    assert (just_started, after_a_quiet_window) == ([], ["R1.P1.20230508.digest"])
    assert len(titles(desk.smtp.received[0])) == 2


async def test_event_heard_twice_is_in_one_digest(desk: Desk, events: Any) -> None:
    event = events.assigned("D1", "P1")
    (id,) = await desk.hear(event)
    await desk.at(seconds(2))
    again = await desk._handler([Incoming(id, event.TYPE, event, "D1", 1, desk.now, "", b"", 2)])

    with pytest.raises(Duplicate):
        await desk.store.apply(again)
    assert (await desk.store.count(DIGEST_LINES), await desk.states()) == (1, {"sent": 1})


async def test_replicas_seal_and_send_each_digest_once(desk: Desk, events: Any) -> None:
    other = Desk(desk.store, desk.smtp)
    await other.at(-WINDOW.quiet)
    await desk.hear(*(events.assigned(f"D{n}", f"P{n % 40}") for n in range(80)))

    await asyncio.gather(desk.at(seconds(2)), other.at(seconds(2)))

    assert sorted(await desk.at(seconds(2))) == sorted(f"R1.P{n}.20230508.digest" for n in range(40))
    assert {len(titles(mail)) for mail in desk.smtp.received} == {2}


async def test_digest_that_was_refused_is_sent_at_an_operators_word(desk: Desk, events: Any) -> None:
    desk.smtp.replies["P1@x.vn"] = ["550 full"]
    await desk.hear(events.assigned("D1", "P1"))
    refused = await desk.at(seconds(2))
    failed = await desk.states()
    queued = await desk.retry([])

    assert (refused, failed, queued) == ([], {"failed": 1}, 1)
    assert await desk.at(seconds(3)) == ["R1.P1.20230508.digest"]


async def test_digest_goes_on_gathering_while_nobody_takes_mail(desk: Desk, events: Any) -> None:
    await desk.hear(events.assigned("D1", "P1"))
    await desk.smtp.stop()
    await desk.hear(events.assigned("D2", "P2"))
    desk.now = NOON + seconds(2)
    await desk._deliver.deliver_due()
    await desk.hear(events.assigned("D3", "P3"))
    desk.now = NOON + seconds(4.5)
    await desk._deliver.deliver_due()
    stopped = await desk.states()
    await desk.hear(events.assigned("D4", "P3"))
    await desk.smtp.start()

    assert stopped == {"queued": 2, "gathering": 1}
    assert len(await desk.at(seconds(60))) == 3
    assert sorted(len(titles(mail)) for mail in desk.smtp.received) == [1, 1, 2]
