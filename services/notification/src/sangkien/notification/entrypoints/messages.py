"""Events that people are told of."""

from collections.abc import Sequence

from sangkien.contracts.events import (
    CertificateIssued,
    DossierAccepted,
    DossierRefused,
    DossierSubmitted,
    EntitlementGranted,
    Event,
    ForeignAnswerReceived,
    ForeignCertificateReceived,
    InitiativeRefused,
    ReviewersAssigned,
    SupplementRequested,
)
from sangkien.messaging import Incoming, Later
from sangkien.notification.application.ports import Dossiers, Glossary, KnownDossier
from sangkien.notification.application.write_notices import Heard, WriteNotices
from sangkien.notification.domain.notice import Facts, Occasion
from sangkien.notification.entrypoints.foreign import certificate_occasion, foreign_occasion
from sangkien.store import Op

PATIENT_DELIVERIES = 6
"""How often an event is put off that speaks of a dossier not heard of yet; then people are told by its id."""


class NoticeHandler:
    """Turns a batch of events into notices."""

    def __init__(self, dossiers: Dossiers, glossary: Glossary, write: WriteNotices) -> None:
        self._dossiers = dossiers
        self._glossary = glossary
        self._write = write

    async def __call__(self, messages: Sequence[Incoming]) -> list[Op]:
        """Raises Later for those whose dossier is not known yet."""
        known = await self._dossiers.recall({id for each in messages if (id := _dossier_id(each.event))})
        ops: list[Op] = []
        for each in messages:
            filed = each.event
            if isinstance(filed, DossierSubmitted) and filed.dossier_id not in known:
                known[filed.dossier_id] = KnownDossier(filed.code, filed.title)
                ops.append(self._dossiers.remember(filed.dossier_id, known[filed.dossier_id]))
        waiting = [each.id for each in messages if _waits(each, known)]
        if waiting:
            raise Later(*waiting)
        heard = []
        for each in messages:
            dossier = _name(_dossier_id(each.event), known)
            occasion: Occasion | None
            match each.event:
                case ForeignAnswerReceived() as answered:
                    occasion = foreign_occasion(answered, dossier, self._glossary)
                case ForeignCertificateReceived() as issued:
                    occasion = certificate_occasion(issued, dossier)
                case event:
                    occasion = _occasion(event, dossier, self._glossary)
            if occasion is None:
                continue
            heard.append(Heard(occasion, each.id, each.at, each.traceparent))
        return ops + await self._write(heard)


def _waits(message: Incoming, known: dict[str, KnownDossier]) -> bool:
    id = _dossier_id(message.event)
    return bool(id) and id not in known and message.deliveries < PATIENT_DELIVERIES


def _name(dossier_id: str, known: dict[str, KnownDossier]) -> str:
    dossier = known.get(dossier_id)
    return f"{dossier.code} “{dossier.title}”" if dossier else dossier_id


def _dossier_id(event: Event) -> str:
    """The dossier whose name a notice of the event needs; "" for an event that brings the title along."""
    return "" if isinstance(event, ReviewersAssigned) else str(getattr(event, "dossier_id", ""))


def _occasion(event: Event, dossier: str, glossary: Glossary) -> Occasion:
    """Who is told what. Raises TypeError for an event nobody is told of: the subscription and this table differ."""
    match event:
        case DossierSubmitted():
            told = (*(author.person_id for author in event.authors), *([event.filed_by] if event.filed_by else []))
            facts = {"dossier": dossier, "answer_due": event.answer_due.isoformat()}
            return Occasion("dossier_received", event.dossier_id, told, facts, {})
        case DossierAccepted():
            facts = {"dossier": dossier, "decide_by": event.decide_by.isoformat()}
            return Occasion("dossier_accepted", event.dossier_id, event.author_ids, facts, {})
        case SupplementRequested():
            vi, en = glossary.shortcomings(event.shortcomings, event.due)
            facts = {"dossier": dossier, "shortcomings": vi, "due": event.due.isoformat()}
            english = {"shortcomings": en}
            return Occasion("supplement_requested", event.dossier_id, event.author_ids, facts, english)
        case DossierRefused():
            vi, en = glossary.refusal(event.reason, event.refused_on)
            facts = {"dossier": dossier, "reason": vi}
            return Occasion("dossier_refused", event.dossier_id, event.author_ids, facts, {"reason": en})
        case ReviewersAssigned():
            due = event.due.isoformat() if event.due else "—"
            facts = {"title": event.title, "due": due}
            return Occasion(
                "reviewer_assigned", event.dossier_id, event.reviewer_ids, facts, {}, digest_of=event.round_id
            )
        case InitiativeRefused():
            vi, en = glossary.recognition(event.reason)
            facts = {"dossier": dossier, "decision": event.decision_symbol, "reason": vi}
            return Occasion("initiative_refused", event.dossier_id, event.author_ids, facts, {"reason": en})
        case CertificateIssued():
            facts = {"dossier": dossier, "number": event.number, "issued_on": event.issued_on.isoformat()}
            return Occasion("certificate_issued", event.certificate_id, (event.person_id,), facts, {})
        case EntitlementGranted():
            amount: Facts = {"amount": event.amount_vnd, "decision": event.decision_symbol}
            return Occasion("entitlement_granted", event.entitlement_id, (event.holder_id,), amount, {})
        case _:
            raise TypeError(f"nobody is told of {event.TYPE}")
