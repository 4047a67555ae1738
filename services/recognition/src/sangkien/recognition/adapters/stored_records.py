"""The port `Records` on the service's store: one document a person."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sangkien.recognition.adapters.event_mapping import EventRows
from sangkien.recognition.domain.events import RecordLine, RecordWasChanged
from sangkien.recognition.domain.record import PersonRecord, RecordLink
from sangkien.store import Document, Op, Schema, Store, save

RECORDS: Final = "person_records"

RECORD_SCHEMA: Final = Schema((RECORDS,))


class StoredRecords:
    """Never writes itself."""

    def __init__(self, store: Store, events: EventRows) -> None:
        self._store = store
        self._events = events

    async def get_many(self, person_ids: Sequence[str]) -> dict[str, PersonRecord]:
        found = await self._store.get_many(RECORDS, person_ids)
        return {id: _read(found[id]) if id in found else PersonRecord(id, {}, {}, {}, {}) for id in person_ids}

    def stored(self, record: PersonRecord, traceparent: str) -> Sequence[Op]:
        told = [event for event in record.pull_events() if isinstance(event, RecordWasChanged)]
        rows = [self._events.row(event, version=event.number, traceparent=traceparent) for event in told]
        return [save(RECORDS, _document(record), record.version), *rows]


def _document(record: PersonRecord) -> Document:
    return {
        "_id": record.person_id,
        "lines": [_line_document(line) for line in record.lines.values()],
        "certificates": [[dossier_id, number] for dossier_id, number in record.certificates.items()],
        "links": [
            [link.link_id, link.node, link.version, int(link.stands), int(link.sends), int(link.receives), link.told]
            for link in record.links.values()
        ],
        "asserted": [
            [link_id, [_line_document(line) for line in lines.values()]] for link_id, lines in record.asserted.items()
        ],
    }


def _line_document(line: RecordLine) -> list[Any]:
    return [
        line.initiative_id,
        line.tier,
        line.version,
        line.title,
        line.share,
        line.decision_symbol,
        line.issued_on.isoformat(),
        line.certificate_number,
        line.revoked_on.isoformat() if line.revoked_on else "",
        line.dossier_id,
    ]


def _read(doc: Document) -> PersonRecord:
    links = [
        RecordLink(id, node, version, bool(stands), bool(sends), bool(receives), told)
        for id, node, version, stands, sends, receives, told in doc["links"]
    ]
    record = PersonRecord(
        doc["_id"],
        {line.key: line for line in map(_line, doc["lines"])},
        dict(doc["certificates"]),
        {link.link_id: link for link in links},
        {link_id: {line.key: line for line in map(_line, lines)} for link_id, lines in doc["asserted"]},
    )
    record.version = doc["ver"]
    return record


def _line(kept: list[Any]) -> RecordLine:
    initiative_id, tier, version, title, share, symbol, issued_on, number, revoked_on, dossier_id = kept
    return RecordLine(
        initiative_id,
        tier,
        version,
        title,
        share,
        symbol,
        date.fromisoformat(issued_on),
        number,
        date.fromisoformat(revoked_on) if revoked_on else None,
        dossier_id,
    )
