"""Deciding again when another writer was faster."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sangkien.store import Conflict, Duplicate
from sangkien.store.deciding import ChangedMeanwhile

T = TypeVar("T")

TRIES = 20
"""Many: leaders who sign at the same moment all want the next number of one register, and one a turn gets it."""


async def decided_again(decide: Callable[[], Awaitable[T]]) -> T:
    """Call `decide`, which loads, decides and commits, until no other writer came in between.

    Raises ChangedMeanwhile after `TRIES`, with nothing written.
    """
    for _ in range(TRIES):
        try:
            return await decide()
        except (Conflict, Duplicate):
            continue
    raise ChangedMeanwhile
