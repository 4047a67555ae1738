"""Votes that review reports become candidates for a decision."""

from collections.abc import Sequence
from dataclasses import dataclass

from sangkien.recognition.application.ports import Candidates
from sangkien.recognition.domain.candidate import Candidate, Vote
from sangkien.store import Op


@dataclass(frozen=True, slots=True)
class Voted:
    """A vote as it was delivered; `applied` is the version of review's dossier."""

    vote: Vote
    applied: int
    traceparent: str


class FollowReview:
    """Keeps one candidate a dossier, at the latest vote known."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates

    async def __call__(self, votes: Sequence[Voted]) -> Sequence[Op]:
        """The operations that store what is new. Raises VoteAfterDraft for a later vote on a dossier in a decision."""
        latest: dict[str, Voted] = {}
        for voted in votes:
            held = latest.get(voted.vote.dossier_id)
            if held is None or voted.applied > held.applied:
                latest[voted.vote.dossier_id] = voted
        known = await self._candidates.get_many(list(latest))
        ops: list[Op] = []
        for dossier_id, voted in latest.items():
            candidate = known.get(dossier_id)
            if candidate is None:
                ops.append(self._candidates.stored(Candidate(voted.vote, voted.applied, voted.traceparent)))
            elif candidate.follow(voted.vote, voted.applied, voted.traceparent):
                ops.append(self._candidates.stored(candidate))
        return ops
