"""Recognised initiatives as documents, one for each holder: `<initiative id>/<tier>/<holder id>`."""

from collections.abc import Sequence
from typing import Final

from sangkien.reward.application.ports import Achievement
from sangkien.store import Index, Insert, Op, Schema, Store

ACHIEVEMENTS: Final = "achievements"

SCHEMA: Final = Schema((ACHIEVEMENTS,), (Index(ACHIEVEMENTS, ("holder_id",)),))

_PIECE = 200
_MOST_READ = 10_000


class StoredAchievements:
    """The `Achievements` port on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def known(self, ids: Sequence[str]) -> set[str]:
        return set(await self._store.get_many(ACHIEVEMENTS, ids))

    async def traces(self, holder_ids: Sequence[str]) -> dict[str, str]:
        traces: dict[str, str] = {}
        for start in range(0, len(holder_ids), _PIECE):
            where = {"holder_id": {"in": list(holder_ids[start : start + _PIECE])}}
            after: str | None = None
            while True:  # oldest first, so that the latest of each holder stays
                page = await self._store.page(
                    ACHIEVEMENTS, where, sort=[("recognised_on", 1)], limit=_MOST_READ, after=after
                )
                traces |= {each["holder_id"]: each["traceparent"] for each in page.items}
                after = page.next
                if after is None:
                    break
        return traces

    def add(self, achievement: Achievement) -> Op:
        return Insert(
            ACHIEVEMENTS,
            {
                "_id": achievement.id,
                "holder_id": achievement.holder_id,
                "initiative_id": achievement.initiative_id,
                "tier": achievement.tier,
                "recognised_on": achievement.recognised_on.isoformat(),
                "traceparent": achievement.traceparent,
            },
        )
