"""Publishing many messages at once: written in one go, acknowledged in any order, waited for together.

The client's own `publish_async` makes a future, a slot and three callbacks of every message, checks each header by a
pattern, and its futures never time out. Here a batch is one piece of wire protocol, and one subscription
takes the acknowledgements of all batches. Two methods of the client that it uses itself for this are called from here.
"""

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError, NoStreamResponseError

from sangkien.messaging.cloudevents import Headers, encoded

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
    """Messages that leave together. Answers are kept by the place of the message in the batch."""

    def __init__(self, client: Client, inbox: str, number: int) -> None:
        self._client = client
        self._reply = f"{inbox}.{number}-"
        self.number = number
        self._written: list[bytes] = []
        self._answers: list[Answer] = []
        self._unanswered = 0
        self._over = asyncio.Event()

    def add(self, subject: str, body: bytes, headers: Headers) -> None:
        """One more message (HPUB of the NATS client protocol). Subject and header names are taken as they are."""
        head = b"NATS/1.0\r\n%b\r\n" % encoded(headers)
        reply = f"{self._reply}{len(self._answers)}"
        command = f"HPUB {subject} {reply} {len(head)} {len(head) + len(body)}\r\n".encode()
        self._written += (command, head, body, b"\r\n")
        self._answers.append(None)
        self._unanswered += 1

    async def answers(self, seconds: float) -> list[Answer]:
        """Send all, and give the answer to each, in order, once all are there or the time is over."""
        if not self._unanswered:
            return []
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._client._send_command(b"".join(self._written))  # noqa: SLF001 (see above)
                await self._client._flush_pending()  # noqa: SLF001
                await self._over.wait()
        return self._answers

    def give_up(self) -> None:
        """The connection is lost: nobody will answer any more."""
        self._over.set()

    def answered(self, place: int, answer: Answer) -> None:
        if self._answers[place] is None:
            self._answers[place] = answer
            self._unanswered -= 1
            if not self._unanswered:
                self._over.set()


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
