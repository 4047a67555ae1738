"""Put notices that are not mailed one by one into their recipient's digest of the day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from sangkien.notification.application.ports import DigestLines, Line, Mails, Now
from sangkien.notification.domain.mail import Mail, Window
from sangkien.notification.domain.notice import DIGEST_KIND, Occasion, digest_id
from sangkien.store import Op

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """An occasion one recipient finds in the inbox under this notice id, and the span it was written in."""

    occasion: Occasion
    recipient_id: str
    notice_id: str
    traceparent: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Whose days there is one digest each of, and the hour at which one leaves that had to wait for its day."""

    zone: tzinfo
    hour: int

    def day(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()

    def opening(self, day: date) -> datetime:
        return datetime.combine(day, time(self.hour), self.zone)


class GatherDigests:
    """One digest a recipient, round and day. What comes after it has left is held for the next day's.

    Nothing of it is in memory: the digest is a mail that gathers, its lines are stored with the notices they tell of.
    """

    def __init__(self, mails: Mails, lines: DigestLines, window: Window, calendar: Calendar, now: Now) -> None:
        self._mails = mails
        self._lines = lines
        self._window = window
        self._calendar = calendar
        self._now = now

    async def __call__(self, told: Sequence[Told]) -> list[Op]:
        """What puts each into a digest, new or still open; to be committed in one unit with the notices."""
        now = self._now()
        digests = await self._open(told, now)
        ops = [self._lines.add(Line(each.notice_id, digests[_about(each)].id, each.occasion.facts)) for each in told]
        for digest in digests.values():
            digest.took_another(now, self._window)
            ops.append(self._mails.save(digest))
        return ops

    async def _open(self, told: Iterable[Told], now: datetime) -> dict[tuple[str, str], Mail]:
        """The first digest, of today or a later day, that has not left; begun where there is none."""
        first = {_about(each): each for each in reversed(list(told))}
        found: dict[tuple[str, str], Mail] = {}
        day = today = self._calendar.day(now)
        while missing := {digest_id(*about, day): about for about in first if about not in found}:
            stored = await self._mails.get_many(missing)
            for id, about in missing.items():
                if id not in stored:
                    leaves = now if day == today else self._calendar.opening(day)
                    found[about] = _begun(id, first[about], now, leaves)
                elif stored[id].gathers:
                    found[about] = stored[id]
            day += _ONE_DAY
        return found


def _about(told: Told) -> tuple[str, str]:
    return told.occasion.digest_of, told.recipient_id


def _begun(id: str, told: Told, now: datetime, leaves: datetime) -> Mail:
    return Mail(
        id=id,
        recipient_id=told.recipient_id,
        kind=DIGEST_KIND,
        about_id=told.occasion.digest_of,
        subject="",
        text="",
        state="held" if leaves > now else "gathering",
        attempts=0,
        queued_at=now,
        next_at=leaves,
        last_error="",
        traceparent=told.traceparent,
    )
