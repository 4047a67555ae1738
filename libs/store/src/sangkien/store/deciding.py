"""Deciding again when another writer was faster: one decision alone, or many in one unit of work.

A batch command (accept 300 dossiers, hand in 40 sheets) is decided on freshly loaded state and committed at once. When
the store answers Duplicate or Conflict, somebody else changed one of the items meanwhile: the batch is halved until
the items at fault stand alone, and those are decided again on what is stored now.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from sangkien.kernel import Refusal
from sangkien.store.errors import Conflict, Duplicate
from sangkien.store.port import Op

_ATTEMPTS: Final = 5
_TURNS: Final = 20
"""Many: leaders who sign at the same moment all want the next number of one register, and one a turn gets it."""

T = TypeVar("T")
R = TypeVar("R")


class ChangedMeanwhile(Refusal):
    """Somebody else kept changing the same item while it was being decided. Nothing was written; try again."""

    code = "changed_meanwhile"
    kind = "conflict"


class Already:
    """The item stood as asked before the call: nothing to write."""

    __slots__ = ()


ALREADY: Final = Already()

Decision = Sequence[Op] | Refusal | Already
Decide = Callable[[Sequence[T]], Awaitable[Sequence[Decision]]]
Commit = Callable[[Sequence[Op]], Awaitable[None]]


async def decided_again(decide: Callable[[], Awaitable[R]]) -> R:
    """Call `decide`, which loads, decides and commits, until no other writer came in between; 20 times at most.

    Raises ChangedMeanwhile after that, with nothing written.
    """
    for _ in range(_TURNS):
        try:
            return await decide()
        except (Conflict, Duplicate):
            continue
    raise ChangedMeanwhile


async def decide_each(items: Sequence[T], decide: Decide[T], commit: Commit) -> list[Refusal | Already | None]:
    """Decide every item and commit what was decided; one outcome an item, in order.

    `decide` loads the state of the items it is given and answers one decision each; it is called again with fewer items
    after a collision, so it must load afresh every time. None means committed. Two items of one call must not write the
    same document. Raises whatever `decide` and `commit` raise beyond Duplicate and Conflict.
    """
    return await _decide(items, decide, commit, attempt=1) if items else []


async def _decide(
    items: Sequence[T], decide: Decide[T], commit: Commit, *, attempt: int
) -> list[Refusal | Already | None]:
    decisions = await decide(items)
    ops: list[Op] = []
    for decision in decisions:
        if not isinstance(decision, Refusal | Already):
            ops.extend(decision)
    try:
        if ops:
            await commit(ops)
    except (Conflict, Duplicate):
        if len(items) == 1:
            if attempt == _ATTEMPTS:
                return [ChangedMeanwhile()]
            return await _decide(items, decide, commit, attempt=attempt + 1)
        half = len(items) // 2
        return [
            *await _decide(items[:half], decide, commit, attempt=1),
            *await _decide(items[half:], decide, commit, attempt=1),
        ]
    return [decision if isinstance(decision, Refusal | Already) else None for decision in decisions]
