"""Messages a consumer gave up on: how they are put aside, read, and sent out again.

A dead letter is the original body and headers on `dlq.<service>.<consumer>`, with `x-dlq-*` headers that say why. It
stays until it is replayed. A replay goes to `replay.<publisher>.<consumer>.<original subject>`, so that only the
consumer that failed gets it; the event keeps its id, and the inbox makes a second replay harmless.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from sangkien.contracts.topology import DEAD_LETTERS, ConsumerSpec, Topology, replay_prefix
from sangkien.kernel import Refusal
from sangkien.messaging import cloudevents as ce

REASON = "x-dlq-reason"
DETAIL = "x-dlq-detail"
AT = "x-dlq-at"
DELIVERIES = "x-dlq-deliveries"
CONSUMER = "x-dlq-consumer"
ORIGIN_STREAM = "x-dlq-stream"
ORIGIN_SEQ = "x-dlq-seq"
ORIGIN_SUBJECT = "x-dlq-subject"

PUBLISH_SECONDS = 5.0
LONGEST_LIST = 1_000

# What the broker reads or writes itself must not be copied from one message to another.
_BROKERS_OWN = "nats-"


class DeadLetterNotFound(Refusal):
    """There is no dead letter under this number (any more: a replayed one is gone). Facts: `seq`."""

    code = "dead_letter_not_found"
    kind = "not_found"


class DeadLetterUnroutable(Refusal):
    """The topology no longer knows the consumer that gave up, so nobody would get the replay. Facts: `seq`."""

    code = "dead_letter_unroutable"
    kind = "precondition"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message put aside; `seq` names it.

    `reason` is a stable word: a refusal's code, `bug`, `undecodable`, `dependency_missing` or `conflict`; `detail` says
    where, without the data. The ids are "" when the message lacked them; `event_type` is then the subject it came on,
    which is the same for a message of ours.
    """

    seq: int
    service: str
    consumer: str
    reason: str
    detail: str
    at: datetime
    deliveries: int
    event_id: str
    event_type: str
    aggregate_id: str
    traceparent: str
    origin_stream: str
    origin_seq: int
    body: bytes


async def put_aside(
    js: JetStreamContext, message: Msg, consumer: ConsumerSpec, *, reason: str, detail: str, at: datetime
) -> None:
    """Store `message` as a dead letter; returns once the broker has acknowledged it. Raises nats errors.

    Doing it twice for one delivery stores it once, by the message's place in its stream. The time it was stored there
    is part of the id: a stream made anew counts from 1 again.
    """
    place = message.metadata
    headers = {k: v for k, v in (message.headers or {}).items() if not k.lower().startswith(_BROKERS_OWN)}
    headers |= {
        ce.MESSAGE_ID: f"{place.stream}:{consumer.name}:{place.sequence.stream}:{place.timestamp.timestamp():.6f}",
        REASON: reason,
        DETAIL: detail,
        AT: at.isoformat(),
        DELIVERIES: str(place.num_delivered),
        CONSUMER: consumer.name,
        ORIGIN_STREAM: place.stream,
        ORIGIN_SEQ: str(place.sequence.stream),
        ORIGIN_SUBJECT: _original_subject(message.subject),
    }
    await js.publish(
        f"dlq.{consumer.service}.{consumer.name}",
        message.data,
        stream=DEAD_LETTERS,
        headers=headers,
        timeout=PUBLISH_SECONDS,
    )


class DeadLetters:
    """The dead letters of a node, for operators."""

    def __init__(self, js: JetStreamContext, topology: Topology) -> None:
        self._js = js
        self._topology = topology

    async def list(self, service: str | None = None, *, limit: int = 100, after: int = 0) -> list[DeadLetter]:
        """Up to `limit` (at most 1,000) dead letters beyond `after`, oldest first; of one consuming service, or all.

        Pass the last `seq` as `after` for the next stretch. An absent stream holds none.
        """
        subject = f"dlq.{service}.>" if service else "dlq.>"
        found: list[DeadLetter] = []
        while len(found) < min(limit, LONGEST_LIST):
            try:
                raw = await self._js.get_msg(DEAD_LETTERS, seq=after + 1, subject=subject, next=True)
            except NotFoundError:
                break
            found.append(_read(raw))
            after = found[-1].seq
        return found

    async def get(self, seq: int) -> DeadLetter:
        """Raises DeadLetterNotFound."""
        return _read(await self._raw(seq))

    async def replay(self, seq: int) -> None:
        """Send it out again to the consumer that gave up, and remove it once the broker holds the replay.

        Raises DeadLetterNotFound (a second call after a first that succeeded does) and DeadLetterUnroutable. When it
        is cut off in between, the dead letter stays and may be replayed again: the effect still happens once.
        """
        raw = await self._raw(seq)
        letter = _read(raw)
        try:
            consumer = self._topology.consumer(letter.consumer)
        except KeyError:
            raise DeadLetterUnroutable(field="seq", seq=seq) from None
        headers = {k: v for k, v in (raw.headers or {}).items() if not k.lower().startswith((_BROKERS_OWN, "x-dlq-"))}
        # Its own id, or the broker would take it for the message that was stored first; the same id for a second click.
        headers[ce.MESSAGE_ID] = f"replay:{seq}:{letter.at.timestamp():.6f}"
        origin = _headers(raw).get(ORIGIN_SUBJECT) or letter.event_type
        await self._js.publish(
            f"{replay_prefix(consumer.stream, consumer.name)}.{origin}",
            letter.body,
            stream=consumer.stream,
            headers=headers,
            timeout=PUBLISH_SECONDS,
        )
        await self._js.delete_msg(DEAD_LETTERS, seq)

    async def _raw(self, seq: int) -> RawStreamMsg:
        try:
            return await self._js.get_msg(DEAD_LETTERS, seq=seq)
        except NotFoundError:
            raise DeadLetterNotFound(field="seq", seq=seq) from None


def _read(raw: RawStreamMsg) -> DeadLetter:
    headers = _headers(raw)
    _, service, consumer, *_ = [*(raw.subject or "").split(".", 2), "", ""]
    at = headers.get(AT)
    return DeadLetter(
        seq=raw.seq or 0,
        service=service,
        consumer=headers.get(CONSUMER, consumer),
        reason=headers.get(REASON, ""),
        detail=headers.get(DETAIL, ""),
        at=datetime.fromisoformat(at) if at else raw.time or datetime.fromtimestamp(0, UTC),
        deliveries=int(headers.get(DELIVERIES, "0")),
        event_id=headers.get(ce.ID, ""),
        event_type=headers.get(ce.TYPE) or headers.get(ORIGIN_SUBJECT, ""),
        aggregate_id=headers.get(ce.SUBJECT, ""),
        traceparent=headers.get(ce.TRACEPARENT, ""),
        origin_stream=headers.get(ORIGIN_STREAM, ""),
        origin_seq=int(headers.get(ORIGIN_SEQ, "0")),
        body=raw.data or b"",
    )


def _headers(raw: RawStreamMsg) -> Mapping[str, str]:
    return raw.headers or {}


def _original_subject(subject: str) -> str:
    """A replayed message that failed again still belongs to the subject it was first published on."""
    return subject.split(".", 3)[3] if subject.startswith("replay.") else subject
