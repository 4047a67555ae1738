"""Units of work, checked and encoded where they are submitted, so that writing them is little Python."""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from operator import itemgetter
from typing import Any, Final

import msgspec

from sangkien.store.checks import MAX_BYTES, check_declared, check_document, check_id, check_version
from sangkien.store.errors import Invalid
from sangkien.store.port import Delete, Insert, Op, Replace

_encode = msgspec.json.Encoder().encode
_batch = itemgetter(0)

DELETE: Final = 0
REPLACE: Final = 1
INSERT: Final = 2

Batch = tuple[int, str]
"""Which statement a row goes to: kind and collection.

Kinds are numbered in the order they run where order is free: a delete or replace may free a unique key that an insert
takes, and a stale replace is to be found before a taken key.
"""

WIDTH: Final = (1, 3, 2)
"""Parameters per row, by kind."""


class Unit:
    """One ``apply``: its rows by statement, the keys it touches, and the future that waits for the commit."""

    __slots__ = ("future", "in_any_order", "keys", "rows", "steps")

    def __init__(self, steps: list[tuple[Batch, tuple[Any, ...]]], future: asyncio.Future[None]) -> None:
        self.future = future
        self.keys = {(batch[1], row[0]) for batch, row in steps}
        self.in_any_order = len(self.keys) == len(steps)
        """True when no document occurs twice, so that the steps need not run one after another."""
        if self.in_any_order:
            steps.sort(key=_batch)
        self.steps = steps
        rows: dict[Batch, list[Any]] = {}
        for batch, row in steps:
            flat = rows.get(batch)
            if flat is None:
                rows[batch] = list(row)
            else:
                flat += row
        self.rows = rows


def prepare(ops: Sequence[Op], collections: AbstractSet[str]) -> list[tuple[Batch, tuple[Any, ...]]]:
    """Check and encode ``ops``; raises Invalid."""
    steps: list[tuple[Batch, tuple[Any, ...]]] = []
    for op in ops:
        coll = op.coll
        check_declared(coll, collections)
        if type(op) is Insert:
            id = check_document(coll, op.doc)
            steps.append(((INSERT, coll), (id, encode(coll, id, op.doc))))
        elif type(op) is Replace:
            id = check_document(coll, op.doc)
            steps.append(((REPLACE, coll), (id, check_version(coll, id, op.expect), encode(coll, id, op.doc))))
        elif type(op) is Delete:
            steps.append(((DELETE, coll), (check_id(coll, op.id),)))
        else:
            raise Invalid(f"{type(op).__name__} is not Insert, Replace or Delete")
    return steps


def encode(coll: str, id: str, doc: dict[str, Any]) -> bytes:
    """The document as JSON; raises Invalid."""
    try:
        body = _encode(doc)
    except UnicodeEncodeError:
        raise Invalid(f"{coll}/{id}: a text holds half a surrogate pair, which is not Unicode") from None
    if len(body) > MAX_BYTES:
        raise Invalid(f"{coll}/{id}: {len(body)} bytes, more than {MAX_BYTES}; keep large content in the object store")
    return body
