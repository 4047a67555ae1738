"""The minutes of a council session (biên bản), with the vote on each dossier."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sangkien.documents.errors import DocumentError
from sangkien.documents.parts import (
    Letterhead,
    Signature,
    breakable,
    local_time,
    paragraphs,
    require,
    written_date,
    written_time,
)
from sangkien.documents.typesetting import typeset
from sangkien.text import nfc


@dataclass(frozen=True, slots=True)
class Attendee:
    """A council member or guest; `reason` is why an absent member was absent. Raises `DocumentError` for no name."""

    name: str
    role: str
    reason: str = ""

    def __post_init__(self) -> None:
        require("minutes", name=self.name)

    def line(self) -> str:
        return ", ".join(nfc(text) for text in (self.name, self.role, self.reason) if nfc(text))


@dataclass(frozen=True, slots=True)
class Vote:
    """The vote on one dossier. `excluded` counts members present who did not take part (a conflict of interest)."""

    code: str
    title: str
    agree: int
    disagree: int
    abstain: int
    passed: bool
    excluded: int = 0
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Minutes:
    """What the minutes of one session record.

    `subject` is what the session was for. Times are aware. `chair` and `secretary` are among `present`, which with
    `absent` makes up the whole council. `rule` states quorum and threshold as the rule set of the day has them.
    `remarks` may be of many paragraphs. Raises `DocumentError`, also when a vote counts other than those present.
    """

    letterhead: Letterhead
    number: str
    council: str
    subject: str
    venue: str
    opened_at: datetime
    closed_at: datetime
    chair: Attendee
    secretary: Attendee
    present: tuple[Attendee, ...]
    absent: tuple[Attendee, ...]
    rule: str
    votes: tuple[Vote, ...]
    guests: tuple[Attendee, ...] = ()
    remarks: str = ""

    def __post_init__(self) -> None:
        require(
            "minutes",
            agency=self.letterhead.agency,
            place=self.letterhead.place,
            number=self.number,
            council=self.council,
            subject=self.subject,
            venue=self.venue,
        )
        opened = local_time("minutes", "opened_at", self.opened_at)
        if local_time("minutes", "closed_at", self.closed_at) < opened:
            raise DocumentError("minutes", "closed_at", "is before opened_at")
        for field, person in (("chair", self.chair), ("secretary", self.secretary)):
            if person not in self.present:
                raise DocumentError("minutes", field, "is not among those present")
        for place, vote in enumerate(self.votes):
            counts = (vote.agree, vote.disagree, vote.abstain, vote.excluded)
            if min(counts) < 0 or sum(counts) != len(self.present):
                problem = f"counts {sum(counts)} votes and exclusions for {len(self.present)} members present"
                raise DocumentError("minutes", f"votes[{place}]", problem)


def render_minutes(minutes: Minutes) -> bytes:
    """The minutes as PDF/A-2b; same data, same bytes. Blocking: call it in a thread."""
    return typeset("minutes", _payload(minutes), local_time("minutes", "closed_at", minutes.closed_at).date())


def _payload(minutes: Minutes) -> dict[str, Any]:
    on = local_time("minutes", "closed_at", minutes.closed_at).date()
    passed = sum(vote.passed for vote in minutes.votes)
    closed = written_time("minutes", "closed_at", minutes.closed_at)
    return {
        "title": f"Biên bản {minutes.number}: {nfc(minutes.subject)}",
        "author": nfc(minutes.council),
        "on": on.isoformat(),
        "letterhead": minutes.letterhead.payload(),
        "written_date": written_date(on),
        "number": minutes.number,
        "subject": minutes.subject,
        "opening": [
            ("Thời gian bắt đầu", written_time("minutes", "opened_at", minutes.opened_at)),
            ("Địa điểm", minutes.venue),
            ("Hội đồng", minutes.council),
            ("Chủ trì", minutes.chair.line()),
            ("Thư ký", minutes.secretary.line()),
        ],
        "members": len(minutes.present) + len(minutes.absent),
        "present": [person.line() for person in minutes.present],
        "absent": [person.line() for person in minutes.absent],
        "guests": [person.line() for person in minutes.guests],
        "quorum": paragraphs(minutes.rule),
        "remarks": paragraphs(minutes.remarks),
        "breakable": breakable(vote.title + vote.note for vote in minutes.votes),
        "votes": [
            {
                "code": vote.code,
                "title": vote.title,
                "unit": vote.unit,
                "note": vote.note,
                "agree": vote.agree,
                "disagree": vote.disagree,
                "abstain": vote.abstain,
                "excluded": vote.excluded,
                "outcome": "Đạt" if vote.passed else "Không đạt",
            }
            for vote in minutes.votes
        ],
        "closing": [
            f"Tổng số hồ sơ: {len(minutes.votes)}; đạt: {passed}; không đạt: {len(minutes.votes) - passed}.",
            f"Cuộc họp kết thúc vào {closed}. Biên bản đã được đọc lại và các thành viên dự họp nhất trí thông qua./.",
        ],
        "secretary": Signature("Thư ký", minutes.secretary.name).payload(),
        "chair": Signature("Chủ tọa", minutes.chair.name).payload(),
    }
