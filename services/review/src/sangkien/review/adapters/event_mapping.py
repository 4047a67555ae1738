"""What review decided, as the facts other services hear."""

from typing import assert_never, cast

from sangkien.contracts import events as facts
from sangkien.kernel import Aggregate
from sangkien.review.domain import events as domain
from sangkien.review.domain.case import Case
from sangkien.review.domain.round import Round
from sangkien.review.domain.session import Session


def contract_event(aggregate: Aggregate, event: domain.Event) -> facts.Event | None:
    """The fact to publish; None for what stays inside review."""
    match event:
        case domain.ConflictsChanged():
            return None
        case domain.RoundOpened() | domain.RoundClosed():
            return _of_round(cast("Round", aggregate), event)
        case domain.SessionClosed():
            return _of_session(cast("Session", aggregate), event)
        case (
            domain.CaseAccepted()
            | domain.SupplementAsked()
            | domain.CaseRefused()
            | domain.ReviewersAsked()
            | domain.CaseVoted()
        ):
            return _of_case(cast("Case", aggregate), event)
        case _:
            assert_never(event)


def _of_round(one: Round, event: domain.RoundOpened | domain.RoundClosed) -> facts.Event:
    if isinstance(event, domain.RoundClosed):
        return facts.RoundClosed(round_id=one.id, closed_on=event.closed_on)
    return facts.RoundOpened(
        round_id=one.id,
        council_id=one.council_id,
        name=one.name,
        tier=one.tier,
        owner_id=one.owner_id,
        group=one.group,
        opens_on=one.opens_on,
        closes_on=one.closes_on,
    )


def _of_session(session: Session, event: domain.SessionClosed) -> facts.Event:
    return facts.SessionClosed(
        session_id=session.id,
        round_id=session.round_id,
        council_id=session.council_id,
        held_on=session.held_on,
        present=len(session.present),
        members=len(session.members),
        passed=event.passed,
        failed=event.failed,
    )


def _of_case(
    case: Case,
    event: domain.CaseAccepted | domain.SupplementAsked | domain.CaseRefused | domain.ReviewersAsked | domain.CaseVoted,
) -> facts.Event:
    match event:
        case domain.CaseAccepted(accepted_on, decide_by):
            return facts.DossierAccepted(
                dossier_id=case.id,
                dossier_version=case.facts.version,
                round_id=case.round_id,
                author_ids=case.author_ids,
                accepted_on=accepted_on,
                decide_by=decide_by,
            )
        case domain.SupplementAsked(shortcomings, due):
            return facts.SupplementRequested(
                dossier_id=case.id,
                dossier_version=case.facts.version,
                round_id=case.round_id,
                author_ids=case.author_ids,
                shortcomings=shortcomings,
                due=due,
            )
        case domain.CaseRefused(reason, refused_on):
            return facts.DossierRefused(
                dossier_id=case.id,
                dossier_version=case.facts.version,
                round_id=case.round_id,
                author_ids=case.author_ids,
                reason=reason,
                refused_on=refused_on,
            )
        case domain.ReviewersAsked(reviewer_ids, assigned_due):
            return facts.ReviewersAssigned(
                dossier_id=case.id,
                round_id=case.round_id,
                title=case.facts.title,
                reviewer_ids=reviewer_ids,
                due=assigned_due,
            )
        case domain.CaseVoted():
            return _voted(case, event)
        case _:
            assert_never(event)


def _voted(case: Case, event: domain.CaseVoted) -> facts.DossierVoted:
    """Members present who cast no ballot stand among those who abstained: neither agreed, neither was against."""
    return facts.DossierVoted(
        dossier_id=case.id,
        round_id=case.round_id,
        session_id=event.session_id,
        council_id=event.council_id,
        tier=case.tier,
        outcome="passed" if event.passed else "failed",
        members=event.members,
        yes=event.tally.yes,
        no=event.tally.no,
        abstained=event.tally.abstained + event.tally.missing,
        mean_score_tenths=case.score.mean_tenths if case.score else None,
        held_on=event.held_on,
        rule_set=event.rule_set,
        title=case.facts.title,
        field=case.facts.field,
        unit_id=case.facts.unit_id,
        authors=tuple(facts.AuthorShare(person_id=one.person_id, share=one.share) for one in case.facts.authors),
        initiative_id=case.facts.initiative_id,
    )
