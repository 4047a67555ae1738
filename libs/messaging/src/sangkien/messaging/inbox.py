"""The inbox: an event's effect and the mark that it happened are one unit, so a repeat does nothing (DESIGN §6.4)."""

from datetime import datetime

from sangkien.contracts.topology import ConsumerSpec
from sangkien.messaging.outbox import INBOX
from sangkien.store import Insert, Store


class Inbox:
    """What one consumer has done already."""

    def __init__(self, store: Store, consumer: ConsumerSpec) -> None:
        self._store = store
        self._prefix = f"{consumer.name}:"

    async def seen(self, event_ids: list[str]) -> set[str]:
        """Those whose effect is committed. Raises StoreUnavailable."""
        rows = await self._store.get_many(INBOX, [self._prefix + id for id in event_ids])
        return {id.removeprefix(self._prefix) for id in rows}

    def mark(self, event_id: str, at: datetime) -> Insert:
        """The row that says so; its unique id is what stops a second effect."""
        return Insert(INBOX, {"_id": self._prefix + event_id, "at": at.isoformat()})
