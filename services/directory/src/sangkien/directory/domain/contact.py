"""Checks that organisations and people share."""

import re

from sangkien.directory.domain.errors import EmailMalformed, NameTooLong

NAME_LIMIT = 300
EMAIL_LIMIT = 254  # RFC 5321, section 4.5.3.1.3

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def check_email(email: str) -> str:
    """The address with its domain in small letters, or "". Raises EmailMalformed. Source: RFC 5321, ASCII only."""
    if not email:
        return ""
    if len(email) > EMAIL_LIMIT or not _EMAIL.fullmatch(email):
        raise EmailMalformed(field="email")
    local, _, host = email.rpartition("@")
    return f"{local}@{host.lower()}"


def check_length(text: str, field: str) -> str:
    """The text. Raises NameTooLong beyond 300 characters."""
    if len(text) > NAME_LIMIT:
        raise NameTooLong(field=field, limit=NAME_LIMIT)
    return text
