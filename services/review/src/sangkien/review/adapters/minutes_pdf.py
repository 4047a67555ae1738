"""The minutes of a session as PDF."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from sangkien import documents
from sangkien.documents.parts import VIETNAM
from sangkien.review.domain.council import Council, Member, MemberRole
from sangkien.review.domain.minutes import Minutes, MinutesLine
from sangkien.review.domain.session import Session
from sangkien.text.catalogue import label, message


class MinutesTypesetter:
    """The `Typesetter` port. `place` is where documents are dated, such as Hà Nội."""

    def __init__(self, place: str) -> None:
        self._place = place

    async def minutes(
        self, minutes: Minutes, session: Session, council: Council, round_name: str, names: Mapping[str, str]
    ) -> bytes:
        people = {member.person_id: _attendee(member, names) for member in session.members}
        present = [member for member in session.members if member.person_id in session.present]
        opened_at, closed_at = _times(session)
        owner = names.get(council.owner_id, council.owner_id)
        return await asyncio.to_thread(
            documents.render_minutes,
            documents.Minutes(
                letterhead=documents.Letterhead(agency=council.name, superior=owner, place=self._place),
                number=f"{minutes.number:02}/BB-HĐSK",
                council=council.name,
                subject=message("minutes_subject", {"round": round_name}),
                venue=message("minutes_venue", {"owner": owner}),
                opened_at=opened_at,
                closed_at=closed_at,
                chair=people[_holder(present, MemberRole.CHAIR, MemberRole.VICE_CHAIR).person_id],
                secretary=people[_holder(present[::-1], MemberRole.SECRETARY).person_id],
                present=tuple(people[member.person_id] for member in present),
                absent=tuple(people[one.person_id] for one in session.members if one not in present),
                rule=_rule(session),
                votes=tuple(_vote(line, names) for line in minutes.lines if line.tally is not None),
                remarks=_remarks(minutes, session),
            ),
        )


def _attendee(member: Member, names: Mapping[str, str]) -> documents.Attendee:
    return documents.Attendee(names.get(member.person_id, member.person_id), label(f"council_role.{member.role.value}"))


def _holder(present: list[Member], *roles: MemberRole) -> Member:
    """Who of those present acts in the first of the roles that is filled; without any, the first of them."""
    for role in roles:
        for member in present:
            if member.role is role:
                return member
    return present[0]


def _times(session: Session) -> tuple[datetime, datetime]:
    """When it opened and closed, on the legal day of the session: records made later keep their time of day."""
    recorded = session.opened_at.astimezone(VIETNAM)
    opened = datetime.combine(session.held_on, recorded.timetz())
    return opened, opened + ((session.closed_at or session.opened_at) - session.opened_at)


def _rule(session: Session) -> str:
    facts: dict[str, str | int] = {
        "members": len(session.members),
        "present": len(session.present),
        "quorum": session.quorum,
        "needed": session.votes_needed,
        "rule_set": session.rule_set,
    }
    return message("minutes_rule", facts)


def _vote(line: MinutesLine, names: Mapping[str, str]) -> documents.Vote:
    tally = line.tally
    if tally is None:
        raise ValueError("only a dossier that was voted on has a vote")
    notes = []
    if line.mean_tenths is not None:
        notes.append(message("minutes_mean", {"mean": f"{line.mean_tenths // 10},{line.mean_tenths % 10}"}))
        if not line.qualifies:
            notes.append(message("minutes_unqualified"))
    if tally.missing:
        notes.append(message("minutes_missing", {"missing": tally.missing}))
    return documents.Vote(
        code=line.code,
        title=line.title,
        agree=tally.yes,
        disagree=tally.no,
        abstain=tally.abstained + tally.missing,
        excluded=tally.excluded,
        passed=line.outcome == "passed",
        unit=names.get(line.unit_id, ""),
        note=" ".join(notes),
    )


def _remarks(minutes: Minutes, session: Session) -> str:
    remarks = [message("minutes_withdrawn", {"code": line.code}) for line in minutes.lines if line.tally is None]
    if len(minutes.lines) < len(session.agenda):
        remarks.append(message("minutes_extract"))
    return "\n".join(remarks)
