"""What nodes may say to each other of organisations and people, and what this node keeps of its organisations."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from sangkien.exchange.domain.errors import ExchangeRefusal


class OrganisationNotTheirs(ExchangeRefusal):
    """A node asserted an organisation that another one, or this one, has the authority over."""

    code = "exchange_organisation_not_theirs"
    kind = "forbidden"


class RecordNotLinked(ExchangeRefusal):
    """A node sent the record of a person over a link that was not confirmed with it, or not for that."""

    code = "exchange_record_not_linked"
    kind = "forbidden"


class LinkNotTheirs(ExchangeRefusal):
    """A node proposed a link that is not its to propose."""

    code = "exchange_link_not_theirs"
    kind = "forbidden"


class LinkAnswerNotAsked(ExchangeRefusal):
    """A node answered a link that it was not asked about, or said what is not its to say."""

    code = "exchange_link_answer_not_asked"
    kind = "forbidden"


class LinkDecidedOtherwise(ExchangeRefusal):
    """A node decided about a link that had been decided otherwise."""

    code = "exchange_link_decided_otherwise"
    kind = "conflict"


@dataclass(frozen=True, slots=True)
class Step:
    """Another organisation into or out of which one went over."""

    organisation_id: str
    share: str
    on: date
    document: str


@dataclass(frozen=True, slots=True)
class OwnOrganisation:
    """An organisation of this node as others are told of it; `stored` is the version of the document, 0 when new."""

    organisation_id: str
    version: int
    kind: str
    name: str
    parent_id: str
    valid_from: date | None
    valid_to: date | None
    successors: tuple[Step, ...] = ()
    predecessors: tuple[Step, ...] = ()
    stored: int = 0


@dataclass(frozen=True, slots=True)
class LinkStanding:
    """A link as this node's directory has it."""

    link_id: str
    node: str
    state: str
    person_id: str
    receives: bool


def is_of(organisation_id: str, node: str) -> bool:
    """Whether the node has the authority over the organisation: ids begin with the name of the node that gave them."""
    return organisation_id.startswith(f"{node}:")


def batch_of(some: Iterable[OwnOrganisation]) -> str:
    """The same for the same organisations at the same versions."""
    return sha256("\n".join(sorted(f"{one.organisation_id} {one.version}" for one in some)).encode()).hexdigest()


def parts(all_: Sequence[OwnOrganisation], *, most: int, most_steps: int) -> list[list[OwnOrganisation]]:
    """These in order, in parts of at most so many, with at most so many successions unless one alone has more."""
    found: list[list[OwnOrganisation]] = []
    steps = 0
    for one in all_:
        own = len(one.successors) + len(one.predecessors)
        if not found or len(found[-1]) == most or steps + own > most_steps:
            found.append([])
            steps = 0
        found[-1].append(one)
        steps += own
    return found


def neighbours(me: str, nodes: Sequence[tuple[str, str]], parent_of: Callable[[str], str]) -> frozenset[str]:
    """Who is told of the organisations of `me`, of `nodes` with their parents: those that stand above it up to the
    city, those right below it, and those beside it, since a reorganisation moves units between these.
    """
    above: set[str] = set()
    up = parent_of(me)
    while up and up not in above and up != me:
        above.add(up)
        up = parent_of(up)
    parent = parent_of(me)
    near = {node for node, its_parent in nodes if its_parent == me or (parent and its_parent == parent)}
    return frozenset((above | near) - {me})
