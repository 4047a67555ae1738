"""The minutes of a closed session as a document."""

from dataclasses import dataclass, replace

from sangkien.review.application.ports import Names, Records, Typesetter
from sangkien.review.domain.errors import MinutesNotFixed, SessionNotFound


@dataclass(frozen=True, slots=True)
class RenderMinutes:
    """Names come from directory when the document is made: minutes as stored hold ids only."""

    records: Records
    names: Names
    typesetter: Typesetter

    async def __call__(self, session_id: str, caller: str) -> bytes:
        """The PDF, without the dossiers the caller may not judge. Raises SessionNotFound, MinutesNotFixed."""
        session = await self.records.session(session_id)
        if session is None:
            raise SessionNotFound(field="session_id")
        minutes = await self.records.minutes(session_id)
        if minutes is None:
            raise MinutesNotFixed(field="session_id", state=session.state.value)
        hidden = await self.records.barred_in_round(session.round_id, caller)
        shown = replace(minutes, lines=tuple(line for line in minutes.lines if line.dossier_id not in hidden))
        council = await self.records.council(session.council_id)
        the_round = await self.records.round(session.round_id)
        if council is None or the_round is None:
            raise SessionNotFound(field="session_id")
        people = await self.names.people([member.person_id for member in session.members])
        units = sorted({council.owner_id, *(line.unit_id for line in shown.lines)})
        names = {**people, **await self.names.organisations(units)}
        return await self.typesetter.minutes(shown, session, council, the_round.name, names)
