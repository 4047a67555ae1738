"""What keeps FastStream's batch loop quick when there is work and quiet when there is trouble."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import nats.errors
from nats.aio.msg import Msg

TROUBLE_PAUSE_SECONDS = 0.5


class Pull(Protocol):
    """The part of a pull subscription that FastStream's loop uses."""

    async def fetch(self, batch: int, timeout: float | None) -> list[Msg]: ...

    async def unsubscribe(self) -> None: ...


class SteadyPull:
    """A pull subscription under FastStream's batch loop, with three habits changed.

    The loop waits its whole time-out for a batch to fill: here a round ends as soon as there is something to handle.
    A consumer or stream that is gone answers every request at once, and the loop asks again at once, for ever and in
    silence: here it pauses and calls `on_trouble`. Some of the client's errors end the loop's task: here they do not.
    """

    def __init__(self, inner: Pull, *, batch: int, on_trouble: Callable[[], None]) -> None:
        self._inner = inner
        self._batch = batch
        self._on_trouble = on_trouble
        self.closing = False
        """Set before the subscriber is stopped: what still arrives is given back for immediate redelivery."""

    async def fetch(self, batch: int, timeout: float | None) -> list[Msg]:
        """Up to `batch` messages. Raises nats TimeoutError when the round is over, or nothing came in `timeout`."""
        if batch < self._batch:
            raise nats.errors.TimeoutError
        loop = asyncio.get_running_loop()
        asked = loop.time()
        try:
            messages = await self._inner.fetch(batch, timeout)
        except (nats.errors.Error, TimeoutError):
            messages = []
        if self.closing:
            await self._give_back(messages)
            await asyncio.sleep(TROUBLE_PAUSE_SECONDS)
        elif messages:
            return messages
        elif loop.time() - asked < min(TROUBLE_PAUSE_SECONDS, timeout or TROUBLE_PAUSE_SECONDS) / 2:
            self._on_trouble()
            await asyncio.sleep(TROUBLE_PAUSE_SECONDS)
        raise nats.errors.TimeoutError

    async def unsubscribe(self) -> None:
        """Never raises: a connection that is gone has no subscriptions either."""
        with suppress(nats.errors.Error):
            await self._inner.unsubscribe()

    async def _give_back(self, messages: list[Msg]) -> None:
        for message in messages:
            with suppress(nats.errors.Error):
                await message.nak()
