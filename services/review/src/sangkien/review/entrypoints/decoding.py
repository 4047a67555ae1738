"""Requests as commands: text to NFC, days to dates, numbers to roles and choices."""

import re
from collections.abc import Iterable
from datetime import date

from sangkien.api.review.v1 import review_pb2 as pb
from sangkien.review.application.check_dossiers import Accept, Check, Refuse, Supplement
from sangkien.review.application.submit_sheets import Sheet
from sangkien.review.domain.council import Member, MemberRole
from sangkien.review.domain.errors import DateMalformed, MemberRoleMissing
from sangkien.review.domain.tally import Choice
from sangkien.text import nfc, nfc_lines

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ROLES = {
    pb.MEMBER_ROLE_CHAIR: MemberRole.CHAIR,
    pb.MEMBER_ROLE_VICE_CHAIR: MemberRole.VICE_CHAIR,
    pb.MEMBER_ROLE_SECRETARY: MemberRole.SECRETARY,
    pb.MEMBER_ROLE_EXPERT: MemberRole.EXPERT,
    pb.MEMBER_ROLE_UNION: MemberRole.UNION,
}
_CHOICES = {pb.BALLOT_YES: Choice.YES, pb.BALLOT_NO: Choice.NO, pb.BALLOT_ABSTAIN: Choice.ABSTAIN}


def day(text: str, field: str) -> date:
    """A day that has to be given. Raises DateMalformed."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise DateMalformed(field=field)


def maybe_day(text: str, field: str) -> date | None:
    """A day, or None where none is given. Raises DateMalformed."""
    return day(text, field) if text else None


def members(given: Iterable[pb.Member]) -> tuple[Member, ...]:
    """Raises MemberRoleMissing."""
    found = []
    for position, member in enumerate(given, start=1):
        role = _ROLES.get(member.role)
        if role is None or not member.person_id:
            raise MemberRoleMissing(field="members", position=position)
        found.append(Member(member.person_id, role))
    return tuple(found)


def jurisdiction(sheet: str, default: str) -> str:
    """`ha-noi` → `vn/ha-noi`; empty is the node's own."""
    if not sheet:
        return default
    return sheet if sheet == "vn" or sheet.startswith("vn/") else f"vn/{sheet}"


def check(given: pb.Check) -> Check:
    match given.WhichOneof("verdict"):
        case "accept":
            return Check(given.dossier_id, given.expected_version, Accept())
        case "supplement":
            return Check(given.dossier_id, given.expected_version, Supplement(tuple(given.supplement.codes)))
        case "refuse":
            return Check(given.dossier_id, given.expected_version, Refuse(given.refuse.reason))
        case _:
            return Check(given.dossier_id, given.expected_version, None)


def sheet(given: pb.Sheet) -> Sheet:
    scores = tuple((score.criterion, score.points) for score in given.scores)
    return Sheet(given.dossier_id, scores, nfc_lines(given.comment))


def choice(given: int) -> Choice | None:
    return _CHOICES.get(given)  # type: ignore[call-overload, no-any-return]


def line(text: str) -> str:
    """One line of clean text."""
    return nfc(text)
