"""Cases and score sheets as documents."""

from datetime import date
from typing import Any

from sangkien.review.domain.case import Author, Case, CaseState, Facts, Voted
from sangkien.review.domain.sheet import Score, ScoreSheet
from sangkien.review.domain.tally import Tally
from sangkien.store import Document


def case_document(case: Case) -> Document:
    """A case as it is stored; `outcome` repeats the vote's for the index that counts by it."""
    facts, score, vote = case.facts, case.score, case.vote
    return {
        "_id": case.id,
        "round_id": case.round_id,
        "tier": case.tier,
        "state": case.state.value,
        "outcome": None if vote is None else "passed" if vote.passed else "failed",
        "facts": {
            "version": facts.version,
            "code": facts.code,
            "title": facts.title,
            "field": facts.field,
            "unit_id": facts.unit_id,
            "authors": [[author.person_id, author.share] for author in facts.authors],
            "filed_on": facts.filed_on.isoformat(),
            "initiative_id": facts.initiative_id,
            "head_author": facts.head_author,
            "state_funded": facts.state_funded,
        },
        "applied": case.applied,
        "traceparent": case.traceparent,
        "shortcomings": list(case.shortcomings),
        "supplement_due": written(case.supplement_due),
        "refusal": case.refusal,
        "accepted_on": written(case.accepted_on),
        "decide_by": written(case.decide_by),
        "reviewers": list(case.reviewers),
        "sheets": [{"reviewer_id": one, "scores": dict(given)} for one, given in case.handed_in.items()],
        "declared": list(case.declared),
        "score": None
        if score is None
        else {"mean_tenths": score.mean_tenths, "qualifies": score.qualifies, "rule_set": score.rule_set},
        "vote": None
        if vote is None
        else {"session_id": vote.session_id, "passed": vote.passed, "tally": tally_document(vote.tally)},
    }


def case_from_document(doc: Document) -> Case:
    """The case as it was stored, its version set."""
    facts, score, vote = doc["facts"], doc["score"], doc["vote"]
    case = Case(
        id=doc["_id"],
        round_id=doc["round_id"],
        tier=doc["tier"],
        facts=Facts(
            version=facts["version"],
            code=facts["code"],
            title=facts["title"],
            field=facts["field"],
            unit_id=facts["unit_id"],
            authors=tuple(Author(person_id, share) for person_id, share in facts["authors"]),
            filed_on=date.fromisoformat(facts["filed_on"]),
            initiative_id=facts["initiative_id"],
            head_author=facts["head_author"],
            state_funded=facts["state_funded"],
        ),
        applied=doc["applied"],
        traceparent=doc["traceparent"],
        state=CaseState(doc["state"]),
        shortcomings=tuple(doc["shortcomings"]),
        supplement_due=read(doc["supplement_due"]),
        refusal=doc["refusal"],
        accepted_on=read(doc["accepted_on"]),
        decide_by=read(doc["decide_by"]),
        reviewers=tuple(doc["reviewers"]),
        sheets={one["reviewer_id"]: one["scores"] for one in doc["sheets"]},
        declared=tuple(doc["declared"]),
        score=None if score is None else Score(score["mean_tenths"], score["qualifies"], score["rule_set"]),
        vote=None if vote is None else Voted(vote["session_id"], tally_from_document(vote["tally"]), vote["passed"]),
    )
    case.version = doc["ver"]
    return case


def sheet_document(sheet: ScoreSheet) -> Document:
    return {
        "_id": sheet.id,
        "dossier_id": sheet.dossier_id,
        "reviewer_id": sheet.reviewer_id,
        "scores": dict(sheet.scores),
        "comment": sheet.comment,
        "rule_set": sheet.rule_set,
    }


def sheet_from_document(doc: Document) -> ScoreSheet:
    return ScoreSheet(doc["dossier_id"], doc["reviewer_id"], doc["scores"], doc["comment"], doc["rule_set"])


def tally_document(tally: Tally) -> list[int]:
    return [tally.yes, tally.no, tally.abstained, tally.missing, tally.excluded]


def tally_from_document(doc: Any) -> Tally:
    return Tally(*doc)


def written(day: date | None) -> str | None:
    """A day as it is stored."""
    return None if day is None else day.isoformat()


def read(day: str | None) -> date | None:
    """A day as it was stored."""
    return None if day is None else date.fromisoformat(day)
