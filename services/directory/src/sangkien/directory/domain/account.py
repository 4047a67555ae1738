"""Local accounts, and how often somebody may guess at one."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sangkien.directory.domain.errors import LoginMalformed, PasswordTooLong, PasswordTooShort, SignInBlocked
from sangkien.kernel import Aggregate

LEAST_CHARACTERS = 12
MOST_CHARACTERS = 256
FREE_TRIES = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{2,63}")


def check_login(login: str) -> str:
    """The login in small letters, which is how it is compared. Raises LoginMalformed."""
    small = login.strip().lower()
    if not _LOGIN.fullmatch(small):
        raise LoginMalformed(field="login")
    return small


def check_password(password: str) -> str:
    """The password. Length is all that is asked of it (NIST SP 800-63B). Raises PasswordTooShort or PasswordTooLong."""
    if len(password) < LEAST_CHARACTERS:
        raise PasswordTooShort(field="password", least=LEAST_CHARACTERS)
    if len(password) > MOST_CHARACTERS:
        raise PasswordTooLong(field="password", most=MOST_CHARACTERS)
    return password


@dataclass
class Account(Aggregate):
    """The one local account of a person."""

    login: str
    person_id: str
    password_hash: str


@dataclass
class SignInTries(Aggregate):
    """The tries at one login since it last succeeded, whether or not there is such a login."""

    key: str
    count: int
    last: datetime

    def take(self, now: datetime) -> None:
        """Count one more try, before it is known whether it succeeds: tries at once must not slip through together.

        After five tries each has to wait, 30 seconds at first and twice as long every time, a quarter of an hour at
        most. Raises SignInBlocked, with nothing counted.
        """
        free_at = self.last + self._pause()
        if now < free_at:
            raise SignInBlocked(field="login", seconds=ceil((free_at - now).total_seconds()))
        self.count += 1
        self.last = now

    def _pause(self) -> timedelta:
        if self.count < FREE_TRIES:
            return timedelta(0)
        return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(self.count - FREE_TRIES, 16)))
