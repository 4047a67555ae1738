"""A service's own token, renewed before it runs out."""

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable


class RenewedToken:
    """A token source for `connect`: `await source()` gives a token with at least a fifth of its life left.

    `fetch` asks directory for a new one; only one such question is under way at a time. When it fails and the old token
    is still good, the old one is given; else the failure is raised.
    """

    def __init__(self, fetch: Callable[[], Awaitable[str]], *, now: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._now = now
        self._fetching = asyncio.Lock()
        self._token = ""
        self._renew_at = 0.0
        self._expires_at = 0.0

    async def __call__(self) -> str:
        if self._now() >= self._renew_at:
            async with self._fetching:
                if self._now() >= self._renew_at:
                    await self._renew()
        return self._token

    async def _renew(self) -> None:
        now = self._now()
        try:
            self._token = await self._fetch()
        except Exception:
            if now >= self._expires_at:
                raise
            self._renew_at = now + min(1.0, self._expires_at - now)
            return
        self._expires_at = _expiry(self._token)
        self._renew_at = now + (self._expires_at - now) * 0.8


def _expiry(token: str) -> float:
    """`exp` as the token itself says it; the one who receives it is the one who verifies."""
    payload = token.split(".")[1]
    return float(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])
