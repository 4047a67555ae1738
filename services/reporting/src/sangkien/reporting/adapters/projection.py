"""Which facts an event stands for."""

from collections.abc import Callable
from typing import Any

from sangkien.contracts import events as ev
from sangkien.reporting.application.ports import Fact

_FACTS: dict[type[ev.Event], Callable[[Any], Fact]] = {
    ev.RoundOpened: lambda e: Fact(
        "rounds", e.round_id, {"name": e.name, "group": e.group, "tier": e.tier, "opens_on": f"{e.opens_on}"}
    ),
    ev.DossierSubmitted: lambda e: Fact("filed", e.dossier_id, {"round_id": e.round_id}),
    ev.DossierWithdrawn: lambda e: Fact("withdrawn", e.dossier_id, {"round_id": e.round_id}),
    ev.DossierAccepted: lambda e: Fact("checked", e.dossier_id, {"round_id": e.round_id, "verdict": "accepted"}),
    ev.DossierRefused: lambda e: Fact("checked", e.dossier_id, {"round_id": e.round_id, "verdict": "refused"}),
    ev.DossierVoted: lambda e: Fact("voted", e.dossier_id, {"round_id": e.round_id, "outcome": e.outcome}),
    ev.InitiativeRecognised: lambda e: Fact("decided", e.dossier_id, {"round_id": e.round_id, "outcome": "recognised"}),
    ev.InitiativeRefused: lambda e: Fact("decided", e.dossier_id, {"round_id": e.round_id, "outcome": "refused"}),
    ev.CertificateIssued: lambda e: Fact("certificates", e.certificate_id, {"round_id": e.round_id}),
    ev.RewardDecisionIssued: lambda e: Fact(
        "reward_decisions",
        e.decision_id,
        {
            "symbol": e.symbol,
            "form": e.form,
            "issued_on": f"{e.issued_on}",
            "total_vnd": e.total_vnd,
            "recipients": e.individuals + e.collectives,
        },
    ),
    ev.EntitlementGranted: lambda e: Fact(
        "entitlements",
        e.entitlement_id,
        {"decision_id": e.decision_id, "holder": e.holder, "amount_vnd": e.amount_vnd},
    ),
    ev.ForeignDecisionSummarised: lambda e: Fact(
        "node_decisions",
        f"{e.node}/{e.decision_id}",
        {
            "node": e.node,
            "round_id": e.round_id,
            "round_name": e.round_name,
            "tier": e.tier,
            "recognised": e.recognised,
            "refused": e.refused,
            "issued_on": f"{e.issued_on}",
        },
    ),
    ev.PaymentRecorded: lambda e: Fact(
        "payments", e.payment_id, {"decision_id": e.decision_id, "amount_vnd": e.amount_vnd}
    ),
}


def facts_of(event: ev.Event) -> list[Fact]:
    """The facts of one event; none for those no report counts.

    A dossier filed here for the council of another node is counted there: rounds here reconcile without it.
    """
    if getattr(event, "competent_node", ""):
        return []
    fact = _FACTS.get(type(event))
    return [fact(event)] if fact else []
