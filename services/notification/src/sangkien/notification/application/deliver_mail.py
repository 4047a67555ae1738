"""Send what is queued, and record what became of it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from sangkien.notification.application.ports import (
    Commit,
    Contacts,
    Letter,
    Mails,
    Now,
    Post,
    Rejected,
    Span,
    Unreachable,
)
from sangkien.notification.domain.mail import Mail
from sangkien.store import StoreUnavailable
from sangkien.store.deciding import ALREADY, Decision, decide_each

BATCH = 50
LEASE = timedelta(minutes=5)
IDLE_SECONDS = 0.25
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0

Outcome = Callable[[Mail], None]
"""What becomes of a mail, as the move it makes."""


class DeliverMail:
    """A loop that takes due mails in batches, sends each over one of the post's lanes, and commits a batch at once.

    When the process is killed between the server's answer and that commit, the batch is sent again with the same
    Message-IDs; it is counted once. Where other processes may own the store too (`shared`), a batch is claimed first.
    """

    def __init__(  # noqa: PLR0913 (all that a mail meets on its way)
        self,
        mails: Mails,
        contacts: Contacts,
        post: Post,
        commit: Commit,
        span: Span,
        seal_digests: Callable[[], Awaitable[None]],
        *,
        now: Now,
        first_delay: timedelta,
        shared: bool,
    ) -> None:
        self._mails = mails
        self._contacts = contacts
        self._post = post
        self._commit = commit
        self._span = span
        self._seal_digests = seal_digests
        self._now = now
        self._first_delay = first_delay
        self._shared = shared
        self._stopping = False
        self._failures = 0

    async def run(self) -> None:
        """Deliver until cancelled; the letters then under way are finished and recorded."""
        while True:
            batch = asyncio.ensure_future(self.deliver_due())
            try:
                busy = await asyncio.shield(batch)
            except asyncio.CancelledError:
                self._stopping = True
                await batch
                await self._post.rest()
                raise
            if self._failures:
                await asyncio.sleep(self._pause().total_seconds())
            elif not busy:
                await self._post.rest()
                await asyncio.sleep(IDLE_SECONDS)

    async def deliver_due(self) -> bool:
        """Try one batch of due mails. Says whether there was any."""
        try:
            if not self._failures:  # while nobody takes mail, a digest may as well go on gathering
                await self._seal_digests()
            due = await self._mails.due(self._now(), BATCH)
            if due and self._shared:
                due = await self._claimed(due)
            if not due:
                self._failures = 0
                return False
            contacts = await self._contacts(list({mail.recipient_id for mail in due}))
        except (Unreachable, StoreUnavailable):
            self._failures += 1
            return True
        waiting = deque((mail, contacts.get(mail.recipient_id)) for mail in due)
        outcomes: dict[str, Outcome] = {}
        failures = self._failures

        async def lane() -> None:
            while waiting and not self._stopping and self._failures == failures:
                mail, contact = waiting.popleft()
                if contact is None or not contact.email:
                    outcomes[mail.id] = Mail.had_no_address
                    continue
                letter = Letter(mail.id, contact, mail.subject, mail.text, mail.queued_at)
                outcomes[mail.id] = await self._try(mail, letter, failures)

        await asyncio.gather(*(lane() for _ in range(self._post.lanes)))
        if self._failures == failures:
            self._failures = 0
        await self._record([mail for mail in due if mail.id in outcomes], outcomes)
        return True

    async def _try(self, mail: Mail, letter: Letter, failures: int) -> Outcome:
        with self._span("notice email", mail.traceparent, mail.id):
            try:
                await self._post.send(letter)
            except Rejected as rejected:
                code = rejected.code
                if code >= 500:
                    return lambda refused: refused.was_refused(code)
                return lambda put_off: put_off.was_put_off(code, self._now(), self._first_delay)
            except Unreachable:
                self._failures = failures + 1
                until = self._now() + self._pause()
                return lambda kept: kept.was_not_handed_over(until)
            return Mail.was_sent

    async def _claimed(self, due: Sequence[Mail]) -> list[Mail]:
        """Those of the mails that nobody else took meanwhile."""
        until = self._now() + LEASE
        outcomes = await self._move(due, dict.fromkeys((mail.id for mail in due), lambda mail: mail.claim(until)))
        kept = [mail for mail, outcome in zip(due, outcomes, strict=True) if outcome is None]
        for mail in kept:
            mail.version += 1
        return kept

    async def _record(self, tried: Sequence[Mail], outcomes: dict[str, Outcome]) -> None:
        """Commit the outcomes, however long the store is away: what is not recorded would be sent again."""
        while True:
            try:
                await self._move(tried, outcomes)
            except StoreUnavailable:
                await asyncio.sleep(FIRST_PAUSE_SECONDS)
            else:
                return

    async def _move(self, mails: Sequence[Mail], moves: dict[str, Outcome]) -> Sequence[object]:
        """Make each mail's move, unless somebody else changed the mail since it was read; None for those made."""

        async def decide(some: Sequence[Mail]) -> list[Decision]:
            stored = await self._mails.get_many(mail.id for mail in some)
            decisions: list[Decision] = []
            for mail in some:
                fresh = stored.get(mail.id)
                if fresh is None or fresh.version != mail.version:
                    decisions.append(ALREADY)
                    continue
                moves[mail.id](fresh)
                decisions.append([self._mails.save(fresh)])
            return decisions

        return await decide_each(mails, decide, self._commit)

    def _pause(self) -> timedelta:
        doubled = FIRST_PAUSE_SECONDS * (1 << min(self._failures - 1, 16))
        return timedelta(seconds=min(LONGEST_PAUSE_SECONDS, doubled))
