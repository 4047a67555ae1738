"""The four streams of a link (ADR 0008): bounded, the oldest goes first, and a source that can be taken up anew."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, repeat
from typing import Final

import nats.errors
import structlog
from nats.js import JetStreamContext
from nats.js.api import (
    DiscardPolicy,
    ExternalStream,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamSource,
    SubjectTransform,
)
from nats.js.errors import NotFoundError

from sangkien.federation.accounts import DOWN_BYTES, FED_BYTES, MiB
from sangkien.federation.connection import end
from sangkien.federation.errors import LinkDown
from sangkien.federation.names import Names
from sangkien.runtime import utc_now

MOST_AGE_SECONDS: Final = 7 * 24 * 3600.0
LOCAL_BYTES: Final = 256 * MiB
DUPLICATE_SECONDS: Final = 0.1
"""The least the server allows. Numbers in the chains decide what is a repeat: a longer window would swallow an offer
that is made again because the first one was lost on its way."""
STALLED_SECONDS: Final = 10.0
"""A source that works hears a heartbeat each second."""
_NANO: Final = 1e9
_PAUSES: Final = (0.2, 0.3, 0.5, 1.0, 3.0, 5.0)
_LAST_PAUSE: Final = 8.0
_LEAST_BETWEEN: Final = 1.0

_log = structlog.get_logger("sangkien.federation")


def out_stream(names: Names) -> StreamConfig:
    """At the leaf: what the node says, `out.<receiver>.<type>`."""
    return _stream(names.out, LOCAL_BYTES).evolve(subjects=["out.>"])


def fed_stream(names: Names) -> StreamConfig:
    """At the hub: what the node said, stamped `fed.<node>.<receiver>.<type>`. The name's part in it is the stamp."""
    external = ExternalStream(api=f"$JS.{names.domain}.API", deliver=names.deliver_up)
    source = StreamSource(
        name=names.out,
        external=external,
        subject_transforms=[SubjectTransform(src="out.>", dest=f"fed.{names.node}.>")],
    )
    return _stream(names.fed, FED_BYTES).evolve(sources=[source])


def down_stream(names: Names) -> StreamConfig:
    """At the hub: what waits for the node, `down.<sender>.<type>`."""
    return _stream(names.down, DOWN_BYTES).evolve(subjects=["down.>"])


def in_stream(names: Names) -> StreamConfig:
    """At the leaf: what arrived, `in.<sender>.<type>`."""
    source = StreamSource(
        name=names.down,
        external=ExternalStream(api="$JS.hub.API", deliver=names.deliver_down),
        subject_transforms=[SubjectTransform(src="down.>", dest="in.>")],
    )
    return _stream(names.in_, LOCAL_BYTES).evolve(sources=[source])


async def put_right(js: JetStreamContext, wanted: StreamConfig) -> bool:
    """Create the stream, or bring it to `wanted`; returns whether it had to. Raises nats errors.

    Also mends one whose source was taken out by a process that then died.
    """
    try:
        found = (await js.stream_info(str(wanted.name))).config
    except NotFoundError:
        await js.add_stream(wanted)
        return True
    if _words(found) == _words(wanted):
        return False
    await js.update_stream(wanted.evolve(first_seq=found.first_seq))
    return True


async def begin_anew(js: JetStreamContext, stream: StreamConfig) -> None:
    """Empty the stream and go on above every sequence it ever had. Raises nats errors.

    Whoever sources it goes on above the sequence it read last, and would skip in silence what comes below. The next
    sequence is the time in milliseconds: more than the messages ever stored. The stream stays the same one: to a
    stream that was made anew under its name the server needs seconds to get used.
    """
    await put_right(js, stream)
    await js.purge_stream(str(stream.name), seq=int(utc_now().timestamp() * 1_000))


class Source:
    """The sourced stream at one end of a link, which is taken up anew whenever the link comes back.

    The server's own retry takes up to 40 s; without the source and with it again, the stream resumes at once, position
    kept. A task lives only while there is something to revive. `up` says whether the link stands; `gate` bounds how
    many do this at once.
    """

    def __init__(
        self,
        js: Callable[[], JetStreamContext],
        stream: StreamConfig,
        *,
        up: Callable[[], bool],
        gate: asyncio.Semaphore,
    ) -> None:
        self._js, self._stream, self._up, self._gate = js, stream, up, gate
        self._task: asyncio.Task[None] | None = None
        self._again = asyncio.Event()
        self._last = float("-inf")
        self.revived = 0
        """How often the source was taken up anew."""

    def revive(self) -> None:
        """Call when the link came back. Never raises; goes on until messages flow or the link is gone again."""
        self._again.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._revive())

    async def check(self) -> None:
        """Revive if the link stands and the source does not work. Raises LinkDown, nats errors."""
        if self._up() and (self._task is None or self._task.done()) and not await self._flows():
            _log.warning("link_stalled", stream=self._stream.name)
            self.revive()

    async def close(self) -> None:
        if self._task is not None:
            await end(self._task)

    async def _revive(self) -> None:
        loop = asyncio.get_running_loop()
        while self._again.is_set() and self._up():
            # A leaf may ask for this as often as it likes; it gets it once a second.
            await asyncio.sleep(max(0.0, self._last + _LEAST_BETWEEN - loop.time()))
            self._again.clear()
            self._last = loop.time()
            for pause in chain(_PAUSES, repeat(_LAST_PAUSE)):
                with suppress(nats.errors.Error, TimeoutError, OSError, LinkDown):
                    async with self._gate:
                        await self._take_up()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._again.wait()  # the link came back once more: no long pause then
                with suppress(nats.errors.Error, TimeoutError, OSError, LinkDown):
                    if await self._flows():
                        break
                if self._again.is_set() or not self._up():
                    break

    async def _take_up(self) -> None:
        js = self._js()
        await js.update_stream(self._stream.evolve(sources=[]))
        await js.update_stream(self._stream)
        self.revived += 1

    async def _flows(self) -> bool:
        info = await self._js().stream_info(str(self._stream.name))
        source = next(iter(info.sources or ()), None)
        if source is None or source.error is not None or source.active is None:
            return False
        return 0 <= source.active / _NANO < STALLED_SECONDS


def _stream(name: str, most_bytes: int) -> StreamConfig:
    return StreamConfig(
        name=name,
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_age=MOST_AGE_SECONDS,
        max_bytes=most_bytes,
        duplicate_window=DUPLICATE_SECONDS,
    )


def _words(config: StreamConfig) -> tuple[object, ...]:
    sources = [
        (
            source.name,
            source.external.api if source.external else "",
            source.external.deliver if source.external else "",
            [(each.src, each.dest) for each in source.subject_transforms or ()],
        )
        for source in config.sources or ()
    ]
    # Without subjects and sources the server gives a stream its own name for a subject.
    subjects = list(config.subjects or ())
    window = f"{config.duplicate_window:g}"
    discard = DiscardPolicy(config.discard or DiscardPolicy.OLD)
    return subjects, sources, config.max_bytes, f"{config.max_age or 0:g}", window, discard
