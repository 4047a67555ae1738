"""What happened in the domain, as the contract says it, in a row of the outbox."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, assert_never, cast

from sangkien.contracts.events import (
    AuthorShare,
    CertificateIssued,
    DecisionIssued,
    Event,
    InitiativeRecognised,
    InitiativeRefused,
    RecordChanged,
)
from sangkien.contracts.events import RecordLine as Line
from sangkien.messaging import outbox_row
from sangkien.recognition.domain.events import (
    CertificateFixed,
    DecisionSigned,
    DossierTurnedDown,
    InitiativeEntered,
    RecognitionEvent,
    RecordLine,
    RecordWasChanged,
)
from sangkien.store import Op

_Tier = Literal["grassroots", "district", "city", "national"]


class EventRows:
    """Makes outbox rows."""

    def __init__(self, new_id: Callable[[], str], now: Callable[[], datetime]) -> None:
        self._new_id = new_id
        self._now = now

    def row(self, event: RecognitionEvent, *, version: int, traceparent: str) -> Op:
        """The row of one event; `version` is that of its aggregate after the change."""
        return outbox_row(
            contract_event(event),
            event_id=self._new_id(),
            aggregate_id=_aggregate_id(event),
            aggregate_version=version,
            at=self._now(),
            traceparent=traceparent,
        )


def _aggregate_id(event: RecognitionEvent) -> str:
    match event:
        case DecisionSigned():
            return event.decision_id
        case InitiativeEntered():
            return f"{event.initiative_id}:{event.tier}"  # an entry of the register: each tier is one of its own
        case DossierTurnedDown():
            return event.dossier_id
        case CertificateFixed():
            return event.certificate_id
        case RecordWasChanged():
            return event.link_id
        case _:
            assert_never(event)


def contract_event(event: RecognitionEvent) -> Event:
    match event:
        case DecisionSigned():
            return _decision_issued(event)
        case InitiativeEntered():
            return InitiativeRecognised(
                initiative_id=event.initiative_id,
                dossier_id=event.dossier_id,
                decision_id=event.decision_id,
                decision_symbol=event.decision_symbol,
                round_id=event.round_id,
                tier=cast("_Tier", event.tier),
                title=event.title,
                unit_id=event.unit_id,
                authors=tuple([AuthorShare(person_id=a.person_id, share=a.share) for a in event.authors]),
                recognised_on=event.recognised_on,
            )
        case DossierTurnedDown():
            return InitiativeRefused(
                dossier_id=event.dossier_id,
                decision_id=event.decision_id,
                decision_symbol=event.decision_symbol,
                round_id=event.round_id,
                author_ids=event.author_ids,
                reason=event.reason,
                decided_on=event.decided_on,
            )
        case CertificateFixed():
            return CertificateIssued(
                certificate_id=event.certificate_id,
                initiative_id=event.initiative_id,
                dossier_id=event.dossier_id,
                round_id=event.round_id,
                person_id=event.person_id,
                number=event.number,
                data_sha256=event.data_sha256,
                issued_on=event.issued_on,
            )
        case RecordWasChanged():
            return _record_changed(event)
        case _:
            assert_never(event)


def _decision_issued(event: DecisionSigned) -> DecisionIssued:
    return DecisionIssued(
        decision_id=event.decision_id,
        number=event.number,
        symbol=event.symbol,
        issued_on=event.issued_on,
        issuer_id=event.issuer_id,
        round_id=event.round_id,
        tier=cast("_Tier", event.tier),
        recognised=event.recognised,
        refused=event.refused,
    )


def _record_changed(event: RecordWasChanged) -> RecordChanged:
    lines = tuple([_line(line) for line in event.lines])
    return RecordChanged(link_id=event.link_id, node=event.node, number=event.number, lines=lines)


def _line(line: RecordLine) -> Line:
    return Line(
        initiative_id=line.initiative_id,
        tier=cast("_Tier", line.tier),
        version=line.version,
        title=line.title,
        share=line.share,
        decision_symbol=line.decision_symbol,
        issued_on=line.issued_on,
        certificate_number=line.certificate_number,
        revoked_on=line.revoked_on,
    )
