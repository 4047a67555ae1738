"""Cast a member's own ballots in an open session."""

from collections.abc import Sequence
from dataclasses import dataclass

from sangkien.review.application.acting import Turns, check_batch
from sangkien.review.application.ports import DONE, Outcome, Records, Units
from sangkien.review.domain.errors import BallotCast, BallotMissing, NotOnAgenda, SessionNotFound, SessionNotOpen
from sangkien.review.domain.session import Session
from sangkien.review.domain.tally import Ballot, Choice


@dataclass(frozen=True, slots=True)
class Vote:
    """One dossier and what the member says; None where that is missing."""

    dossier_id: str
    choice: Choice | None


@dataclass(frozen=True, slots=True)
class CastBallots:
    """Ballots are only ever added, under the member's own seat: members voting at once never collide."""

    records: Records
    units: Units

    async def __call__(self, session_id: str, votes: Sequence[Vote], caller: str) -> list[Outcome]:
        """One outcome a vote, in order. Raises TooManyItems, SessionNotFound, SessionNotOpen, NotPresent."""
        check_batch(votes, "votes")

        async def attempt() -> list[Outcome]:
            session = await self.records.session(session_id)
            if session is None:
                raise SessionNotFound(field="session_id")
            session.admit(caller)
            seat = (await self.records.seats([f"{session_id}:{caller}"]))[f"{session_id}:{caller}"]
            if seat.sealed:
                raise SessionNotOpen(field="session_id", state="counting")
            outcomes, cast = await self._decide(session, votes, caller)
            if cast:
                await self.units.commit("review.ballots", seat, *cast)
            return outcomes

        return await self.units.attempting(attempt)

    async def _decide(self, session: Session, votes: Sequence[Vote], caller: str) -> tuple[list[Outcome], list[Ballot]]:
        known = await self.records.ballots([f"{session.id}:{vote.dossier_id}:{caller}" for vote in votes])
        votable = set(session.agenda) - await self.records.barred([vote.dossier_id for vote in votes], caller)
        turns, outcomes, cast = Turns(), list[Outcome](), list[Ballot]()
        for vote in votes:
            outcome: Outcome = turns.twice(vote.dossier_id, vote)
            if outcome is not None:
                pass
            elif vote.choice is None:
                outcome = BallotMissing(field="ballot")
            elif vote.dossier_id not in votable:
                outcome = NotOnAgenda(field="dossier_id")
            else:
                ballot = Ballot(session.id, vote.dossier_id, caller, vote.choice)
                if (before := known.get(ballot.id)) is None:
                    cast.append(ballot)
                else:
                    outcome = DONE if before == ballot else BallotCast(field="ballot")
            outcomes.append(outcome)
        return outcomes, cast
