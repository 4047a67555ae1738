"""Which error means what for a message. The class decides, never the text."""

import random
import traceback
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal, get_args

import nats.errors

from sangkien.contracts.events import UndecodableEvent
from sangkien.kernel import Refusal
from sangkien.messaging.cloudevents import MissingHeader
from sangkien.messaging.incoming import Later, UnderWay
from sangkien.store import Conflict, StoreUnavailable

FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 30.0
RERUNS = 5
REMEMBERED_TRIES = 20_000

Fate = Literal["transient", "later", "conflict", "refused", "undecodable", "bug"]

TRIES: dict[Fate, int] = {"later": 40, "conflict": 40, "bug": 5, "refused": 1, "undecodable": 1}
"""After how many failures of one kind a message is dead-lettered. What is transient never is."""

REASONS: dict[Fate, str] = {"later": "dependency_missing"}
"""The reason a dead letter carries where it is not the fate's own name; a refusal carries its code."""

_REMOTE_TRANSIENT = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED"})

IsTransient = Callable[[Exception], bool]


def is_transient(error: Exception) -> bool:
    """Whether the same message may well succeed once a server answers again.

    That is an unreachable store, broker, file or network, anything that timed out, and a gRPC call that came back
    UNAVAILABLE or DEADLINE_EXCEEDED (recognised by its `code()`, and `RemoteUnavailable` by name: this library does
    not know gRPC).
    """
    if isinstance(error, StoreUnavailable | TimeoutError | OSError | nats.errors.Error):
        return True
    if any(kind.__name__ == "RemoteUnavailable" for kind in type(error).__mro__):
        return True
    code = getattr(error, "code", None)
    return callable(code) and getattr(code(), "name", "") in _REMOTE_TRANSIENT


def classify(error: Exception, transient: IsTransient = is_transient) -> Fate:
    """What becomes of a message whose handling raised `error`."""
    if isinstance(error, Later):
        return "transient" if isinstance(error, UnderWay) else "later"
    if isinstance(error, Refusal):
        return "refused"
    if isinstance(error, UndecodableEvent | MissingHeader):
        return "undecodable"
    if isinstance(error, Conflict):
        return "conflict"
    return "transient" if transient(error) else "bug"


def reason_of(fate: Fate, error: Exception) -> str:
    """The stable word a dead letter is filed under."""
    return error.code if isinstance(error, Refusal) else REASONS.get(fate, fate)


def detail_of(error: Exception) -> str:
    """What an operator needs to find the cause, on one line: places and ids, never a message, which may quote data."""
    if isinstance(error, Refusal | UndecodableEvent | MissingHeader | Later):
        text = str(error)
    else:
        frames = traceback.extract_tb(error.__traceback__)
        where = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
        text = f"{type(error).__qualname__}{where}"
    # It travels in a header: one line of ASCII.
    return "".join(c if c.isprintable() else " " for c in text).encode("ascii", "backslashreplace").decode()[:300]


def delay_seconds(failures: int) -> float:
    """How long to wait after so many failures: doubling, bounded, and jittered so that a crowd does not come back."""
    longest = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(failures - 1, 16))
    return longest * random.uniform(0.75, 1.0)  # noqa: S311 (spread, not secrecy)


class Tries:
    """How often each message failed in which way, in this process; bounded, the longest untouched forgotten first.

    The broker's delivery count would not do: it also counts the deliveries that met an unreachable store.
    """

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[int, Fate], int] = OrderedDict()

    def failed(self, stream_seq: int, fate: Fate) -> int:
        """Count one more failure; returns how many there are now."""
        key = (stream_seq, fate)
        count = self._counts.pop(key, 0) + 1
        self._counts[key] = count
        if len(self._counts) > REMEMBERED_TRIES:
            self._counts.popitem(last=False)
        return count

    def settled(self, stream_seq: int) -> None:
        """Forget a message that is done with."""
        if self._counts:
            for fate in get_args(Fate):
                self._counts.pop((stream_seq, fate), None)
