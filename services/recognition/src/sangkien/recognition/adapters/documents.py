"""Recognition's collections, and its aggregates as documents."""

from datetime import date
from typing import Any, Final

from sangkien.kernel.numbering import Numbered, register_id
from sangkien.recognition.domain.candidate import Author, Candidate, PrintedNames, Vote
from sangkien.recognition.domain.decision import Decision, Issue, State
from sangkien.recognition.domain.register import Certificate, Entry, Sealed
from sangkien.recognition.domain.signature import Authority, Issuer, Signature
from sangkien.store import Document, Index, Schema

CANDIDATES: Final = "candidates"
CLAIMS: Final = "claims"
DECISIONS: Final = "decisions"
DRAFT_KEYS: Final = "draft_keys"
REGISTERS: Final = "registers"
WORKS: Final = "works"
INITIATIVES: Final = "initiatives"
CERTIFICATES: Final = "certificates"

SCHEMA = Schema(
    (CANDIDATES, CLAIMS, DECISIONS, DRAFT_KEYS, REGISTERS, WORKS, INITIATIVES, CERTIFICATES),
    (
        Index(CANDIDATES, ("round_id", "decision_id")),
        Index(CANDIDATES, ("decision_id",)),
        Index(DECISIONS, ("collecting",), unique=True),
        Index(DECISIONS, ("register", "number"), unique=True),
        Index(INITIATIVES, ("recognised_on",)),
        Index(INITIATIVES, ("unit_id", "recognised_on")),
        Index(INITIATIVES, ("round_id", "recognised_on")),
        Index(INITIATIVES, ("tier", "year", "recognised_on")),
        Index(CERTIFICATES, ("check_code",), unique=True),
        Index(CERTIFICATES, ("decision_id", "ordinal")),
        Index(CERTIFICATES, ("initiative_id", "ordinal")),
        Index(CERTIFICATES, ("person_id", "ordinal")),
    ),
)


def candidate_document(candidate: Candidate) -> Document:
    vote, names = candidate.vote, candidate.names
    return {
        "_id": vote.dossier_id,
        "round_id": vote.round_id,
        "tier": vote.tier,
        "passed": vote.passed,
        "held_on": vote.held_on.isoformat(),
        "rule_set": vote.rule_set,
        "title": vote.title,
        "field": vote.field,
        "unit_id": vote.unit_id,
        "authors": [[author.person_id, author.share] for author in vote.authors],
        "initiative_id": vote.initiative_id,
        "applied": candidate.applied,
        "traceparent": candidate.traceparent,
        "decision_id": candidate.decision_id or None,
        "reason": candidate.reason,
        "unit_name": names.unit if names else None,
        "author_names": list(names.authors) if names else None,
    }


def read_candidate(doc: Document) -> Candidate:
    vote = Vote(
        doc["_id"],
        doc["round_id"],
        doc["tier"],
        doc["passed"],
        date.fromisoformat(doc["held_on"]),
        doc["rule_set"],
        doc["title"],
        doc["field"],
        doc["unit_id"],
        tuple([Author(person_id, share) for person_id, share in doc["authors"]]),
        doc["initiative_id"],
    )
    names = doc["author_names"]
    candidate = Candidate(
        vote,
        doc["applied"],
        doc["traceparent"],
        doc["decision_id"] or "",
        doc["reason"],
        None if names is None else PrintedNames(doc["unit_name"], tuple(names)),
    )
    candidate.version = doc["ver"]
    return candidate


def decision_document(decision: Decision) -> Document:
    issue = decision.issue
    return {
        "_id": decision.decision_id,
        "issuer_id": decision.issuer_id,
        "suffix": decision.suffix,
        "round_id": decision.round_id,
        "grounds": list(decision.grounds),
        "drafted_by": decision.drafted_by,
        "state": decision.state.value,
        "collecting": None if decision.collected else decision.round_id,
        "tier": decision.tier,
        "recognised": decision.recognised,
        "refused": decision.refused,
        "latest_vote": decision.latest_vote.isoformat() if decision.latest_vote else None,
        "submitted_by": decision.submitted_by,
        "certificates": decision.certificates,
        "entered": decision.entered,
        "pdf_sha256": decision.pdf_sha256,
        "register": register_id(decision.issuer_id, decision.suffix, issue.issued_on.year) if issue else None,
        "number": issue.numbered.number if issue else None,
        "issue": _issue_document(issue) if issue else None,
    }


def _issue_document(issue: Issue) -> Document:
    signature = issue.signature
    return {
        "number": issue.numbered.number,
        "symbol": issue.numbered.symbol,
        "issued_on": issue.issued_on.isoformat(),
        "issuer_name": issue.issuer.name,
        "superior": issue.issuer.superior,
        "signer_id": signature.person_id,
        "signer_name": signature.name,
        "mode": signature.authority.mode,
        "position": signature.authority.position,
        "on_behalf_of": signature.authority.on_behalf_of,
        "grounds": list(issue.grounds),
        "kind": issue.kind,
    }


def read_decision(doc: Document) -> Decision:
    decision = Decision(
        doc["_id"],
        doc["issuer_id"],
        doc["suffix"],
        doc["round_id"],
        tuple(doc["grounds"]),
        doc["drafted_by"],
        State(doc["state"]),
        doc["collecting"] is None,
        doc["tier"],
        doc["recognised"],
        doc["refused"],
        date.fromisoformat(doc["latest_vote"]) if doc["latest_vote"] else None,
        doc["submitted_by"],
        _read_issue(doc["issue"]) if doc["issue"] else None,
        doc["certificates"],
        doc["entered"],
        doc["pdf_sha256"],
    )
    decision.version = doc["ver"]
    return decision


def _read_issue(doc: dict[str, Any]) -> Issue:
    return Issue(
        numbered=Numbered(doc["number"], doc["symbol"]),
        issued_on=date.fromisoformat(doc["issued_on"]),
        issuer=Issuer(doc["issuer_name"], doc["superior"]),
        signature=Signature(
            doc["signer_id"], doc["signer_name"], Authority(doc["mode"], doc["position"], doc["on_behalf_of"])
        ),
        grounds=tuple(doc["grounds"]),
        kind=doc["kind"],
    )


def entry_document(entry: Entry) -> Document:
    return {
        "_id": entry.entry_id,
        "initiative_id": entry.initiative_id,
        "tier": entry.tier,
        "title": entry.title,
        "unit_id": entry.unit_id,
        "unit_name": entry.unit_name,
        "author_names": list(entry.author_names),
        "decision_id": entry.decision_id,
        "decision_symbol": entry.decision_symbol,
        "recognised_on": entry.recognised_on.isoformat(),
        "year": entry.recognised_on.year,
        "dossier_id": entry.dossier_id,
        "round_id": entry.round_id,
    }


def read_entry(doc: Document) -> Entry:
    return Entry(
        doc["initiative_id"],
        doc["tier"],
        doc["title"],
        doc["unit_id"],
        doc["unit_name"],
        tuple(doc["author_names"]),
        doc["decision_id"],
        doc["decision_symbol"],
        date.fromisoformat(doc["recognised_on"]),
        doc["dossier_id"],
        doc["round_id"],
    )


def certificate_document(certificate: Certificate, pdf_sha256: str = "") -> Document:
    return {
        "_id": certificate.certificate_id,
        "number": certificate.number,
        "ordinal": certificate.ordinal,
        "decision_id": certificate.decision_id,
        "initiative_id": certificate.initiative_id,
        "dossier_id": certificate.dossier_id,
        "person_id": certificate.person_id,
        "data": certificate.sealed.text,
        "data_sha256": certificate.sealed.sha256,
        "check_code": certificate.sealed.check_code,
        "issued_on": certificate.issued_on.isoformat(),
        "pdf_sha256": pdf_sha256,
    }


def read_certificate(doc: Document) -> Certificate:
    return Certificate(
        doc["_id"],
        doc["number"],
        doc["ordinal"],
        doc["decision_id"],
        doc["initiative_id"],
        doc["dossier_id"],
        doc["person_id"],
        Sealed(doc["data"], doc["data_sha256"], doc["check_code"]),
        date.fromisoformat(doc["issued_on"]),
    )
