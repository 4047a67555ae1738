"""Who may say what to whom of rounds and dossiers, and what this node keeps of those that crossed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sangkien.exchange.domain.errors import ExchangeRefusal

ParentOf = Callable[[str], str]
"""The parent of a node as the registry has it, "" at the top and for a node that is not known."""


class RoundNotTheirs(ExchangeRefusal):
    """A node announced a round that does not stand above this one: nobody here files to it."""

    code = "exchange_round_not_theirs"
    kind = "forbidden"


class AnswerNotTheirs(ExchangeRefusal):
    """A node spoke of a dossier of ours that was never sent to it."""

    code = "exchange_answer_not_theirs"
    kind = "forbidden"


class SummaryNotTheirs(ExchangeRefusal):
    """A node reported its decision to a node that does not stand above it."""

    code = "exchange_summary_not_theirs"
    kind = "forbidden"


class MessageNotForUs(ExchangeRefusal):
    """A message of a type that nothing is done with here."""

    code = "exchange_message_not_for_us"
    kind = "invalid"


FILER_NOT_BELOW = "exchange_filer_not_below"
"""Why a dossier is not received: its node does not stand below this one."""
ROUND_NOT_OURS = "exchange_round_not_ours"
"""Why a dossier is not received: its round is no round of this node's council."""


def stands_above(node: str, other: str, parent_of: ParentOf) -> bool:
    """Whether `node` is the parent of `other`, or its parent's parent, and so on. A circle in the registry ends it."""
    seen = {other}
    above = parent_of(other)
    while above and above not in seen:
        if above == node:
            return True
        seen.add(above)
        above = parent_of(above)
    return False


def rank_of(epoch: int, n: int) -> int:
    """Orders what one node says, through all its lives. The numbers after it are free for what happens in between."""
    return 64 * (epoch * 2**30 + n)


@dataclass(frozen=True, slots=True)
class OwnRound:
    """A round of this node's council as its children are told of it; `told` once its opening was heard of."""

    round_id: str
    version: int
    name: str = ""
    tier: str = ""
    owner_id: str = ""
    opens_on: date = date.min
    closes_on: date = date.min
    closed_on: date | None = None
    told: bool = False
    stored: int = 0

    def after(self, other: "OwnRound") -> "OwnRound":
        """This and what else was heard of the round, in whatever order."""
        opened = self if self.told else other
        return replace(
            opened,
            version=max(self.version, other.version),
            closed_on=self.closed_on or other.closed_on,
            stored=max(self.stored, other.stored),
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """A dossier of ours at the node that decides about it. `stored` is the version of the document, 0 when new.

    `authors` are person ids, for those who are told what becomes of it. `rank` is that of the latest news of it.
    """

    dossier_id: str
    node: str
    version: int
    code: str
    remote_id: str = ""
    remote_code: str = ""
    authors: tuple[str, ...] = ()
    rank: int = 0
    stored: int = 0

    def check_competent(self, sender: str) -> None:
        """Raises AnswerNotTheirs."""
        if sender != self.node:
            raise AnswerNotTheirs(node=sender)


@dataclass(frozen=True, slots=True)
class Returned:
    """A version of a dossier of ours that the hub did not forward, and why: a code. `id` is that of its message."""

    id: str
    number: str
    node: str
    dossier_id: str
    version: int
    code: str
    trace: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """A dossier that another node filed here. `versions` says which of its versions each revision here is;
    `authors` the person id there of each one here.
    """

    node: str
    dossier_id: str
    local_id: str
    code: str
    revision: int
    versions: Mapping[int, int]
    authors: Mapping[str, str] = field(repr=False)
    stored: int = 0

    @property
    def version(self) -> int:
        """The latest version that came."""
        return max(self.versions.values())

    def version_of(self, revision: int) -> int:
        """What the other node calls this revision."""
        return self.versions.get(revision, self.version)


@dataclass(frozen=True, slots=True)
class Expected:
    """A dossier of another node that is being filed here, as far as the one it becomes is known: its round, and that
    its id sorts behind `since`.
    """

    round_id: str
    since: str

    def may_be(self, dossier_id: str, round_id: str) -> bool:
        """Whether the dossier of this id here may be that one: of its round, and not older."""
        return round_id == self.round_id and dossier_id >= self.since


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that another node issued to an author of a dossier of ours; `person_id` is "" where it named none.

    `check_code` is what anyone checks it by, at that node.
    """

    number: str
    node: str
    issued_on: date
    person_id: str
    check_code: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A dossier that came from another node as intake has it now. `authors` are person ids, in the order filed."""

    dossier_id: str
    code: str
    revision: int
    state: str
    answer_due: date
    authors: tuple[str, ...]
    shortcomings: tuple[str, ...] = ()
    supplement_due: date | None = None
    refusal_reason: str = ""


class NotTaken(Exception):
    """Intake refuses a dossier of another node for good; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
