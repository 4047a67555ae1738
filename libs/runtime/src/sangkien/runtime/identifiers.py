"""Ids and the clock: the two sources of surprise that a composition root hands to the layers below."""

import os
import threading
import time
from datetime import UTC, datetime
from functools import lru_cache

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [high + low for high in _CROCKFORD for low in _CROCKFORD]  # ten bits each, thirteen to a ULID
_SHIFTS = range(110, -1, -10)
_RANDOM_BITS = 80

_lock = threading.Lock()
_last = 0  # the last id given out, as a number


def new_id() -> str:
    """A ULID (github.com/ulid/spec): 26 upper-case Crockford characters that sort by the time they were made.

    Ids of one process strictly increase, over threads and when the clock is set back. A forked child starts afresh.
    """
    global _last  # noqa: PLW0603 (the whole point is one counter a process)
    now = time.time_ns() // 1_000_000
    with _lock:
        if now > _last >> _RANDOM_BITS:
            _last = now << _RANDOM_BITS | int.from_bytes(os.urandom(_RANDOM_BITS // 8))
        else:
            _last += 1
        number = _last
    return _text(number)


def first_id(at: datetime) -> str:
    """The lowest id there can be of that moment: what was made before it sorts below. Aware, to the millisecond."""
    return _text(int(at.timestamp() * 1000) << _RANDOM_BITS)


def _text(number: int) -> str:
    return _head(number >> 10) + _PAIRS[number & 1023]


@lru_cache(maxsize=1)
def _head(number: int) -> str:
    """All of an id but its last two characters: mostly the same for all that a process makes within a millisecond."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


def _forget_last() -> None:
    global _last, _lock
    _last, _lock = 0, threading.Lock()


os.register_at_fork(after_in_child=_forget_last)
