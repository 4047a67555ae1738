"""Turn an occasion into notices: one for each recipient and channel."""

from dataclasses import dataclass
from datetime import datetime

from sangkien.notification.application.ports import Inboxes, Mails, Notice, Now, Span, Traceparent, Wording
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
    """The inbox is delivered to at commit; mail is queued, where a mail server is configured."""

    def __init__(
        self,
        inboxes: Inboxes,
        mails: Mails | None,
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

    def __call__(self, heard: Heard) -> list[Op]:
        """What writes the notices. The same event gives the same ids, so that nobody is told twice."""
        occasion = heard.occasion
        words = self._wording.words(occasion)
        now = self._now()  # the event may be a month old, and five days is all the time a mail gets
        ops: list[Op] = []
        for recipient_id in dict.fromkeys(occasion.recipient_ids):
            id = notice_id(heard.event_id, recipient_id, "inbox")
            with self._span("notice inbox", heard.traceparent, id):
                ops.append(
                    self._inboxes.add(
                        Notice(
                            id,
                            recipient_id,
                            occasion.kind,
                            words.subject,
                            words.body,
                            occasion.about_id,
                            heard.at,
                            read=False,
                        )
                    )
                )
                if self._mails is not None:
                    mail = Mail(
                        id=notice_id(heard.event_id, recipient_id, "email"),
                        recipient_id=recipient_id,
                        kind=occasion.kind,
                        about_id=occasion.about_id,
                        subject=words.mail_subject,
                        text=words.mail_text,
                        state="queued",
                        attempts=0,
                        queued_at=now,
                        next_at=now,
                        last_error="",
                        traceparent=self._traceparent(),
                    )
                    ops.append(self._mails.save(mail))
        return ops
