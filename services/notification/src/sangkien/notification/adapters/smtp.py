"""Mail over SMTP (RFC 5321), on a few connections that are kept while there is something to send."""

import asyncio
from base64 import b64encode, encodebytes
from contextlib import suppress
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from sangkien.notification.application.ports import Letter, Rejected, Unreachable

_TIMEOUT_SECONDS = 20.0
_BAD_ADDRESS = 553  # RFC 5321: mailbox name not allowed
_WORD_BYTES = 45  # makes 60 letters of base64 and a word of 72, of the 75 allowed
_ACCEPTED = (250, 251)  # RFC 5321: completed; will forward
_CLOSING = 421  # RFC 5321: service not available, closing transmission channel

_log = structlog.get_logger("sangkien.notification.smtp")


class SmtpPost:
    """The `Post` port. `url` is `smtp://[user:password@]host:port`, or `smtps://` for TLS from the first byte.

    A password is only sent over TLS. Without one, TLS is used where the server offers it.
    """

    def __init__(self, url: str, sender: str, *, lanes: int = 4) -> None:
        self._parts = urlsplit(url)
        self._sender = sender
        self._lanes = lanes
        self._domain = sender.rpartition("@")[2]
        self._free: asyncio.Queue[aiosmtplib.SMTP | None] = asyncio.Queue()
        for _ in range(lanes):
            self._free.put_nowait(None)

    @property
    def lanes(self) -> int:
        return self._lanes

    async def send(self, letter: Letter) -> None:
        header, address = _addressed(letter.to.display_name, letter.to.email)
        raw = self._written(letter, header)
        connection = await self._free.get()
        try:
            if connection is None or not connection.is_connected:
                connection = await self._connect()
            await self._hand_over(connection, address, raw)
        except aiosmtplib.SMTPResponseException as refused:
            if refused.code != _CLOSING:
                raise Rejected(refused.code) from None
            _drop(connection)
            connection = None
            raise Unreachable from None
        except ValueError:  # an address that cannot be written safely
            raise Rejected(_BAD_ADDRESS) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            _drop(connection)
            connection = None
            _log.warning("mail_server_unreachable", error_type=type(error).__name__)
            raise Unreachable from error
        finally:
            self._free.put_nowait(connection)

    async def rest(self) -> None:
        for _ in range(self._free.qsize()):
            connection = self._free.get_nowait()
            self._free.put_nowait(None)
            if connection is not None and connection.is_connected:
                with suppress(aiosmtplib.SMTPException, OSError):
                    await connection.quit()

    async def _hand_over(self, connection: aiosmtplib.SMTP, address: str, raw: bytes) -> None:
        """One mail transaction. The library's own would parse both addresses twice over, and the mail once more."""
        try:
            for command in (f"MAIL FROM:<{self._sender}>", f"RCPT TO:<{address}>"):
                answer = await connection.execute_command(command.encode("ascii"))
                if answer.code not in _ACCEPTED:
                    raise aiosmtplib.SMTPResponseException(answer.code, answer.message)
            await connection.data(raw)
        except aiosmtplib.SMTPResponseException:
            if connection.is_connected:
                await connection.rset()  # or the next mail would be added to what is left of this one
            raise

    async def _connect(self) -> aiosmtplib.SMTP:
        parts = self._parts
        implicit = parts.scheme == "smtps"
        connection = aiosmtplib.SMTP(
            hostname=parts.hostname,
            port=parts.port,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=implicit,
            start_tls=True if parts.username and not implicit else None,
            timeout=_TIMEOUT_SECONDS,
        )
        try:
            await connection.connect()
            if connection.is_ehlo_or_helo_needed:
                await connection.ehlo()
        except (aiosmtplib.SMTPException, OSError) as error:
            # Also where the server does not accept who we are: that is ours to mend, and no mail is given up for it.
            _log.warning("mail_server_unreachable", error_type=type(error).__name__)
            raise Unreachable from error
        return connection

    def _written(self, letter: Letter, to: str) -> bytes:
        lines = (
            f"Message-ID: <{letter.id}@{self._domain}>",  # in one piece, however long: not every reader joins lines
            f"To: {to}",
            f"From: {self._sender}",
            f"Subject: {_encoded(letter.subject)}",
            f"Date: {format_datetime(letter.written_at)}",
            "Auto-Submitted: auto-generated",  # RFC 3834: no answering machine is to answer
            "MIME-Version: 1.0",
            'Content-Type: text/plain; charset="utf-8"',
            "Content-Transfer-Encoding: base64",
            "",
            encodebytes("\r\n".join([*letter.text.splitlines(), ""]).encode()).decode("ascii"),
        )
        return "\n".join(lines).replace("\n", "\r\n").encode("ascii")


@lru_cache(maxsize=1024)
def _addressed(name: str, email: str) -> tuple[str, str]:
    """A recipient as a header has it (RFC 5322), and the address alone. Raises Rejected for an address that is none."""
    try:
        checked = Address(addr_spec=email).addr_spec
        checked.encode("ascii")
    except (ValueError, IndexError):  # what the standard library raises for an address it cannot read
        raise Rejected(_BAD_ADDRESS) from None
    return (f"{_encoded(name)} <{checked}>" if name.strip() else checked), checked


def _encoded(text: str) -> str:
    """A line of text as encoded words (RFC 2047, section 2), a line each, no character split between two.

    The standard library parses every header it has just built, and measures every word letter by letter: three
    quarters of the time of a mail.
    """
    words = [""]
    room = _WORD_BYTES
    for character in " ".join(text.split()):
        room -= len(character.encode())
        if room < 0:
            words.append("")
            room = _WORD_BYTES - len(character.encode())
        words[-1] += character
    return "\n ".join([f"=?utf-8?b?{b64encode(word.encode()).decode()}?=" for word in words])


def _drop(connection: aiosmtplib.SMTP | None) -> None:
    """Close a connection whose state nobody knows."""
    if connection is not None:
        connection.close()
