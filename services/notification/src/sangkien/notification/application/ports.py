"""What the use cases need of the world."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from sangkien.notification.domain.mail import Mail, State
from sangkien.notification.domain.notice import Facts, Occasion
from sangkien.store import Op

Commit = Callable[[Sequence[Op]], Awaitable[None]]
Now = Callable[[], datetime]

Span = Callable[[str, str, str], AbstractContextManager[Any]]
"""A span to work inside of: its name, the traceparent it continues, and what it is about."""

Traceparent = Callable[[], str]
"""The current span."""


class Unreachable(Exception):
    """Directory or the mail server does not answer now."""


class Rejected(Exception):
    """The mail server refused one mail with this reply code (RFC 5321, section 4.2.1)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"smtp {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Words:
    """A notice in words: subject and body in Vietnamese, and both languages as one mail."""

    subject: str
    body: str
    mail_subject: str
    mail_text: str


@dataclass(frozen=True, slots=True)
class Line:
    """What a digest says of one notice; the notice's id is the line's, so that no notice is in two digests."""

    notice_id: str
    digest_id: str
    facts: Facts


class Wording(Protocol):
    """Templates filled in."""

    def words(self, occasion: Occasion) -> Words:
        """Raises LookupError when a template lacks one of its facts: a mistake in the code."""
        ...

    def digest(self, lines: Sequence[Line]) -> tuple[str, str]:
        """Subject and text of one mail for all of the lines, in their order, in both languages."""
        ...


class Glossary(Protocol):
    """Codes of others in Vietnamese and English; a code that is not known stands for itself."""

    def refusal(self, code: str, on: date) -> tuple[str, str]:
        """A ground for refusing a filing, by the rules of that day."""
        ...

    def recognition(self, code: str) -> tuple[str, str]:
        """Why a decision does not recognise a dossier."""
        ...

    def not_received(self, code: str) -> tuple[str, str]:
        """Why another node did not take a dossier in."""
        ...

    def shortcomings(self, codes: Iterable[str], on: date) -> tuple[str, str]:
        """What a filing lacks, joined by semicolons."""
        ...


@dataclass(frozen=True, slots=True)
class KnownDossier:
    """What a notice calls a dossier by."""

    code: str
    title: str


class Dossiers(Protocol):
    """Codes and titles of dossiers, since most events name a dossier by its id alone."""

    async def recall(self, ids: Iterable[str]) -> dict[str, KnownDossier]:
        """Those of the dossiers that were heard of."""
        ...

    def remember(self, id: str, dossier: KnownDossier) -> Op:
        """For a dossier not heard of before."""
        ...


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a recipient reads mail; "" when nobody knows."""

    display_name: str = field(repr=False)
    email: str = field(repr=False)


Contacts = Callable[[Sequence[str]], Awaitable[Mapping[str, Contact]]]
"""Contacts by recipient id, of those known. Raises Unreachable."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail ready to be sent."""

    id: str
    to: Contact
    subject: str
    text: str
    written_at: datetime


class Post(Protocol):
    """A mail server."""

    @property
    def lanes(self) -> int:
        """How many letters it takes at a time."""
        ...

    async def send(self, letter: Letter) -> None:
        """Returns once the server has taken responsibility. Raises Rejected or Unreachable."""
        ...

    async def rest(self) -> None:
        """Let go of connections until there is something to send again."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """An entry of somebody's inbox."""

    id: str
    recipient_id: str
    kind: str
    subject: str
    body: str
    about_id: str
    created_at: datetime
    read: bool
    version: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """One stretch of a list; `next` is "" at the end."""

    items: list[Any]
    next: str


class Inboxes(Protocol):
    """Inboxes as they are stored."""

    async def page(self, recipient_id: str, limit: int, after: str) -> Page:
        """Notices, newest first. Raises NoticePageInvalid."""
        ...

    async def get_many(self, ids: Iterable[str]) -> dict[str, Notice]: ...

    async def count(self) -> int: ...

    def add(self, notice: Notice) -> Op: ...

    def mark_read(self, notice: Notice) -> Op: ...


class Mails(Protocol):
    """Mails as they are stored."""

    async def due(self, now: datetime, limit: int) -> list[Mail]:
        """Queued ones whose time has come, the longest waiting first."""
        ...

    async def ripe(self, now: datetime, limit: int) -> list[Mail]:
        """Digests that gather and whose time to leave has come, the longest waiting first."""
        ...

    async def get_many(self, ids: Iterable[str]) -> dict[str, Mail]: ...

    async def page(self, state: State, limit: int, after: str) -> Page:
        """Mails in a state, oldest first. Raises NoticePageInvalid."""
        ...

    async def count(self) -> dict[str, int]:
        """How many are in each state."""
        ...

    def save(self, mail: Mail) -> Op: ...


class DigestLines(Protocol):
    """What each digest lists."""

    async def of(self, digest_id: str) -> list[Line]:
        """All lines of a digest, in the order of their events."""
        ...

    def add(self, line: Line) -> Op: ...
