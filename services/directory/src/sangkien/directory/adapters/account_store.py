"""Accounts and tries as documents. Tries are kept under a hash: a login typed by mistake may be a password."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from sangkien.directory.domain.account import Account, SignInTries
from sangkien.store import Delete, Document, Index, Op, Schema, Store, save

ACCOUNTS: Final = "accounts"
TRIES: Final = "sign_in_tries"

SCHEMA = Schema(
    (ACCOUNTS, TRIES),
    (Index(ACCOUNTS, ("person_id",), unique=True), Index(TRIES, ("last",))),
)

_FORGOTTEN_AT_ONCE = 5
_NEVER = datetime.min.replace(tzinfo=UTC)


class StoredAccounts:
    """The `Accounts` port on a store. Logins are given in small letters."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def by_login(self, login: str) -> Account | None:
        return _account(await self._store.get(ACCOUNTS, login))

    async def of_person(self, person_id: str) -> Account | None:
        found = await self._store.find(ACCOUNTS, {"person_id": person_id}, limit=1)
        return _account(found[0]) if found else None

    async def tries(self, login: str) -> SignInTries:
        key = _key(login)
        document = await self._store.get(TRIES, key)
        if document is None:
            return SignInTries(key, 0, _NEVER)
        tries = SignInTries(key, document["count"], datetime.fromtimestamp(document["last"] / 1000, UTC))
        tries.version = document["ver"]
        return tries

    async def forget_tries_before(self, when: datetime, *, but: SignInTries) -> list[Op]:
        stale = await self._store.find(TRIES, {"last": {"lt": _milliseconds(when)}}, limit=_FORGOTTEN_AT_ONCE)
        return [Delete(TRIES, document["_id"]) for document in stale if document["_id"] != but.key]

    def save(self, account: Account) -> Op:
        document = {"_id": account.login, "person_id": account.person_id, "password_hash": account.password_hash}
        return save(ACCOUNTS, document, account.version)

    def remove(self, account: Account) -> Op:
        return Delete(ACCOUNTS, account.login)

    def save_tries(self, tries: SignInTries) -> Op:
        document = {"_id": tries.key, "count": tries.count, "last": _milliseconds(tries.last)}
        return save(TRIES, document, tries.version)

    def reset_tries(self, login: str) -> Op:
        return Delete(TRIES, _key(login))


def _account(document: Document | None) -> Account | None:
    if document is None:
        return None
    account = Account(document["_id"], document["person_id"], document["password_hash"])
    account.version = document["ver"]
    return account


def _key(login: str) -> str:
    return sha256(login.encode()).hexdigest()


def _milliseconds(when: datetime) -> int:
    return int(when.timestamp() * 1000)
