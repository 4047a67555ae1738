"""Read an inbox, and mark what was read."""

from collections.abc import Sequence
from dataclasses import dataclass

from sangkien.notification.application.ports import Commit, Inboxes, Page
from sangkien.notification.domain.errors import DeliveriesTooMany, InboxNotYours, NoticeUnknown
from sangkien.store.deciding import ALREADY, Decision, decide_each

MOST_AT_ONCE = 1_000
SPEAKS_FOR_ORGANISATION = frozenset({"leader", "secretary", "union_officer"})


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: a person or service, its roles, and the organisation it acts for."""

    id: str
    roles: frozenset[str]
    organisation_id: str

    def may_read(self, recipient_id: str) -> bool:
        """One's own inbox; the organisation's for who speaks for it; any for services and operators."""
        if recipient_id == self.id or not self.roles.isdisjoint({"service", "operator"}):
            return True
        return recipient_id == self.organisation_id and not self.roles.isdisjoint(SPEAKS_FOR_ORGANISATION)


class ReadInbox:
    """Nobody learns what is in another's inbox, nor whether it holds anything."""

    def __init__(self, inboxes: Inboxes, commit: Commit) -> None:
        self._inboxes = inboxes
        self._commit = commit

    async def page(self, reader: Reader, recipient_id: str, limit: int, after: str) -> Page:
        """Notices, newest first; of the reader where no recipient is named. Raises InboxNotYours, NoticePageInvalid."""
        recipient_id = recipient_id or reader.id
        if not reader.may_read(recipient_id):
            raise InboxNotYours(field="recipient_id")
        return await self._inboxes.page(recipient_id, limit, after)

    async def mark_read(self, reader: Reader, ids: Sequence[str]) -> None:
        """All of them or none; those read before are left alone. Raises NoticeUnknown, DeliveriesTooMany."""
        if len(ids) > MOST_AT_ONCE:
            raise DeliveriesTooMany(field="notice_ids", count=len(ids), limit=MOST_AT_ONCE)
        ids = list(dict.fromkeys(ids))
        found = await self._inboxes.get_many(ids)
        if any(id not in found or not reader.may_read(found[id].recipient_id) for id in ids):
            raise NoticeUnknown(field="notice_ids")

        async def decide(some: Sequence[str]) -> list[Decision]:
            notices = await self._inboxes.get_many(some)
            return [ALREADY if notices[id].read else [self._inboxes.mark_read(notices[id])] for id in some]

        await decide_each(ids, decide, self._commit)
