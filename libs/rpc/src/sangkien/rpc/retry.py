"""Calling again, for callers whose calls carry an idempotency key."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sangkien.rpc.remote import RemoteUnavailable

T = TypeVar("T")

_DEFAULT_ATTEMPTS = 5


async def retrying(
    call: Callable[[], Awaitable[T]],
    *,
    attempts: int | None = None,
    deadline: float | None = None,
    on: tuple[type[BaseException], ...] = (RemoteUnavailable,),
    first_delay: float = 0.05,
    longest_delay: float = 2.0,
) -> T:
    """Repeat `call` while it raises one of `on`, then raise its last error.

    It is called at most `attempts` times and for `deadline` seconds; with neither given, five times. Delays double from
    `first_delay` to `longest_delay` seconds and are drawn at random below that ("full jitter"), so that callers cut off
    together do not come back together. `call` must be safe to repeat: a lost answer is no answer.
    """
    if attempts is None and deadline is None:
        attempts = _DEFAULT_ATTEMPTS
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + deadline if deadline is not None else float("inf")
    tried, longest = 0, first_delay
    while True:
        try:
            return await call()
        except on:
            tried += 1
            delay = random.uniform(0, longest)  # noqa: S311 (spreads load, hides nothing)
            if tried == attempts or loop.time() + delay >= give_up_at:
                raise
        await asyncio.sleep(delay)
        longest = min(longest * 2, longest_delay)
