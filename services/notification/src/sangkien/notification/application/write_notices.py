"""Turn occasions into notices: one for each recipient and channel, or a share in a digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sangkien.notification.application.gather_digests import GatherDigests, Told
from sangkien.notification.application.ports import Inboxes, Mails, Notice, Now, Span, Traceparent, Wording, Words
from sangkien.notification.domain.mail import Mail
from sangkien.notification.domain.notice import Occasion, notice_id
from sangkien.store import Op


@dataclass(frozen=True, slots=True)
class Heard:
    """An occasion, and the event it was heard of by: its id, its time, the span of its delivery."""

    occasion: Occasion
    event_id: str
    at: datetime
    traceparent: str


class WriteNotices:
    """The inbox is delivered to at commit; mail is queued or gathered, where a mail server is configured."""

    def __init__(
        self,
        inboxes: Inboxes,
        mails: tuple[Mails, GatherDigests] | None,
        wording: Wording,
        span: Span,
        traceparent: Traceparent,
        now: Now,
    ) -> None:
        self._inboxes = inboxes
        self._mails = mails
        self._wording = wording
        self._span = span
        self._traceparent = traceparent
        self._now = now

    async def __call__(self, heard: Sequence[Heard]) -> list[Op]:
        """What writes the notices. The same event gives the same ids, so that nobody is told twice."""
        ops: list[Op] = []
        told: list[Told] = []
        for each in heard:
            words = self._wording.words(each.occasion)
            for recipient_id in dict.fromkeys(each.occasion.recipient_ids):
                id = notice_id(each.event_id, recipient_id, "inbox")
                with self._span("notice inbox", each.traceparent, id):
                    ops.append(self._inboxes.add(_notice(id, each, recipient_id, words)))
                    if self._mails is None:
                        continue
                    if each.occasion.digest_of:
                        told.append(Told(each.occasion, recipient_id, id, self._traceparent()))
                    else:
                        ops.append(self._mails[0].save(self._mail(each, recipient_id, words)))
        if self._mails is not None and told:
            ops += await self._mails[1](told)
        return ops

    def _mail(self, heard: Heard, recipient_id: str, words: Words) -> Mail:
        now = self._now()  # the event may be a month old, and five days is all the time a mail gets
        return Mail(
            id=notice_id(heard.event_id, recipient_id, "email"),
            recipient_id=recipient_id,
            kind=heard.occasion.kind,
            about_id=heard.occasion.about_id,
            subject=words.mail_subject,
            text=words.mail_text,
            state="queued",
            attempts=0,
            queued_at=now,
            next_at=now,
            last_error="",
            traceparent=self._traceparent(),
        )


def _notice(id: str, heard: Heard, recipient_id: str, words: Words) -> Notice:
    occasion = heard.occasion
    return Notice(id, recipient_id, occasion.kind, words.subject, words.body, occasion.about_id, heard.at, read=False)
