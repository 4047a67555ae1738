"""Count a session's ballots, decide every dossier, fix the minutes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sangkien.review.application.ports import Clock, Records, Units
from sangkien.review.domain.case import CaseState
from sangkien.review.domain.errors import SessionNotFound
from sangkien.review.domain.minutes import Minutes, MinutesLine, MinutesRegister
from sangkien.review.domain.session import Session, SessionState
from sangkien.review.domain.tally import count

CHUNK = 200
"""Dossiers decided in one unit. Where counting is cut off, those decided stay so, and it goes on with the others."""


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Safe to repeat at any moment, also by two at once: what was counted is found counted."""

    records: Records
    units: Units
    clock: Clock

    async def __call__(self, session_id: str) -> tuple[int, int]:
        """Return how many dossiers passed and failed. Raises SessionNotFound."""
        session = await self.units.attempting(lambda: self._stop_voting(session_id))
        if session.state is SessionState.COUNTING:
            for start in range(0, len(session.agenda), CHUNK):
                chunk = session.agenda[start : start + CHUNK]
                await self.units.attempting(lambda chunk=chunk: self._decide(session, chunk))  # type: ignore[misc]
            session = await self.units.attempting(lambda: self._fix(session_id))
        return session.passed, session.failed

    async def resume(self) -> None:
        """Finish every session whose counting was cut off."""
        for session_id in await self.records.sessions_being_counted():
            await self(session_id)

    async def _load(self, session_id: str) -> Session:
        session = await self.records.session(session_id)
        if session is None:
            raise SessionNotFound(field="session_id")
        return session

    async def _stop_voting(self, session_id: str) -> Session:
        session = await self._load(session_id)
        if session.start_counting():
            seats = await self.records.seats([f"{session_id}:{member}" for member in session.present])
            for seat in seats.values():
                seat.sealed = True
            await self.units.commit("review.session", session, *seats.values())
        return session

    async def _decide(self, session: Session, dossier_ids: Sequence[str]) -> None:
        cases = await self.records.cases(dossier_ids)
        waiting = [case for case in cases.values() if case.state is CaseState.READY]
        if not waiting:
            return
        ballots = await self.records.ballots_on(session.id, [case.id for case in waiting], len(session.present))
        for case in waiting:
            case.decide(session.motion, count(session.present, case.conflicted, ballots.get(case.id, ())))
        await self.units.commit("review.vote", *waiting)

    async def _fix(self, session_id: str) -> Session:
        session = await self._load(session_id)
        if session.state is not SessionState.COUNTING:
            return session
        lines: list[MinutesLine] = []
        for start in range(0, len(session.agenda), CHUNK):
            chunk = session.agenda[start : start + CHUNK]
            cases = await self.records.cases(chunk)
            lines += [MinutesLine.of(cases[id], session_id) for id in chunk]
        year = session.held_on.year
        register = await self.records.register(session.council_id, year) or MinutesRegister(session.council_id, year)
        minutes = Minutes(session_id, session.council_id, year, register.take(), tuple(lines))
        session.close(lines, self.clock.now())
        await self.units.commit("review.session", session, register, minutes)
        return session
