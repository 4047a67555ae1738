"""Entering a signed decision's items: the register of recognised initiatives, and one certificate for each author."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sangkien.recognition.domain.candidate import Candidate
from sangkien.recognition.domain.decision import Decision, Issue
from sangkien.recognition.domain.events import CertificateFixed, DossierTurnedDown, InitiativeEntered

CertificateData = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Sealed:
    """Data in its one canonical form, the SHA-256 of that form in hex, and the short code printed for people."""

    text: str
    sha256: str
    check_code: str


Seal = Callable[[CertificateData], Sealed]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the public register: an initiative at a tier. Names are as the decision prints them."""

    initiative_id: str
    tier: str
    title: str
    unit_id: str
    unit_name: str
    author_names: tuple[str, ...]
    decision_id: str
    decision_symbol: str
    recognised_on: date
    dossier_id: str
    round_id: str

    @property
    def entry_id(self) -> str:
        """An initiative enters each tier once."""
        return f"{self.initiative_id}:{self.tier}"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was fixed for one author; `ordinal` counts from 1 within the decision."""

    certificate_id: str
    number: str
    ordinal: int
    decision_id: str
    initiative_id: str
    dossier_id: str
    person_id: str
    sealed: Sealed
    issued_on: date


@dataclass(frozen=True, slots=True)
class Entered:
    """What becomes of one item: an entry with certificates, or neither."""

    entry: Entry | None
    certificates: tuple[Certificate, ...]
    events: tuple[InitiativeEntered | DossierTurnedDown | CertificateFixed, ...]


@dataclass(frozen=True, slots=True)
class Sealing:
    """How certificates are fixed: fresh ids, the seal, and a `salt` above 0 where a check code was taken."""

    new_id: Callable[[], str]
    seal: Seal
    salt: int = 0


def certificate_number(issue: Issue, ordinal: int) -> str:
    """The printed number, after the decision's own, so that no second register is kept: 3034.0001/GCN-UBND."""
    _, dash, body = issue.numbered.symbol.partition("/")[2].partition("-")
    return f"{issue.numbered.number:02}.{ordinal:04}/GCN{dash}{body}"


def enter(decision: Decision, candidate: Candidate, *, ordinal: int, sealing: Sealing) -> Entered:
    """What the register gains by one item; `ordinal` is that of its first certificate.

    Certificates are issued at the first tier alone: a certificate proves recognition by the one unit that gave it
    (Circular 18/2013/TT-BKHCN, article 9). Raises DecisionNotIssued, and ValueError for an item whose names were not
    fixed before the number was taken.
    """
    issue, vote = decision.standing(), candidate.vote
    if candidate.names is None:
        raise ValueError(f"names of dossier {vote.dossier_id} were not fixed")
    if candidate.reason:
        return Entered(None, (), (_turned_down(decision, issue, candidate),))
    entry = Entry(
        initiative_id=vote.initiative_id or sealing.new_id(),
        tier=vote.tier,
        title=vote.title,
        unit_id=vote.unit_id,
        unit_name=candidate.names.unit,
        author_names=candidate.names.authors,
        decision_id=decision.decision_id,
        decision_symbol=issue.numbered.symbol,
        recognised_on=issue.issued_on,
        dossier_id=vote.dossier_id,
        round_id=vote.round_id,
    )
    recognised = InitiativeEntered(
        initiative_id=entry.initiative_id,
        dossier_id=vote.dossier_id,
        decision_id=decision.decision_id,
        decision_symbol=issue.numbered.symbol,
        round_id=vote.round_id,
        tier=vote.tier,
        title=vote.title,
        unit_id=vote.unit_id,
        authors=vote.authors,
        recognised_on=issue.issued_on,
    )
    if vote.initiative_id:
        return Entered(entry, (), (recognised,))
    certificates = tuple(
        [_certificate(issue, entry, candidate, place, ordinal + place, sealing) for place in range(len(vote.authors))]
    )
    return Entered(entry, certificates, (recognised, *[_fixed(one, vote.round_id) for one in certificates]))


def _certificate(
    issue: Issue, entry: Entry, candidate: Candidate, place: int, ordinal: int, sealing: Sealing
) -> Certificate:
    signature, names = issue.signature, entry.author_names
    number = certificate_number(issue, ordinal)
    data: dict[str, object] = {
        "agency": issue.issuer.name,
        "superior": issue.issuer.superior,
        "number": number,
        "kind": issue.kind,
        "title": entry.title,
        "field": candidate.vote.field,
        "holder": names[place],
        "holder_unit": entry.unit_name,
        "co_authors": [name for other, name in enumerate(names) if other != place],
        "decision_symbol": entry.decision_symbol,
        "issued_on": issue.issued_on,
        "initiative_id": entry.initiative_id,
        "signer": signature.name,
        "position": signature.authority.position,
        "signing_mode": signature.authority.mode,
        "on_behalf_of": signature.authority.on_behalf_of,
    }
    if sealing.salt:
        data["salt"] = sealing.salt
    return Certificate(
        certificate_id=sealing.new_id(),
        number=number,
        ordinal=ordinal,
        decision_id=entry.decision_id,
        initiative_id=entry.initiative_id,
        dossier_id=entry.dossier_id,
        person_id=candidate.vote.authors[place].person_id,
        sealed=sealing.seal(data),
        issued_on=issue.issued_on,
    )


def _fixed(certificate: Certificate, round_id: str) -> CertificateFixed:
    return CertificateFixed(
        certificate_id=certificate.certificate_id,
        initiative_id=certificate.initiative_id,
        dossier_id=certificate.dossier_id,
        round_id=round_id,
        person_id=certificate.person_id,
        number=certificate.number,
        data_sha256=certificate.sealed.sha256,
        issued_on=certificate.issued_on,
    )


def _turned_down(decision: Decision, issue: Issue, candidate: Candidate) -> DossierTurnedDown:
    vote = candidate.vote
    return DossierTurnedDown(
        dossier_id=vote.dossier_id,
        decision_id=decision.decision_id,
        decision_symbol=issue.numbered.symbol,
        round_id=vote.round_id,
        author_ids=tuple([author.person_id for author in vote.authors]),
        reason=candidate.reason,
        decided_on=issue.issued_on,
    )
