"""What the answers of a batch have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

from sangkien.directory.domain.errors import BatchTooLarge

LARGEST_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Registered:
    """The id something is known by; `already` when it was known before."""

    id: str
    already: bool


def check_batch(items: Sequence[object], field: str) -> None:
    """Raises BatchTooLarge beyond 1,000 items."""
    if len(items) > LARGEST_BATCH:
        raise BatchTooLarge(field=field, count=len(items), limit=LARGEST_BATCH)
