"""Learn which holders have a recognised initiative."""

from collections.abc import Sequence

from sangkien.reward.application.ports import Achievement, Achievements
from sangkien.store import Op


class LearnAchievements:
    """Adds what is new; an initiative counts once at each tier for each holder, however often it is told."""

    def __init__(self, achievements: Achievements) -> None:
        self._achievements = achievements

    async def __call__(self, told: Sequence[Achievement]) -> list[Op]:
        """The operations of the effect."""
        new = {each.id: each for each in told}
        for id in await self._achievements.known(list(new)):
            del new[id]
        return [self._achievements.add(each) for each in new.values()]
