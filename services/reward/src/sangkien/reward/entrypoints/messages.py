"""Consumer `reward__recognition`: initiatives that were recognised."""

from collections.abc import Sequence

from sangkien.contracts.events import InitiativeRecognised
from sangkien.messaging import Incoming
from sangkien.reward.application.learn_achievements import LearnAchievements
from sangkien.reward.application.ports import Achievement
from sangkien.store import Op


class RecognitionHandler:
    """Every recognised initiative is an achievement of each author and of the unit."""

    def __init__(self, learn: LearnAchievements) -> None:
        self._learn = learn

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Op]:
        return await self._learn([each for incoming in batch for each in _achievements(incoming)])


def _achievements(incoming: Incoming) -> list[Achievement]:
    event = incoming.event
    if not isinstance(event, InitiativeRecognised):
        raise TypeError(f"reward does not listen to {event.TYPE}")
    holders = dict.fromkeys([*(author.person_id for author in event.authors), event.unit_id])
    return [
        Achievement(holder_id, event.initiative_id, event.tier, event.recognised_on, incoming.traceparent)
        for holder_id in holders
    ]
