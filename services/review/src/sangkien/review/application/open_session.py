"""Open a council's session."""

from dataclasses import dataclass
from datetime import date

from sangkien.kernel import KeyReused
from sangkien.review.application.acting import act_date, check_text, fingerprint
from sangkien.review.application.ports import Clock, Records, Rulebook, Units
from sangkien.review.domain.case import Case
from sangkien.review.domain.errors import CaseNotFound, ReviewRoundNotFound, SessionOpenAlready
from sangkien.review.domain.session import AGENDA_LIMIT, Seat, Session


@dataclass(frozen=True, slots=True)
class NewSession:
    """`dossier_ids` empty means every case of the round that is ready."""

    key: str
    round_id: str
    held_on: date | None
    present: tuple[str, ...]
    dossier_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Opens once for a key. Members and the rule are those of the day the session is held on."""

    records: Records
    units: Units
    rules: Rulebook
    clock: Clock

    async def __call__(self, command: NewSession) -> tuple[str, int]:
        """Return the session's id and how many dossiers are on its agenda.

        Raises KeyReused, ReviewRoundNotFound, SessionOpenAlready, ActInFuture and what `Session.open` raises.
        """
        check_text(idempotency_key=command.key)
        on = act_date(command.held_on, self.clock, "held_on")

        async def attempt() -> tuple[str, int]:
            known = await self.records.session_by_key(command.key)
            if known is not None:
                if known.fingerprint != fingerprint(command):
                    raise KeyReused(field="idempotency_key")
                return known.id, len(known.agenda)
            if await self.records.unclosed_session(command.round_id) is not None:
                raise SessionOpenAlready(field="round_id")
            session = await self._open(command, on)
            seats = [Seat(session.id, member) for member in session.present]
            await self.units.commit("review.session", session, *seats)
            return session.id, len(session.agenda)

        return await self.units.attempting(attempt)

    async def _open(self, command: NewSession, on: date) -> Session:
        the_round = await self.records.round(command.round_id)
        council = await self.records.council(the_round.council_id) if the_round else None
        if the_round is None or council is None:
            raise ReviewRoundNotFound(field="round_id")
        return Session.open(
            id=self.clock.new_id(),
            round_id=the_round.id,
            council_id=council.id,
            held_on=on,
            members=council.members_on(on),
            present=command.present,
            cases=await self._agenda(command),
            rules=self.rules.voting(on, council.jurisdiction),
            opened_at=self.clock.now(),
            key=command.key,
            fingerprint=fingerprint(command),
        )

    async def _agenda(self, command: NewSession) -> list[Case]:
        if not command.dossier_ids:
            return await self.records.ready_cases(command.round_id, AGENDA_LIMIT + 1)
        cases = await self.records.cases(command.dossier_ids)
        if any(id not in cases for id in command.dossier_ids):
            raise CaseNotFound(field="dossier_ids")
        return [cases[id] for id in command.dossier_ids]
