"""Wait on a condition instead of sleeping."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

INTERVAL_SECONDS = 0.02


async def eventually(
    condition: Callable[[], Any], *, timeout: float = 60.0, what: str = "", value: object = None
) -> Any:
    """Ask `condition`, a plain or an async function, until it answers something true, or equal to `value` if given.

    Returns that answer. An AssertionError or LookupError in between means "not yet"; any other error is let through.
    After `timeout` seconds raises AssertionError with the last answer, so that a failure says what was missing.
    The time-out only bounds a hanging test: nothing is asserted about how long the condition took.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    last: object = "nothing yet"
    while True:
        try:
            answer = condition()
            result = await answer if inspect.isawaitable(answer) else answer
            if result == value if value is not None else result:
                return result
            last = f"last answer {result!r}"
        except (AssertionError, LookupError) as error:
            last = f"last error {type(error).__name__}: {error}"
        if asyncio.get_running_loop().time() >= deadline:
            wanted = what or getattr(condition, "__name__", "the condition")
            expected = f" to be {value!r}" if value is not None else ""
            raise AssertionError(f"waited {timeout:g} s for {wanted}{expected}: {last}")
        await asyncio.sleep(INTERVAL_SECONDS)
