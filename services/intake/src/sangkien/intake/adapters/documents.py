"""Dossiers as stored documents, both ways. Dates are ISO texts, "" where there is none.

`dossiers` holds what decides and what is searched by; the content lies in `dossier_versions`, one document a version,
`<dossier id>:<revision>`, written once. `filing_keys` holds what an idempotency key stands for. `authorships`
(`<person id>/<dossier id>`) is what an author's own list is read from, and `evidence` (`<sha256>/<dossier id>`) says
which files some version names, so that no other file is kept for ever.
"""

from datetime import date
from typing import Any, Final

from sangkien.intake.domain.dossier import Dossier, State
from sangkien.intake.domain.draft import Author, Draft
from sangkien.intake.domain.evidence import EvidenceFile
from sangkien.intake.domain.rounds import Round
from sangkien.store import Document, Index, Schema

DOSSIERS: Final = "dossiers"
VERSIONS: Final = "dossier_versions"
KEYS: Final = "filing_keys"
AUTHORSHIPS: Final = "authorships"
ROUNDS: Final = "rounds"
EVIDENCE: Final = "evidence"

SCHEMA: Final = Schema(
    (DOSSIERS, VERSIONS, KEYS, AUTHORSHIPS, ROUNDS, EVIDENCE),
    (
        Index(DOSSIERS, ("code",), unique=True),
        Index(DOSSIERS, ("round_id", "state")),
        Index(DOSSIERS, ("unit_id",)),
        Index(DOSSIERS, ("filed_by",)),
        Index(ROUNDS, ("state",)),
    ),
)


_OF_ANOTHER_NODE: Final = ("competent_node", "remote_code", "outcome", "decision_symbol")
"""Fields that dossiers lack which were stored before nodes knew of each other."""


def day_text(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


def read_day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def version_id(dossier_id: str, revision: int) -> str:
    return f"{dossier_id}:{revision}"


def dossier_document(dossier: Dossier) -> Document:
    return {
        "_id": dossier.dossier_id,
        "code": dossier.code,
        "state": dossier.state.value,
        "revision": dossier.revision,
        "round_id": dossier.round_id,
        "tier": dossier.tier,
        "initiative_id": dossier.initiative_id,
        "unit_id": dossier.unit_id,
        "author_ids": list(dossier.author_ids),
        "filed_by": dossier.filed_by or None,
        "filed_on": dossier.filed_on.isoformat(),
        "answer_due": dossier.answer_due.isoformat(),
        "fingerprint": dossier.fingerprint,
        "traceparent": dossier.traceparent,
        "review_version": dossier.review_version,
        "shortcomings": list(dossier.shortcomings),
        "supplement_due": day_text(dossier.supplement_due),
        "refusal_reason": dossier.refusal_reason,
        "voted": dossier.voted,
        "competent_node": dossier.competent_node,
        "remote_code": dossier.remote_code,
        "outcome": dossier.outcome,
        "decision_symbol": dossier.decision_symbol,
    }


def read_dossier(doc: Document) -> Dossier:
    dossier = Dossier(
        dossier_id=doc["_id"],
        code=doc["code"],
        round_id=doc["round_id"],
        tier=doc["tier"],
        initiative_id=doc["initiative_id"],
        unit_id=doc["unit_id"],
        author_ids=tuple(doc["author_ids"]),
        filed_by=doc["filed_by"] or "",
        filed_on=date.fromisoformat(doc["filed_on"]),
        answer_due=date.fromisoformat(doc["answer_due"]),
        fingerprint=doc["fingerprint"],
        traceparent=doc["traceparent"],
        state=State(doc["state"]),
        revision=doc["revision"],
        review_version=doc["review_version"],
        shortcomings=tuple(doc["shortcomings"]),
        supplement_due=read_day(doc["supplement_due"]),
        refusal_reason=doc["refusal_reason"],
        voted=doc["voted"],
        **{name: doc.get(name, "") for name in _OF_ANOTHER_NODE},
    )
    dossier.version = doc["ver"]
    return dossier


def draft_document(dossier: Dossier, revision: int, draft: Draft, *, filed_by: str, at: str) -> Document:
    """One version of the dossier: where it goes is the dossier's to say, the rest is in the draft."""
    return {
        "_id": version_id(dossier.dossier_id, revision),
        "filed_by": filed_by,
        "at": at,
        "round_id": dossier.round_id,
        "tier": dossier.tier,
        "initiative_id": dossier.initiative_id,
        "title": draft.title,
        "field": draft.field,
        "unit_id": draft.unit_id,
        "unit_name": draft.unit_name,
        "authors": [_author_document(author) for author in draft.authors],
        "first_applied_on": day_text(draft.first_applied_on),
        "filed_on": draft.filed_on.isoformat(),
        "summary": draft.summary,
        "benefit": draft.benefit,
        "benefit_vnd": draft.benefit_vnd,
        "confidential": draft.confidential,
        "head_author": draft.head_author,
        "state_funded": draft.state_funded,
        **({"files": [[file.sha256, file.size, file.name] for file in draft.files]} if draft.files else {}),
    }


def _author_document(author: Author) -> dict[str, Any]:
    return {
        "person_id": author.person_id,
        "full_name": author.full_name,
        "share": author.share,
        "birth_date": day_text(author.birth_date),
        "unit_name": author.unit_name,
        "job_title": author.job_title,
        "email": author.email,
        "staff_code": author.staff_code,
    }


def read_draft(doc: Document) -> Draft:
    return Draft(
        round_id=doc["round_id"],
        tier=doc["tier"],
        initiative_id=doc["initiative_id"],
        title=doc["title"],
        field=doc["field"],
        unit_id=doc["unit_id"],
        unit_name=doc["unit_name"],
        authors=tuple(Author(**{**author, "birth_date": read_day(author["birth_date"])}) for author in doc["authors"]),
        first_applied_on=read_day(doc["first_applied_on"]),
        filed_on=date.fromisoformat(doc["filed_on"]),
        summary=doc["summary"],
        benefit=doc["benefit"],
        benefit_vnd=doc["benefit_vnd"],
        confidential=doc["confidential"],
        head_author=doc["head_author"],
        state_funded=doc["state_funded"],
        files=tuple([EvidenceFile(*file) for file in doc.get("files", ())]),
    )


def round_document(one: Round, *, applied: int) -> Document:
    """`applied` is the version of review's round that this stands at."""
    return {
        "_id": one.round_id,
        "name": one.name,
        "tier": one.tier,
        "owner_id": one.owner_id,
        "opens_on": one.opens_on.isoformat(),
        "closes_on": one.closes_on.isoformat(),
        "closed_on": day_text(one.closed_on),
        "state": "open" if one.closed_on is None else "closed",
        "applied": applied,
        "node": one.node,
    }


def read_round(doc: Document) -> Round:
    return Round(
        round_id=doc["_id"],
        name=doc["name"],
        tier=doc["tier"],
        owner_id=doc["owner_id"],
        opens_on=date.fromisoformat(doc["opens_on"]),
        closes_on=date.fromisoformat(doc["closes_on"]),
        closed_on=read_day(doc["closed_on"]),
        node=doc.get("node", ""),
    )
