"""Councils, rounds, sessions, ballots and minutes as documents."""

from datetime import date, datetime

from sangkien.review.adapters.case_document import read, tally_document, tally_from_document, written
from sangkien.review.domain.council import Council, Formation, Member, MemberRole
from sangkien.review.domain.minutes import Minutes, MinutesLine, MinutesRegister
from sangkien.review.domain.round import Round, RoundState
from sangkien.review.domain.session import Seat, Session, SessionState
from sangkien.review.domain.tally import Ballot, Choice
from sangkien.store import Document


def council_document(council: Council) -> Document:
    return {
        "_id": council.id,
        "name": council.name,
        "tier": council.tier,
        "owner_id": council.owner_id,
        "jurisdiction": council.jurisdiction,
        "formations": [
            {
                "established_by": formation.established_by,
                "established_on": formation.established_on.isoformat(),
                "members": [[member.person_id, member.role.value] for member in formation.members],
            }
            for formation in council.formations
        ],
        "key": council.key,
        "fingerprint": council.fingerprint,
    }


def council_from_document(doc: Document) -> Council:
    council = Council(
        id=doc["_id"],
        name=doc["name"],
        tier=doc["tier"],
        owner_id=doc["owner_id"],
        jurisdiction=doc["jurisdiction"],
        formations=tuple(
            Formation(
                one["established_by"],
                date.fromisoformat(one["established_on"]),
                tuple(Member(person_id, MemberRole(role)) for person_id, role in one["members"]),
            )
            for one in doc["formations"]
        ),
        key=doc["key"],
        fingerprint=doc["fingerprint"],
    )
    council.version = doc["ver"]
    return council


def round_document(one: Round) -> Document:
    return {
        "_id": one.id,
        "council_id": one.council_id,
        "name": one.name,
        "group": one.group,
        "tier": one.tier,
        "owner_id": one.owner_id,
        "jurisdiction": one.jurisdiction,
        "opens_on": one.opens_on.isoformat(),
        "closes_on": one.closes_on.isoformat(),
        "evidence_due": written(one.evidence_due),
        "key": one.key,
        "fingerprint": one.fingerprint,
        "state": one.state.value,
        "closed_on": written(one.closed_on),
    }


def round_from_document(doc: Document) -> Round:
    one = Round(
        id=doc["_id"],
        council_id=doc["council_id"],
        name=doc["name"],
        group=doc["group"],
        tier=doc["tier"],
        owner_id=doc["owner_id"],
        jurisdiction=doc["jurisdiction"],
        opens_on=date.fromisoformat(doc["opens_on"]),
        closes_on=date.fromisoformat(doc["closes_on"]),
        evidence_due=read(doc["evidence_due"]),
        key=doc["key"],
        fingerprint=doc["fingerprint"],
        state=RoundState(doc["state"]),
        closed_on=read(doc["closed_on"]),
    )
    one.version = doc["ver"]
    return one


def session_document(session: Session) -> Document:
    """A session as it is stored; `open_round` is there as long as no other session of the round may open."""
    return {
        "_id": session.id,
        "round_id": session.round_id,
        "open_round": None if session.state is SessionState.CLOSED else session.round_id,
        "council_id": session.council_id,
        "held_on": session.held_on.isoformat(),
        "members": [[member.person_id, member.role.value] for member in session.members],
        "present": list(session.present),
        "agenda": list(session.agenda),
        "quorum": session.quorum,
        "votes_needed": session.votes_needed,
        "rule_set": session.rule_set,
        "opened_at": session.opened_at.isoformat(),
        "key": session.key,
        "fingerprint": session.fingerprint,
        "state": session.state.value,
        "passed": session.passed,
        "failed": session.failed,
        "closed_at": None if session.closed_at is None else session.closed_at.isoformat(),
    }


def session_from_document(doc: Document) -> Session:
    session = Session(
        id=doc["_id"],
        round_id=doc["round_id"],
        council_id=doc["council_id"],
        held_on=date.fromisoformat(doc["held_on"]),
        members=tuple(Member(person_id, MemberRole(role)) for person_id, role in doc["members"]),
        present=tuple(doc["present"]),
        agenda=tuple(doc["agenda"]),
        quorum=doc["quorum"],
        votes_needed=doc["votes_needed"],
        rule_set=doc["rule_set"],
        opened_at=datetime.fromisoformat(doc["opened_at"]),
        key=doc["key"],
        fingerprint=doc["fingerprint"],
        state=SessionState(doc["state"]),
        passed=doc["passed"],
        failed=doc["failed"],
        closed_at=None if doc["closed_at"] is None else datetime.fromisoformat(doc["closed_at"]),
    )
    session.version = doc["ver"]
    return session


def seat_document(seat: Seat) -> Document:
    return {"_id": seat.id, "session_id": seat.session_id, "member_id": seat.member_id, "sealed": seat.sealed}


def seat_from_document(doc: Document) -> Seat:
    seat = Seat(doc["session_id"], doc["member_id"], doc["sealed"])
    seat.version = doc["ver"]
    return seat


def ballot_document(ballot: Ballot) -> Document:
    return {
        "_id": ballot.id,
        "session_id": ballot.session_id,
        "dossier_id": ballot.dossier_id,
        "member_id": ballot.member_id,
        "choice": ballot.choice.value,
    }


def ballot_from_document(doc: Document) -> Ballot:
    return Ballot(doc["session_id"], doc["dossier_id"], doc["member_id"], Choice(doc["choice"]))


def minutes_document(minutes: Minutes) -> Document:
    return {
        "_id": minutes.session_id,
        "council_id": minutes.council_id,
        "year": minutes.year,
        "number": minutes.number,
        "lines": [
            {
                "dossier_id": line.dossier_id,
                "code": line.code,
                "title": line.title,
                "unit_id": line.unit_id,
                "outcome": line.outcome,
                "tally": None if line.tally is None else tally_document(line.tally),
                "mean_tenths": line.mean_tenths,
                "qualifies": line.qualifies,
            }
            for line in minutes.lines
        ],
    }


def minutes_from_document(doc: Document) -> Minutes:
    lines = tuple(
        MinutesLine(
            dossier_id=line["dossier_id"],
            code=line["code"],
            title=line["title"],
            unit_id=line["unit_id"],
            outcome=line["outcome"],
            tally=None if line["tally"] is None else tally_from_document(line["tally"]),
            mean_tenths=line["mean_tenths"],
            qualifies=line["qualifies"],
        )
        for line in doc["lines"]
    )
    return Minutes(doc["_id"], doc["council_id"], doc["year"], doc["number"], lines)


def register_document(register: MinutesRegister) -> Document:
    return {"_id": register.id, "council_id": register.council_id, "year": register.year, "last": register.last}


def register_from_document(doc: Document) -> MinutesRegister:
    register = MinutesRegister(doc["council_id"], doc["year"], doc["last"])
    register.version = doc["ver"]
    return register
