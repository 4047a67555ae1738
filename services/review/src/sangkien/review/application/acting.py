"""What several commands check alike before they decide."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sangkien.review.application.ports import DONE, Clock, Done
from sangkien.review.domain.errors import ActInFuture, NamedTwice, TextEmpty, TooManyItems

BATCH_LIMIT = 1_000
"""Items of one batch command: they are one unit of work."""


def check_batch(items: Sequence[object], field: str) -> None:
    """Raise TooManyItems."""
    if len(items) > BATCH_LIMIT:
        raise TooManyItems(field=field, limit=BATCH_LIMIT, items=len(items))


def check_text(**fields: str) -> None:
    """Raise TextEmpty for the first field without text."""
    for field, text in fields.items():
        if not text:
            raise TextEmpty(field=field)


def act_date(day: date | None, clock: Clock, field: str) -> date:
    """The day an act bears: the one given, or today in Hanoi. Raises ActInFuture."""
    today = clock.today()
    if day is not None and day > today:
        raise ActInFuture(field=field, day=day.isoformat())
    return day or today


def fingerprint(command: Any) -> str:
    """Tells a repeated request from another one under the same key: SHA-256 of all fields of the command."""
    return hashlib.sha256(json.dumps(asdict(command), default=str).encode()).hexdigest()


class Turns:
    """Lets each dossier of a call have one decision: what stands twice is the same, or refused."""

    def __init__(self) -> None:
        self._seen: dict[str, object] = {}

    def twice(self, dossier_id: str, item: object) -> Done | NamedTwice | None:
        """None for the first item about a dossier; DONE for its repeat; NamedTwice for a contradiction."""
        first = self._seen.setdefault(dossier_id, item)
        if first is item:
            return None
        return DONE if first == item else NamedTwice(field="dossier_id")
