"""Inboxes, mails and what is known of dossiers, as documents. Times are milliseconds since the Unix epoch."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from sangkien.notification.application.ports import KnownDossier, Line, Notice, Page
from sangkien.notification.domain.errors import NoticePageInvalid
from sangkien.notification.domain.mail import STATES, Mail, State
from sangkien.store import Document, Index, Insert, Invalid, Op, Replace, Schema, Store, save

INBOX: Final = "notices"
MAILS: Final = "mails"
DIGEST_LINES: Final = "digest_lines"
DOSSIERS: Final = "dossiers"

_LINES_AT_ONCE: Final = 1_000

SCHEMA = Schema(
    (INBOX, MAILS, DIGEST_LINES, DOSSIERS),
    (
        Index(INBOX, ("recipient_id", "_id")),
        Index(MAILS, ("state", "next_at")),
        Index(MAILS, ("state", "_id")),
        Index(DIGEST_LINES, ("digest_id", "_id")),
    ),
)


class StoredInboxes:
    """The `Inboxes` port on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, recipient_id: str, limit: int, after: str) -> Page:
        return await _page(self._store, INBOX, {"recipient_id": recipient_id}, -1, limit, after)

    async def get_many(self, ids: Iterable[str]) -> dict[str, Notice]:
        found = await self._store.get_many(INBOX, list(ids))
        return {id: _notice(document) for id, document in found.items()}

    async def count(self) -> int:
        return await self._store.count(INBOX)

    def add(self, notice: Notice) -> Op:
        return Insert(INBOX, _inbox_document(notice, read=False))

    def mark_read(self, notice: Notice) -> Op:
        return Replace(INBOX, _inbox_document(notice, read=True), notice.version)


class StoredMails:
    """The `Mails` port on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def due(self, now: datetime, limit: int) -> list[Mail]:
        return await self._come({"state": "queued"}, now, limit)

    async def ripe(self, now: datetime, limit: int) -> list[Mail]:
        return await self._come({"state": {"in": ["gathering", "held"]}}, now, limit)

    async def _come(self, where: Document, now: datetime, limit: int) -> list[Mail]:
        where = {**where, "next_at": {"lte": _milliseconds(now)}}
        return [_mail(each) for each in await self._store.find(MAILS, where, sort=[("next_at", 1)], limit=limit)]

    async def get_many(self, ids: Iterable[str]) -> dict[str, Mail]:
        found = await self._store.get_many(MAILS, list(ids))
        return {id: _mail(document) for id, document in found.items()}

    async def page(self, state: State, limit: int, after: str) -> Page:
        return await _page(self._store, MAILS, {"state": state}, 1, limit, after)

    async def count(self) -> dict[str, int]:
        counted = await self._store.count_by(MAILS, "state")
        return {state: counted.get(state, 0) for state in STATES}

    def save(self, mail: Mail) -> Op:
        document = {
            "_id": mail.id,
            "recipient_id": mail.recipient_id,
            "kind": mail.kind,
            "about_id": mail.about_id,
            "subject": mail.subject,
            "text": mail.text,
            "state": mail.state,
            "attempts": mail.attempts,
            "queued_at": _milliseconds(mail.queued_at),
            "next_at": _milliseconds(mail.next_at),
            "last_error": mail.last_error,
            "traceparent": mail.traceparent,
        }
        return save(MAILS, document, mail.version)


class StoredDigestLines:
    """The `DigestLines` port on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, digest_id: str) -> list[Line]:
        found: list[Line] = []
        after: str | None = None
        while True:
            page = await self._store.page(
                DIGEST_LINES, {"digest_id": digest_id}, sort=[("_id", 1)], limit=_LINES_AT_ONCE, after=after
            )
            found += [Line(each["_id"], each["digest_id"], each["facts"]) for each in page.items]
            after = page.next
            if after is None:
                return found

    def add(self, line: Line) -> Op:
        return Insert(DIGEST_LINES, {"_id": line.notice_id, "digest_id": line.digest_id, "facts": dict(line.facts)})


class StoredDossiers:
    """The `Dossiers` port on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def recall(self, ids: Iterable[str]) -> dict[str, KnownDossier]:
        found = await self._store.get_many(DOSSIERS, list(ids))
        return {id: KnownDossier(document["code"], document["title"]) for id, document in found.items()}

    def remember(self, id: str, dossier: KnownDossier) -> Op:
        return Insert(DOSSIERS, {"_id": id, "code": dossier.code, "title": dossier.title})


async def _page(store: Store, coll: str, where: Document, direction: int, limit: int, after: str) -> Page:
    try:
        page = await store.page(coll, where, sort=[("_id", direction)], limit=limit, after=after or None)
    except Invalid:
        raise NoticePageInvalid(field="page_token") from None
    return Page([(_notice if coll == INBOX else _mail)(each) for each in page.items], page.next or "")


def _inbox_document(notice: Notice, *, read: bool) -> Document:
    return {
        "_id": notice.id,
        "recipient_id": notice.recipient_id,
        "kind": notice.kind,
        "subject": notice.subject,
        "body": notice.body,
        "about_id": notice.about_id,
        "created_at": _milliseconds(notice.created_at),
        "read": read,
    }


def _notice(document: Document) -> Notice:
    return Notice(
        document["_id"],
        document["recipient_id"],
        document["kind"],
        document["subject"],
        document["body"],
        document["about_id"],
        _time(document["created_at"]),
        document["read"],
        document["ver"],
    )


def _mail(document: Document) -> Mail:
    mail = Mail(
        document["_id"],
        document["recipient_id"],
        document["kind"],
        document["about_id"],
        document["subject"],
        document["text"],
        document["state"],
        document["attempts"],
        _time(document["queued_at"]),
        _time(document["next_at"]),
        document["last_error"],
        document["traceparent"],
    )
    mail.version = document["ver"]
    return mail


def _milliseconds(when: datetime) -> int:
    return int(when.timestamp() * 1000)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
