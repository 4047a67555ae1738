"""Calling services that may be down for a moment, and waiting for what they will have done."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sangkien.rpc import retrying

T = TypeVar("T")
R = TypeVar("R")

CALL_AGAIN_S = 120.0
WAIT_S = 240.0
LOOK_AGAIN_S = 0.1


class WaitedTooLong(Exception):
    """Something that was to happen did not. The text says what was waited for, and the last that was seen."""


async def patiently(method: Callable[[R], Awaitable[T]], request: R) -> T:
    """Repeat a call that carries an idempotency key, or changes nothing twice, while nobody answers it."""

    async def call() -> T:
        return await method(request)

    return await retrying(call, deadline=CALL_AGAIN_S, longest_delay=0.5)


async def until(
    what: str, look: Callable[[], Awaitable[T]], done: Callable[[T], bool], seen: Callable[[T], None] = lambda _: None
) -> T:
    """Look again and again until `done`. Raises WaitedTooLong when nothing new is seen for a long time."""
    last: T | None = None
    changed = time.monotonic()
    while True:
        found = await retrying(look, deadline=CALL_AGAIN_S, longest_delay=0.5)
        if done(found):
            seen(found)
            return found
        if found != last:
            last, changed = found, time.monotonic()
            seen(found)
        if time.monotonic() - changed > WAIT_S:
            raise WaitedTooLong(f"waited for {what}; last seen: {found}")
        await asyncio.sleep(LOOK_AGAIN_S)
