"""Set the login and password of a person's local account."""

from dataclasses import dataclass, field

from sangkien.directory.application.ports import Accounts, Commit, Passwords, People
from sangkien.directory.domain.account import Account, check_login, check_password
from sangkien.directory.domain.errors import LoginTaken, PasswordNotYours, PersonUnknown
from sangkien.store import Op
from sangkien.store.deciding import decided_again


@dataclass(frozen=True, slots=True)
class NewPassword:
    """`caller_id` asks for it: the person, or an operator for anybody."""

    person_id: str
    login: str
    password: str = field(repr=False)
    caller_id: str
    caller_is_operator: bool


class SetPassword:
    """A person has one account; setting it again changes login and password, and forgets failed tries."""

    def __init__(self, people: People, accounts: Accounts, passwords: Passwords, commit: Commit) -> None:
        self._people = people
        self._accounts = accounts
        self._passwords = passwords
        self._commit = commit

    async def __call__(self, new: NewPassword) -> None:
        """Raises PasswordNotYours, LoginMalformed, PasswordTooShort, PasswordTooLong, PersonUnknown or LoginTaken."""
        if not new.caller_is_operator and new.caller_id != new.person_id:
            raise PasswordNotYours
        login = check_login(new.login)
        check_password(new.password)
        if new.person_id not in await self._people.get_many([new.person_id]):
            raise PersonUnknown(field="person_id")
        hashed = await self._passwords.hash(new.password)

        async def decide() -> None:
            account = await self._accounts.by_login(login)
            if account is not None and account.person_id != new.person_id:
                raise LoginTaken(field="login")
            ops: list[Op] = [self._accounts.reset_tries(login)]
            if account is None:
                old = await self._accounts.of_person(new.person_id)
                ops += [self._accounts.remove(old)] if old is not None else []
                account = Account(login, new.person_id, "")
            account.password_hash = hashed
            await self._commit([*ops, self._accounts.save(account)])

        await decided_again(decide)
