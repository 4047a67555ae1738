"""How one organisation goes over into others, on a day and by a document: many to many (DESIGN §2).

A ward that is cut into pieces has several successors, and a new one several predecessors. What became of a person of
such a ward does not follow from it: that is for two registrars to say (`domain.link`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sangkien.directory.domain.errors import (
    DocumentMissing,
    PredecessorsMissing,
    SuccessionShareUnknown,
    SuccessorOfItself,
)
from sangkien.kernel import DateRange

SHARES = ("whole", "part", "rest")
DOCUMENT_LIMIT = 100
MOST_STEPS = 200
"""One way of one organisation: what the nodes around it are told in one message."""


@dataclass(frozen=True, slots=True)
class Step:
    """The other organisation, how much goes over, from which day on, and the symbol of the document."""

    organisation_id: str
    share: str
    on: date
    document: str


def joined(known: tuple[Step, ...], new: Sequence[Step]) -> tuple[Step, ...]:
    """Known steps and those of the new ones that are not among them. Raises PredecessorsMissing beyond 200."""
    steps = tuple(dict.fromkeys((*known, *new)))
    if len(steps) > MOST_STEPS:
        raise PredecessorsMissing(field="successor_ids", limit=MOST_STEPS)
    return steps


@dataclass(frozen=True, slots=True)
class Reorganisation:
    """One step that was ordered: these go over into those, or are closed where there are none."""

    predecessor_ids: tuple[str, ...]
    successor_ids: tuple[str, ...]
    share: str
    on: date
    document: str
    stand_on: bool = False

    def check(self) -> None:
        """Raises SuccessionShareUnknown, DocumentMissing, SuccessorOfItself."""
        if self.share not in SHARES:
            raise SuccessionShareUnknown(field="share", shares=", ".join(SHARES))
        if not self.document or len(self.document) > DOCUMENT_LIMIT:
            raise DocumentMissing(field="document", limit=DOCUMENT_LIMIT)
        if set(self.predecessor_ids) & set(self.successor_ids):
            raise SuccessorOfItself(field="successor_ids")

    @property
    def forward(self) -> tuple[Step, ...]:
        """What a predecessor remembers."""
        return tuple([Step(id, self.share, self.on, self.document) for id in self.successor_ids])

    @property
    def backward(self) -> tuple[Step, ...]:
        """What a successor remembers."""
        return tuple([Step(id, self.share, self.on, self.document) for id in self.predecessor_ids])


@dataclass(frozen=True, slots=True)
class AssertedOrganisation:
    """An organisation as the node that has the authority says it is; here it is only read.

    `version` orders what that node says of it, `stored` is the version of the document, 0 when new.
    """

    id: str
    node: str
    version: int
    kind: str
    name: str
    parent_id: str
    validity: DateRange
    successors: tuple[Step, ...] = ()
    predecessors: tuple[Step, ...] = ()
    stored: int = 0
