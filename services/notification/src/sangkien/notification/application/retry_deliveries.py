"""Queue mails again that failed."""

from collections.abc import Sequence

from sangkien.notification.application.ports import Commit, Mails, Now
from sangkien.notification.domain.errors import DeliveriesTooMany, MailSettled
from sangkien.store.deciding import ALREADY, Decision, decide_each

LARGEST_BATCH = 1_000


class RetryDeliveries:
    """A second click queues nothing: what is queued or sent is left alone."""

    def __init__(self, mails: Mails, commit: Commit, now: Now) -> None:
        self._mails = mails
        self._commit = commit
        self._now = now

    async def __call__(self, ids: Sequence[str]) -> int:
        """Returns how many were queued. Without ids every failed one is; with ids also those that had no address.

        Raises DeliveriesTooMany.
        """
        if len(ids) > LARGEST_BATCH:
            raise DeliveriesTooMany(field="delivery_ids", count=len(ids), limit=LARGEST_BATCH)
        if ids:
            return await self._queue(list(dict.fromkeys(ids)))
        queued, after = 0, ""
        while True:
            page = await self._mails.page("failed", LARGEST_BATCH, after)
            queued += await self._queue([mail.id for mail in page.items])
            after = page.next
            if not after:
                return queued

    async def _queue(self, ids: Sequence[str]) -> int:
        async def decide(some: Sequence[str]) -> list[Decision]:
            stored = await self._mails.get_many(some)
            decisions: list[Decision] = []
            for id in some:
                try:
                    mail = stored[id]
                    mail.queue_again(self._now())
                    decisions.append([self._mails.save(mail)])
                except (KeyError, MailSettled):
                    decisions.append(ALREADY)
            return decisions

        return (await decide_each(ids, decide, self._commit)).count(None)
