"""The port `Register` on the service's store."""

from collections.abc import Mapping, Sequence

from sangkien.recognition.adapters.documents import (
    CERTIFICATES,
    INITIATIVES,
    certificate_document,
    entry_document,
    read_certificate,
    read_entry,
)
from sangkien.recognition.adapters.event_mapping import EventRows
from sangkien.recognition.adapters.reading import found, paged
from sangkien.recognition.application.ports import Listed, StoredCertificate
from sangkien.recognition.domain.register import Certificate, Entered, Entry
from sangkien.store import Duplicate, Insert, Op, Replace, Store


class StoredRegister:
    """Keeps entries and certificates. Never writes itself."""

    def __init__(self, store: Store, events: EventRows) -> None:
        self._store = store
        self._events = events

    def written(self, entered: Entered, traceparent: str) -> Sequence[Op]:
        ops: list[Op] = [Insert(INITIATIVES, entry_document(entered.entry))] if entered.entry else []
        ops.extend([Insert(CERTIFICATES, certificate_document(one)) for one in entered.certificates])
        # Entries, certificates and refusals are written once: whoever hears of them hears version 1.
        ops.extend([self._events.row(event, version=1, traceparent=traceparent) for event in entered.events])
        return ops

    def code_taken(self, error: Exception) -> bool:
        return isinstance(error, Duplicate) and (error.coll, error.fields) == (CERTIFICATES, ("check_code",))

    async def entries(self, where: Mapping[str, str | int], limit: int, token: str) -> tuple[Listed[Entry], int]:
        page = await paged(self._store, INITIATIVES, where, [("recognised_on", -1)], limit, token)
        total = await self._store.count(INITIATIVES, where)
        return Listed([read_entry(doc) for doc in page.items], page.next or ""), total

    async def certificates(self, where: Mapping[str, str], limit: int, token: str) -> tuple[Listed[Certificate], int]:
        page = await paged(self._store, CERTIFICATES, where, [("ordinal", 1)], limit, token)
        total = await self._store.count(CERTIFICATES, where)
        return Listed([read_certificate(doc) for doc in page.items], page.next or ""), total

    async def certificate(self, certificate_id: str) -> StoredCertificate | None:
        doc = await found(self._store, CERTIFICATES, certificate_id)
        return StoredCertificate(read_certificate(doc), doc["pdf_sha256"], doc["ver"]) if doc else None

    async def by_code(self, check_code: str) -> Certificate | None:
        matching = await self._store.find(CERTIFICATES, {"check_code": check_code}, limit=1)
        return read_certificate(matching[0]) if matching else None

    def rendered(self, stored: StoredCertificate, pdf_sha256: str) -> Op:
        return Replace(CERTIFICATES, certificate_document(stored.certificate, pdf_sha256), expect=stored.version)
