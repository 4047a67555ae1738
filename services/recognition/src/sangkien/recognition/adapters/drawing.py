"""Certificates and decisions on paper: what was fixed at issue, laid out by the documents library."""

import json
from collections.abc import Sequence
from typing import cast

from sangkien import documents
from sangkien.documents import Annex, Column, DocumentError, Letterhead, Section
from sangkien.documents import Signature as Signed
from sangkien.documents.parts import Mode
from sangkien.recognition.application.legal_words import effect_on, tier_on
from sangkien.recognition.domain.candidate import Candidate
from sangkien.recognition.domain.decision import Decision, Issue
from sangkien.recognition.domain.register import Certificate, CertificateData, Sealed
from sangkien.text.catalogue import label, message


def seal(data: CertificateData) -> Sealed:
    """Fix what a certificate asserts. Raises DocumentError for data that has no canonical form."""
    text = documents.canonical_json(cast("documents.Json", data))
    sha256 = documents.sha256_hex(text)
    return Sealed(text.decode(), sha256, documents.check_code(sha256))


def read_code(typed: str) -> str:
    """The stored form of a typed code, "" for what can be none."""
    try:
        return documents.read_check_code(typed)
    except DocumentError:
        return ""


def draw_certificate(certificate: Certificate, *, place: str, verify_url: str) -> bytes:
    """The certificate as PDF; `verify_url` is what the check code is put behind. Blocking. Raises DocumentError."""
    data, code = json.loads(certificate.sealed.text), certificate.sealed.check_code
    field = f"field.{data['field']}"
    return documents.render_certificate(
        documents.Certificate(
            letterhead=Letterhead(data["agency"], place, data["superior"]),
            number=certificate.number,
            issued_on=certificate.issued_on,
            title=data["title"],
            holder=data["holder"],
            holder_unit=data["holder_unit"],
            co_authors=tuple(data["co_authors"]),
            field="" if label(field) == field else label(field),
            kind=data["kind"].upper(),
            signature=_signed(
                data["agency"], data["signing_mode"], data["position"], data["on_behalf_of"], data["signer"]
            ),
            decision_number=data["decision_symbol"],
            decided_on=certificate.issued_on,
            verify_url=f"{verify_url.rstrip('/')}/{code}",
            check_code=code,
        )
    )


def draw_decision(decision: Decision, items: Sequence[Candidate], *, place: str) -> bytes:
    """The issued decision with its list as PDF. Blocking. Raises DocumentError."""
    issue = decision.standing()
    authority = issue.signature.authority
    articles = _articles(decision, issue, higher=any(one.vote.initiative_id for one in items))
    return documents.render_decision(
        documents.Decision(
            letterhead=Letterhead(issue.issuer.name, place, issue.issuer.superior),
            symbol=decision.suffix.removeprefix("/"),
            subject=message("decision_document.subject"),
            authority=issue.issuer.name,
            grounds=issue.grounds,
            articles=articles,
            recipients=(
                message("decision_document.recipients", {"article": len(articles)}),
                message("decision_document.archive"),
            ),
            signature=_signed(
                issue.issuer.name,
                authority.mode,
                authority.position,
                authority.on_behalf_of,
                issue.signature.name,
            ),
            number=issue.numbered.number,
            issued_on=issue.issued_on,
            annex=_annex(items),
        )
    )


def _articles(decision: Decision, issue: Issue, *, higher: bool) -> tuple[str, ...]:
    tier = tier_on(decision.tier, issue.issued_on).vi
    facts: dict[str, str | int] = {"recognised": decision.recognised, "refused": decision.refused, "tier": tier}
    articles: list[str] = []
    if decision.recognised and higher:
        facts["effect"] = effect_on(issue.issued_on)
        articles.append(message("decision_document.recognises_effect", facts))
    elif decision.recognised:
        articles.append(message("decision_document.recognises", facts))
    if decision.refused:
        articles.append(message("decision_document.refuses", facts))
    return (*articles, message("decision_document.force"))


def _annex(items: Sequence[Candidate]) -> Annex:
    rows: dict[bool, list[tuple[str, ...]]] = {True: [], False: []}
    for one in items:
        if one.names is None:
            raise ValueError(f"names of dossier {one.dossier_id} were not fixed")
        reason = label(f"recognition_reason.{one.reason}") if one.reason else ""
        rows[not one.reason].append((one.vote.title, ", ".join(one.names.authors), one.names.unit, reason))
    headings = ("title", "authors", "unit", "note")
    weights = (6, 4, 3, 2)
    return Annex(
        title=message("decision_document.annex"),
        columns=tuple(
            [Column(message(f"decision_document.column_{h}"), w) for h, w in zip(headings, weights, strict=True)]
        ),
        sections=(
            Section(message("decision_document.section_recognised"), tuple(rows[True])),
            Section(message("decision_document.section_refused"), tuple(rows[False])),
        ),
    )


def _signed(agency: str, mode: str, position: str, on_behalf_of: str, name: str) -> Signed:
    """A deputy who signs for the collective in place of its chair prints TM. and KT. (Decree 30/2020/NĐ-CP)."""
    if mode == "TM":
        return Signed(position, name, collective=agency, mode="KT" if on_behalf_of else "", on_behalf_of=on_behalf_of)
    return Signed(position, name, mode=cast("Mode", mode), on_behalf_of=on_behalf_of)
