"""From the wire to commands: texts in normal form, dates read, nothing decided."""

from datetime import date

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.intake.application.change_dossier import Supplement, Withdrawal
from sangkien.intake.application.file_dossiers import Filing, fingerprint_of
from sangkien.intake.application.ports import Caller
from sangkien.intake.domain.draft import Author, Draft
from sangkien.intake.domain.errors import DraftDateMalformed, FilingForbidden
from sangkien.intake.domain.evidence import EvidenceFile
from sangkien.intake.domain.foreign import EXCHANGE
from sangkien.rpc import principal
from sangkien.text import nfc, nfc_lines

TIERS = {
    pb.TIER_UNSPECIFIED: "",
    pb.TIER_GRASSROOTS: "grassroots",
    pb.TIER_DISTRICT: "district",
    pb.TIER_CITY: "city",
    pb.TIER_NATIONAL: "national",
}


def caller() -> Caller:
    """Who calls, as the use cases know callers."""
    who = principal()
    if not who.is_service:
        return Caller(who.subject, who.roles, who.organisation)
    return Caller("", who.roles, who.organisation, EXCHANGE if who.subject == EXCHANGE else "")


def filer() -> Caller:
    """Who calls to file, mend or take back. Of the services only exchange may. Raises FilingForbidden."""
    who = caller()
    if "service" in who.roles and not who.service:
        raise FilingForbidden
    return who


def read_day(field: str, text: str) -> date | None:
    """A day, None for "". Raises DraftDateMalformed."""
    if not text:
        return None
    try:
        if len(text) != len("2023-12-31"):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise DraftDateMalformed(field=field) from None


def read_filing(key: str, wire: pb.Draft, today: date) -> Filing:
    """Raises DraftDateMalformed."""
    draft = read_draft(wire, today)
    return Filing(key, draft, fingerprint(draft, wire.filed_on))


def read_supplement(request: pb.SupplementDossierRequest, today: date) -> Supplement:
    """Raises DraftDateMalformed."""
    draft = read_draft(request.dossier, today)
    print_ = fingerprint(draft, request.dossier.filed_on)
    return Supplement(request.dossier_id, request.expected_version, draft, print_)


def read_withdrawal(request: pb.WithdrawDossierRequest, today: date) -> Withdrawal:
    """Raises DraftDateMalformed."""
    return Withdrawal(request.dossier_id, read_day("withdrawn_on", request.withdrawn_on) or today)


def read_draft(wire: pb.Draft, today: date) -> Draft:
    """The content as it was sent, in normal form. An empty day of filing is today. Raises DraftDateMalformed."""
    return Draft(
        round_id=wire.round_id,
        tier=TIERS.get(wire.tier, ""),
        initiative_id=wire.initiative_id,
        title=nfc(wire.title),
        field=nfc(wire.field),
        unit_id=wire.unit_id,
        unit_name=nfc(wire.unit_name),
        authors=tuple([_read_author(place, author) for place, author in enumerate(wire.authors)]),
        first_applied_on=read_day("dossier.first_applied_on", wire.first_applied_on),
        filed_on=read_day("dossier.filed_on", wire.filed_on) or today,
        summary=nfc_lines(wire.summary),
        benefit=nfc_lines(wire.benefit),
        benefit_vnd=wire.benefit_vnd,
        confidential=nfc_lines(wire.confidential),
        head_author=wire.head_author,
        state_funded=wire.state_funded,
        files=tuple([EvidenceFile(file.sha256, file.size, nfc(file.name)) for file in wire.files])
        if wire.files
        else (),
    )


def _read_author(place: int, wire: pb.Author) -> Author:
    return Author(
        person_id=wire.person_id,
        full_name=nfc(wire.full_name),
        share=wire.share,
        birth_date=read_day(f"dossier.authors[{place}].birth_date", wire.birth_date),
        unit_name=nfc(wire.unit_name),
        job_title=nfc(wire.job_title),
        email=nfc(wire.email),
        staff_code=nfc(wire.staff_code),
    )


def fingerprint(draft: Draft, filed_on: str) -> str:
    """Stands for the content as it was sent: a day left empty counts as empty, so that a retry tomorrow is the same."""
    parts = [
        draft.round_id,
        draft.tier,
        draft.initiative_id,
        draft.title,
        draft.field,
        draft.unit_id,
        draft.unit_name,
        str(draft.first_applied_on),
        filed_on,
        draft.summary,
        draft.benefit,
        str(draft.benefit_vnd),
        draft.confidential,
        f"{draft.head_author:d}{draft.state_funded:d}",
    ]
    for author in draft.authors:
        parts += [
            author.person_id,
            author.full_name,
            str(author.share),
            str(author.birth_date),
            author.unit_name,
            author.job_title,
            author.email,
            author.staff_code,
        ]
    if draft.files:  # a separator that no text holds keeps them apart from authors, who are eight texts each
        parts += ["\x1e", *[f"{file.sha256} {file.size} {file.name}" for file in draft.files]]
    return fingerprint_of(parts)
