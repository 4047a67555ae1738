"""Units of work, prepared where they are submitted so that the writer thread has little Python left to run."""

import asyncio
from collections.abc import Sequence, Set
from typing import Any, Final

import msgspec

from sangkien.store.checks import MAX_BYTES, check_declared, check_document, check_id, check_version
from sangkien.store.errors import Invalid
from sangkien.store.port import Delete, Insert, Op, Replace

_encode = msgspec.json.Encoder().encode

INSERT: Final = 0
REPLACE: Final = 1
DELETE: Final = 2

Batch = tuple[int, str]
"""Which statement a row goes to: kind and collection."""

WIDTH: Final = (2, 3, 1)
"""Parameters per row, by kind."""


class Unit:
    """One ``apply``: its rows by statement, the keys it touches, and the future that waits for the commit."""

    __slots__ = ("future", "keys", "rows", "steps")

    def __init__(self, steps: list[tuple[Batch, tuple[Any, ...]]], future: asyncio.Future[None]) -> None:
        self.steps = steps
        self.future = future
        self.keys = {(batch[1], row[0]) for batch, row in steps}
        rows: dict[Batch, list[Any]] = {}
        for batch, row in steps:
            flat = rows.get(batch)
            if flat is None:
                rows[batch] = list(row)
            else:
                flat += row
        self.rows = rows

    @property
    def in_any_order(self) -> bool:
        """True when no document occurs twice, so that the steps need not run one after another."""
        return len(self.keys) == len(self.steps)


def prepare(ops: Sequence[Op], collections: Set[str]) -> list[tuple[Batch, tuple[Any, ...]]]:
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
