"""Consumers that keep people's records: of recognition's own facts, of directory's links, of exchange's assertions."""

from collections.abc import Sequence
from functools import partial

from sangkien.contracts.events import (
    CertificateIssued,
    ForeignRecordAsserted,
    InitiativeRecognised,
    PersonLinkChanged,
)
from sangkien.contracts.events import RecordLine as Line
from sangkien.messaging import Incoming
from sangkien.recognition.application.follow_records import Change, FollowRecords
from sangkien.recognition.domain.events import RecordLine
from sangkien.recognition.domain.record import PersonRecord, RecordLink
from sangkien.store import Op

_MOST_TITLE = 500


class RecordHandler:
    """One for all three consumers."""

    def __init__(self, follow: FollowRecords) -> None:
        self._follow = follow

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Op]:
        return await self._follow([change for incoming in batch for change in _changes(incoming)])


def _changes(incoming: Incoming) -> list[Change]:
    trace = incoming.traceparent
    match incoming.event:
        case InitiativeRecognised() as event:
            lines = {author.person_id: _line_of(event, author.share) for author in event.authors}
            return [Change(id, partial(PersonRecord.enter, line=line), trace) for id, line in lines.items()]
        case CertificateIssued() as event:
            certify = partial(PersonRecord.certify, dossier_id=event.dossier_id, number=event.number)
            return [Change(event.person_id, certify, trace)]
        case PersonLinkChanged() as event:
            link = RecordLink(
                event.link_id,
                event.node,
                incoming.aggregate_version,
                event.state == "confirmed",
                event.sends,
                event.receives,
            )
            return [Change(event.person_id, partial(PersonRecord.follow, link=link), trace)] if _concerns(event) else []
        case ForeignRecordAsserted() as event:
            hear = partial(PersonRecord.hear, link_id=event.link_id, lines=[_line(line) for line in event.lines])
            return [Change(event.person_id, hear, trace)]
        case other:
            raise TypeError(f"no record follows {other.TYPE}")


def _concerns(event: PersonLinkChanged) -> bool:
    """A link that was not confirmed, and has not ended after it was, moves no record."""
    return bool(event.person_id) and event.state in ("confirmed", "revoked")


def _line_of(event: InitiativeRecognised, share: int) -> RecordLine:
    return RecordLine(
        event.initiative_id,
        event.tier,
        1,
        event.title[:_MOST_TITLE],
        share,
        event.decision_symbol,
        event.recognised_on,
        dossier_id=event.dossier_id,
    )


def _line(line: Line) -> RecordLine:
    return RecordLine(
        line.initiative_id,
        line.tier,
        line.version,
        line.title,
        line.share,
        line.decision_symbol,
        line.issued_on,
        line.certificate_number,
        line.revoked_on,
    )
