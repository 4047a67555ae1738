"""Where a message stands in its sender's chain."""

import enum
from dataclasses import dataclass
from typing import Self

from sangkien.custody.claims import NOTHING_BEFORE
from sangkien.custody.seals import Seal


@dataclass(frozen=True, slots=True)
class Head:
    """The last of a chain that was taken. `hash` is of that seal; before the first, `n` is 0 and `hash` 64 zeros."""

    epoch: int
    n: int
    hash: str

    @classmethod
    def start(cls, epoch: int) -> Self:
        return cls(epoch, 0, NOTHING_BEFORE)

    @staticmethod
    def after(seal: Seal) -> "Head":
        """The head once this seal was taken. That it follows is for the caller to have seen."""
        return Head(seal.epoch, seal.n, seal.hash)


class Place(enum.Enum):
    """How a seal stands to a head."""

    FOLLOWS = "follows"
    """Take it."""
    REPEAT = "repeat"
    """Taken before: nothing to do."""
    GAP = "gap"
    """Something between is missing: not yet."""
    FORK = "fork"
    """The sender said something else under this number, or after another message than the one we have."""
    OTHER_EPOCH = "other_epoch"
    """Of another life of the sender."""


def place(head: Head, seal: Seal, known_hash: str | None = None) -> Place:
    """Say how a seal stands to a head.

    `known_hash` is the hash of the seal that was taken under the same number. For a number below the head's it tells
    a repeat from a fork; None means that it is not known any more: then it is a repeat, which changes nothing.
    """
    if seal.epoch != head.epoch:
        return Place.OTHER_EPOCH
    if seal.n > head.n + 1:
        return Place.GAP
    if seal.n == head.n + 1:
        return Place.FOLLOWS if seal.prev == head.hash else Place.FORK
    known = head.hash if seal.n == head.n else known_hash
    return Place.REPEAT if known is None or known == seal.hash else Place.FORK
