"""Publishing many messages at once: sent one after the other, acknowledged in any order, waited for together.

The client's own `publish_async` makes a future, a slot and three callbacks of every message, and its futures never time
out. Here a batch has one future, and one subscription takes the acknowledgements of all batches.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError, NoStreamResponseError

_NO_RESPONDERS = "503"


class Ack(msgspec.Struct):
    """The broker holds the message under `seq`; `duplicate` when it says that it did before."""

    seq: int = 0
    duplicate: bool = False
    error: dict[str, Any] | None = None


Answer = Ack | Exception | None
"""What the broker said to a message; None when it said nothing in time."""

_read = msgspec.json.Decoder(Ack).decode


class Publisher:
    """Publishes to JetStream on one connection, one batch at a time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inbox = ""
        self._batch = Batch(client, "", 0)

    async def begin(self) -> "Batch":
        """A new batch. What is still unanswered of the one before is given up. Raises nats errors."""
        if not self._inbox:
            inbox = self._client.new_inbox()
            await self._client.subscribe(f"{inbox}.*", cb=self._take)
            self._inbox = inbox
        self._batch = Batch(self._client, self._inbox, self._batch.number + 1)
        return self._batch

    async def _take(self, message: Msg) -> None:
        number, _, place = message.subject[len(self._inbox) + 1 :].partition("-")
        if int(number) == self._batch.number:
            self._batch.answered(int(place), _answer(message))


class Batch:
    """Messages under way. Answers are kept by the place of the message in the batch."""

    def __init__(self, client: Client, inbox: str, number: int) -> None:
        self._client = client
        self._reply = f"{inbox}.{number}-"
        self.number = number
        self._answers: list[Answer] = []
        self._unanswered = 0
        self._all = asyncio.Event()
        self._lost = False

    async def send(self, subject: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Put one message on its way. Raises nats errors when the connection cannot take it."""
        self._answers.append(None)
        self._unanswered += 1
        self._all.clear()
        await self._client.publish(subject, body, f"{self._reply}{len(self._answers) - 1}", dict(headers))

    async def answers(self, seconds: float) -> list[Answer]:
        """The answer to each message sent, in order, once all are there or the time is over."""
        if self._unanswered and not self._lost:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._all.wait()
        return self._answers

    def give_up(self) -> None:
        """The connection is lost: nobody will answer any more."""
        self._lost = True
        self._all.set()

    def answered(self, place: int, answer: Answer) -> None:
        if self._answers[place] is None:
            self._answers[place] = answer
            self._unanswered -= 1
            if not self._unanswered:
                self._all.set()


def _answer(message: Msg) -> Ack | Exception:
    if message.headers and message.headers.get("Status") == _NO_RESPONDERS:
        return NoStreamResponseError()
    try:
        ack = _read(message.data)
        if ack.error is not None:
            APIError.from_error(ack.error)  # raises
    except (APIError, ValueError) as error:
        return error
    return ack
