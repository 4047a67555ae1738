"""What use cases need of the world."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol, TypeVar

from sangkien.kernel import Refusal
from sangkien.review.domain.case import Case
from sangkien.review.domain.council import Composition, Council
from sangkien.review.domain.minutes import Minutes, MinutesRegister
from sangkien.review.domain.round import Round
from sangkien.review.domain.session import Seat, Session, VotingRules
from sangkien.review.domain.sheet import Score, ScoreSheet
from sangkien.review.domain.tally import Ballot

T = TypeVar("T")
R = TypeVar("R")

Saved = Council | Round | Case | ScoreSheet | Session | Seat | Ballot | Minutes | MinutesRegister
"""What a unit of work may hold: new or changed since it was loaded, each at most once."""


class Done:
    """The item stood as asked before the call."""

    __slots__ = ()


DONE: Final = Done()

Decision = Sequence[Saved] | Refusal | Done
Outcome = Refusal | Done | None
"""How an item of a batch ended: refused, done before, or done now (None)."""


class Units(Protocol):
    """Atomic writes. `name` is the span each changed case gets in its own trace."""

    async def each(
        self, name: str, items: Sequence[T], decide: Callable[[Sequence[T]], Awaitable[Sequence[Decision]]]
    ) -> list[Outcome]:
        """Decide every item and save what was decided, all in one unit where nobody interferes.

        `decide` loads afresh; it is called again with fewer items when somebody else was faster.
        """
        ...

    async def commit(self, name: str, *saved: Saved) -> None:
        """Save all or nothing. Somebody else's change since loading ends the attempt (see `attempting`)."""
        ...

    async def attempting(self, attempt: Callable[[], Awaitable[R]]) -> R:
        """Run `attempt`, again from its start when its commit met somebody else's change.

        Raises ChangedMeanwhile after twenty attempts, with nothing written.
        """
        ...


class Records(Protocol):
    """What is stored, as last committed."""

    async def council(self, id: str) -> Council | None: ...
    async def councils(self, ids: Sequence[str]) -> Mapping[str, Council]: ...
    async def council_by_key(self, key: str) -> Council | None: ...
    async def round(self, id: str) -> Round | None: ...
    async def rounds(self, ids: Sequence[str]) -> Mapping[str, Round]: ...
    async def round_by_key(self, key: str) -> Round | None: ...
    async def cases(self, ids: Sequence[str]) -> Mapping[str, Case]: ...
    async def sheets(self, ids: Sequence[str]) -> Mapping[str, ScoreSheet]: ...
    async def session(self, id: str) -> Session | None: ...
    async def session_by_key(self, key: str) -> Session | None: ...

    async def ready_cases(self, round_id: str, limit: int) -> list[Case]:
        """Up to `limit` cases of the round that wait for a session, in order of filing."""
        ...

    async def unclosed_session(self, round_id: str) -> Session | None:
        """The round's session that is open or being counted; there is at most one."""
        ...

    async def sessions_being_counted(self) -> list[str]:
        """Ids of the sessions whose counting began and did not end."""
        ...

    async def seats(self, ids: Sequence[str]) -> Mapping[str, Seat]: ...
    async def ballots(self, ids: Sequence[str]) -> Mapping[str, Ballot]: ...

    async def ballots_on(self, session_id: str, dossier_ids: Sequence[str], voters: int) -> Mapping[str, list[Ballot]]:
        """All ballots of the session on those dossiers, by dossier; `voters` bounds how many each can have."""
        ...

    async def barred(self, dossier_ids: Sequence[str], person_id: str) -> frozenset[str]:
        """Those of the dossiers that the person may not judge."""
        ...

    async def barred_in_round(self, round_id: str, person_id: str) -> frozenset[str]:
        """All dossiers of the round that the person may not judge."""
        ...

    async def minutes(self, session_id: str) -> Minutes | None: ...
    async def register(self, council_id: str, year: int) -> MinutesRegister | None: ...


@dataclass(frozen=True, slots=True)
class Counts:
    """Cases of a round by state, and by the outcome of the vote."""

    states: Mapping[str, int]
    passed: int
    failed: int


class Lists(Protocol):
    """Stored things in order, a page at a time. A token comes from the page before; "" begins."""

    async def cases(self, round_id: str, state: str, size: int, token: str) -> tuple[list[Case], str]:
        """Cases of a round in order of filing, only in `state` unless "". Raises PageInvalid."""
        ...

    async def rounds(self, size: int, token: str) -> tuple[list[Round], str]:
        """Rounds, those that opened last first. Raises PageInvalid."""
        ...

    async def counts(self, round_id: str) -> Counts:
        """How many cases of the round there are."""
        ...


class Scale(Protocol):
    """The score sheet of one tier and day."""

    @property
    def rule_set(self) -> str: ...

    def check(self, scores: Mapping[str, int]) -> None:
        """Refuse points the sheet does not ask, leaves out, or does not allow."""
        ...

    def score(self, sheets: Sequence[Mapping[str, int]]) -> Score:
        """What at least one valid sheet comes to."""
        ...


class Rulebook(Protocol):
    """The dated rules. Each raises the rules' own Refusal where no rule is in force."""

    def composition(self, on: date, jurisdiction: str) -> Composition: ...
    def voting(self, on: date, jurisdiction: str) -> VotingRules: ...
    def min_reviewers(self, on: date, jurisdiction: str) -> int: ...
    def scale(self, jurisdiction: str, tier: str, on: date) -> Scale: ...
    def tiers(self, on: date) -> Sequence[str]: ...
    def refusal_reasons(self, on: date) -> Sequence[str]: ...
    def shortcomings(self, on: date) -> Sequence[str]: ...
    def decide_by(self, accepted_on: date) -> date: ...
    def supplement_due(self, told_on: date) -> date: ...

    def check_jurisdiction(self, jurisdiction: str, tier: str, on: date) -> None:
        """Refuse a jurisdiction that has no score sheet for the tier at any time."""
        ...


class Clock(Protocol):
    """Time and ids."""

    def now(self) -> datetime: ...
    def today(self) -> date: ...
    def new_id(self) -> str: ...


class Names(Protocol):
    """What people and organisations are called, from directory; the unknown are left out."""

    async def people(self, ids: Sequence[str]) -> Mapping[str, str]: ...
    async def organisations(self, ids: Sequence[str]) -> Mapping[str, str]: ...


class Typesetter(Protocol):
    """Makes the minutes a document."""

    async def minutes(
        self, minutes: Minutes, session: Session, council: Council, round_name: str, names: Mapping[str, str]
    ) -> bytes:
        """The PDF; `names` holds people and organisations by id."""
        ...
