"""What happened in the domain, as the contract says it."""

from typing import Literal, assert_never, cast

from sangkien.contracts.events import AuthorShare, DossierSubmitted, DossierSupplemented, DossierWithdrawn, Event
from sangkien.intake.domain.dossier import Dossier
from sangkien.intake.domain.draft import Draft
from sangkien.intake.domain.events import DossierEvent, DossierFiled, DossierMended, DossierTakenBack
from sangkien.intake.domain.foreign import EXCHANGE

_Tier = Literal["grassroots", "district", "city", "national"]


def contract_event(dossier: Dossier, event: DossierEvent) -> Event:
    match event:
        case DossierFiled():
            return DossierSubmitted(
                dossier_id=dossier.dossier_id,
                version=1,
                code=dossier.code,
                round_id=event.draft.round_id,
                tier=cast("_Tier", event.draft.tier),
                initiative_id=event.draft.initiative_id,
                title=event.draft.title,
                field=event.draft.field,
                unit_id=event.draft.unit_id,
                authors=_authors(event.draft),
                filed_on=event.draft.filed_on,
                first_applied_on=event.draft.first_applied_on,
                head_author=event.draft.head_author,
                state_funded=event.draft.state_funded,
                filed_by=_officer(event.filed_by, dossier),
                competent_node=dossier.competent_node,
                answer_due=event.answer_due,
            )
        case DossierMended():
            return DossierSupplemented(
                dossier_id=dossier.dossier_id,
                version=event.revision,
                code=dossier.code,
                round_id=event.draft.round_id,
                tier=cast("_Tier", event.draft.tier),
                initiative_id=event.draft.initiative_id,
                title=event.draft.title,
                field=event.draft.field,
                unit_id=event.draft.unit_id,
                authors=_authors(event.draft),
                filed_on=event.draft.filed_on,
                first_applied_on=event.draft.first_applied_on,
                head_author=event.draft.head_author,
                state_funded=event.draft.state_funded,
                filed_by=_officer(event.filed_by, dossier),
                competent_node=dossier.competent_node,
            )
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


def _authors(draft: Draft) -> tuple[AuthorShare, ...]:
    return tuple([AuthorShare(person_id=author.person_id, share=author.share) for author in draft.authors])


def _officer(filed_by: str, dossier: Dossier) -> str:
    """Whoever files an own dossier is no officer, nor is a service that files what came from another node."""
    return "" if filed_by in dossier.author_ids or filed_by == EXCHANGE else filed_by
