"""What authors are told of a dossier that another node decides about."""

from sangkien.contracts.events import ForeignAnswerReceived, ForeignCertificateReceived
from sangkien.notification.application.ports import Glossary
from sangkien.notification.domain.notice import Facts, Kind, Occasion


def foreign_occasion(event: ForeignAnswerReceived, dossier: str, glossary: Glossary) -> Occasion | None:
    """None for what changes nothing for the authors: that it arrived, that it was voted on, that it was withdrawn."""
    due = event.answer_due.isoformat() if event.answer_due else "—"
    codes = [code for code in event.reason.split(",") if code]
    facts: Facts
    english: Facts = {}
    kind: Kind
    match event.answer:
        case "accepted":
            kind, facts = "dossier_accepted", {"decide_by": due}
        case "supplement_requested":
            vi, en = glossary.shortcomings(codes, event.on)
            kind, facts, english = "supplement_requested", {"shortcomings": vi, "due": due}, {"shortcomings": en}
        case "not_received":
            vi, en = glossary.not_received(event.reason)
            kind, facts, english = "dossier_not_received", {"node": event.node, "reason": vi}, {"reason": en}
        case "refused":
            vi, en = glossary.refusal(event.reason, event.on)
            kind, facts, english = "dossier_refused", {"reason": vi}, {"reason": en}
        case "recognised":
            kind, facts = "initiative_recognised", {"decision": event.decision_symbol, "node": event.node}
        case "not_recognised":
            vi, en = glossary.recognition(event.reason)
            kind, facts = "initiative_refused", {"decision": event.decision_symbol, "reason": vi}
            english = {"reason": en}
        case _:
            return None
    return Occasion(kind, event.dossier_id, event.author_ids, {"dossier": dossier, **facts}, english)


def certificate_occasion(event: ForeignCertificateReceived, dossier: str) -> Occasion:
    """A certificate that another node issued: its number, who issued it, and what it is checked by there."""
    facts = {
        "dossier": dossier,
        "node": event.node,
        "number": event.number,
        "issued_on": event.issued_on.isoformat(),
        "check_code": event.check_code,
    }
    return Occasion("foreign_certificate", event.dossier_id, event.told_ids, facts, {})
