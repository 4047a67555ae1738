"""Exchange a login and its password for a short token."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sangkien.directory.application.ports import Accounts, Commit, Mint, Now, Passwords, People, Today
from sangkien.directory.domain.account import MOST_CHARACTERS, Account
from sangkien.directory.domain.errors import SignInFailed
from sangkien.store import Conflict
from sangkien.store.deciding import decided_again

FORGET_TRIES_AFTER = timedelta(days=1)
MOST_LOGIN_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A token of a person and when it ends."""

    token: str = field(repr=False)
    expires_at: datetime
    person_id: str


class SignIn:
    """Answers an unknown login and a wrong password alike, in words and in time, and slows down who keeps guessing."""

    def __init__(
        self,
        people: People,
        accounts: Accounts,
        passwords: Passwords,
        mint: Mint,
        commit: Commit,
        *,
        now: Now,
        today: Today,
        lifetime: timedelta,
    ) -> None:
        self._people = people
        self._accounts = accounts
        self._passwords = passwords
        self._mint = mint
        self._commit = commit
        self._now = now
        self._today = today
        self._lifetime = lifetime

    async def __call__(self, login: str, password: str) -> SignedIn:
        """Raises SignInFailed, SignInBlocked or StoreOlder."""
        login = login.strip().lower()[: MOST_LOGIN_CHARACTERS + 1]
        await decided_again(lambda: self._take_a_try(login))
        account = await self._accounts.by_login(login) if login else None
        hashed = account.password_hash if account else None
        fits = await self._passwords.verify(hashed, password[: MOST_CHARACTERS + 1])
        if account is None or not fits:
            raise SignInFailed
        person = (await self._people.get_many([account.person_id])).get(account.person_id)
        if person is None:
            raise SignInFailed
        await self._commit([self._accounts.reset_tries(login)])
        await self._strengthen(account, password)
        organisation_id, roles = await self._standing(person.id, person.organisation_id, self._today())
        expires_at = self._now() + self._lifetime
        token = self._mint(person.id, roles, organisation_id, self._lifetime.total_seconds())
        return SignedIn(token, expires_at, person.id)

    async def _take_a_try(self, login: str) -> None:
        now = self._now()
        tries = await self._accounts.tries(login)
        tries.take(now)
        stale = await self._accounts.forget_tries_before(now - FORGET_TRIES_AFTER, but=tries)
        await self._commit([*stale, self._accounts.save_tries(tries)])

    async def _strengthen(self, account: Account, password: str) -> None:
        """Hash again with today's settings, now that the password is at hand."""
        if self._passwords.outdated(account.password_hash):
            account.password_hash = await self._passwords.hash(password)
            with suppress(Conflict):  # the password was changed this very moment: the new one is hashed already
                await self._commit([self._accounts.save(account)])

    async def _standing(self, person_id: str, own: str, today: date) -> tuple[str, frozenset[str]]:
        """The organisation the person acts for, and the roles held there today.

        It is the one they work in, unless they hold roles only elsewhere: a council's secretary may be a school's
        teacher.
        """
        held = {book.organisation_id: book.held_on(today) for book in await self._people.all_roles(person_id)}
        if not held.get(own):
            for organisation_id, roles in held.items():
                if roles:
                    return organisation_id, roles
        return own, held.get(own, frozenset())
