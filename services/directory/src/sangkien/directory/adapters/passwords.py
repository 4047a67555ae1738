"""Password hashes with Argon2id (RFC 9106), in threads."""

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# The OWASP Password Storage Cheat Sheet's setting for little memory: a service is to stay within 90 MiB.
_MEMORY_KIB, _PASSES, _LANES = 19_456, 2, 1
_AT_ONCE = 2


class Argon2Passwords:
    """The `Passwords` port. At most two hashes are computed at a time; who comes then waits."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
        self._nobodys = self._hasher.hash("nobody has this password")
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        async with self._turns:
            fits = await asyncio.to_thread(self._fits, password_hash or self._nobodys, _normal(password))
        return fits and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> str:
    """One text for what different keyboards send for the same Vietnamese letters."""
    return unicodedata.normalize("NFC", password)
