"""What happened in the domain, as the contract says it."""

from typing import Any, assert_never

from sangkien.contracts.events import AuthorShare, DossierSubmitted, DossierSupplemented, DossierWithdrawn, Event
from sangkien.intake.domain.dossier import Dossier
from sangkien.intake.domain.draft import Draft
from sangkien.intake.domain.events import DossierEvent, DossierFiled, DossierMended, DossierTakenBack
from sangkien.intake.domain.foreign import EXCHANGE


def contract_event(dossier: Dossier, event: DossierEvent) -> Event:
    match event:
        case DossierFiled():
            facts = _facts(dossier, event.draft, event.filed_by)
            return DossierSubmitted(version=1, answer_due=event.answer_due, **facts)
        case DossierMended():
            return DossierSupplemented(version=event.revision, **_facts(dossier, event.draft, event.filed_by))
        case DossierTakenBack():
            return DossierWithdrawn(
                dossier_id=dossier.dossier_id,
                version=event.revision,
                withdrawn_on=event.withdrawn_on,
                round_id=dossier.round_id,
                competent_node=dossier.competent_node,
            )
        case _:
            assert_never(event)


def _facts(dossier: Dossier, draft: Draft, filed_by: str) -> dict[str, Any]:
    return {
        "dossier_id": dossier.dossier_id,
        "code": dossier.code,
        "round_id": dossier.round_id,
        "tier": dossier.tier,
        "initiative_id": dossier.initiative_id,
        "title": draft.title,
        "field": draft.field,
        "unit_id": draft.unit_id,
        "authors": _authors(draft),
        "filed_on": draft.filed_on,
        "first_applied_on": draft.first_applied_on,
        "head_author": draft.head_author,
        "state_funded": draft.state_funded,
        "filed_by": _officer(filed_by, dossier),
        "competent_node": dossier.competent_node,
    }


def _authors(draft: Draft) -> tuple[AuthorShare, ...]:
    return tuple([AuthorShare(person_id=author.person_id, share=author.share) for author in draft.authors])


def _officer(filed_by: str, dossier: Dossier) -> str:
    """Whoever files an own dossier is no officer, nor is a service that files what came from another node."""
    return "" if filed_by in dossier.author_ids or filed_by == EXCHANGE else filed_by
