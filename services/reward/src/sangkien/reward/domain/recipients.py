"""Who a decision rewards: a list without repeats, kept in chunks so that thousands are granted piece by piece."""

from collections.abc import Sequence
from dataclasses import dataclass

from sangkien.kernel import Aggregate
from sangkien.reward.domain.errors import NoRecipients, RecipientMalformed, RecipientTwice, TooManyRecipients
from sangkien.reward.domain.events import Holder

MOST_RECIPIENTS = 20_000
CHUNK = 200


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person (individual) or an organisation (collective) by id."""

    holder: Holder
    holder_id: str


@dataclass(frozen=True, slots=True)
class Named:
    """A recipient's name as printed, and the unit beside it ("" for a collective)."""

    name: str
    unit: str


@dataclass
class Chunk(Aggregate):
    """Up to `CHUNK` recipients of one decision, in the order of its list. `start` is the place of the first, from 0.

    `names` is empty until issue. Between issue and grant the chunk is `due`: what has to become entitlements yet.
    """

    decision_id: str
    start: int
    recipients: tuple[Recipient, ...]
    names: tuple[Named, ...] = ()
    due: bool = False

    @property
    def id(self) -> str:
        return f"{self.decision_id}:{self.start:05}"

    def make_due(self, names: Sequence[Named]) -> None:
        """Fix the names as they stand on the day of the decision; the entitlements follow."""
        self.names = tuple(names)
        self.due = True

    def granted(self) -> None:
        self.due = False


def check_recipients(recipients: Sequence[Recipient]) -> None:
    """Accept a list of up to `MOST_RECIPIENTS`, each once. Raises the refusals of a list."""
    if not recipients:
        raise NoRecipients(field="recipients")
    if len(recipients) > MOST_RECIPIENTS:
        raise TooManyRecipients(field="recipients", count=len(recipients), limit=MOST_RECIPIENTS)
    first: dict[str, int] = {}
    for position, recipient in enumerate(recipients, start=1):
        if not _is_id(recipient.holder_id):
            raise RecipientMalformed(field="recipients", position=position)
        if recipient.holder_id in first:
            raise RecipientTwice(field="recipients", position=position, first=first[recipient.holder_id])
        first[recipient.holder_id] = position


def chunks(decision_id: str, recipients: Sequence[Recipient]) -> list[Chunk]:
    """The list cut into pieces."""
    return [
        Chunk(decision_id, start, tuple(recipients[start : start + CHUNK]))
        for start in range(0, len(recipients), CHUNK)
    ]


def _is_id(text: str) -> bool:
    return 0 < len(text) <= 200 and text.isascii() and text.isprintable()
