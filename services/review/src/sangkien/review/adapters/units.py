"""Units of work: aggregates and what they recorded, as operations of one atomic write."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from sangkien.kernel import Aggregate, Refusal
from sangkien.messaging import outbox_row
from sangkien.review.adapters import documents as docs
from sangkien.review.adapters import schema
from sangkien.review.adapters.case_document import case_document, sheet_document
from sangkien.review.adapters.event_mapping import contract_event
from sangkien.review.application.ports import DONE, Decision, Done, Outcome, Saved
from sangkien.review.domain.case import Case
from sangkien.review.domain.council import Council
from sangkien.review.domain.events import ConflictsChanged, Event
from sangkien.review.domain.minutes import Minutes, MinutesRegister
from sangkien.review.domain.round import Round
from sangkien.review.domain.session import Seat, Session
from sangkien.review.domain.sheet import ScoreSheet
from sangkien.review.domain.tally import Ballot
from sangkien.runtime import Telemetry
from sangkien.store import Delete, Document, Insert, Op, save
from sangkien.store.deciding import ALREADY, Already, decide_each, decided_again

T = TypeVar("T")
R = TypeVar("R")
Commit = Callable[[Sequence[Op]], Awaitable[None]]


class StoreUnits:
    """The `Units` port on the service's store.

    Each case changed by a command gets a span of the command's name in the case's own trace, linked to the call: so one
    dossier is one trace, however many stood in the call.
    """

    def __init__(
        self, commit: Commit, telemetry: Telemetry, *, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._commit = commit
        self._telemetry = telemetry
        self._now = now
        self._new_id = new_id

    async def each(
        self, name: str, items: Sequence[T], decide: Callable[[Sequence[T]], Awaitable[Sequence[Decision]]]
    ) -> list[Outcome]:
        async def to_operations(some: Sequence[T]) -> list[list[Op] | Refusal | Already]:
            return [
                ALREADY if isinstance(one, Done) else one if isinstance(one, Refusal) else self.operations(one, name)
                for one in await decide(some)
            ]

        outcomes = await decide_each(items, to_operations, self._commit)
        return [DONE if isinstance(outcome, Already) else outcome for outcome in outcomes]

    async def commit(self, name: str, *saved: Saved) -> None:
        await self._commit(self.operations(saved, name))

    async def attempting(self, attempt: Callable[[], Awaitable[R]]) -> R:
        return await decided_again(attempt)

    def operations(self, saved: Sequence[Saved], name: str = "") -> list[Op]:
        """What saving them takes; without a name no span is opened, for effects that have one already."""
        ops: list[Op] = []
        here = self._telemetry.traceparent()
        for one in saved:
            ops.append(_write(one))
            if not isinstance(one, Aggregate):
                continue
            if isinstance(one, Case) and name:
                links = [here] if here else []
                with self._telemetry.span(name, parent=one.traceparent or None, links=links, aggregate_id=one.id):
                    self._recorded(one, one.id, self._telemetry.traceparent(), ops)
            elif isinstance(one, Case | Round | Session):
                self._recorded(one, one.id, here, ops)
        return ops

    def _recorded(self, aggregate: Aggregate, id: str, traceparent: str, ops: list[Op]) -> None:
        for event in cast("list[Event]", aggregate.pull_events()):
            if isinstance(event, ConflictsChanged) and isinstance(aggregate, Case):
                ops.extend(_bars(aggregate, event))
            elif (fact := contract_event(aggregate, event)) is not None:
                ops.append(
                    outbox_row(
                        fact,
                        event_id=self._new_id(),
                        aggregate_id=id,
                        aggregate_version=aggregate.version + 1,
                        at=self._now(),
                        traceparent=traceparent,
                    )
                )


def _bars(case: Case, event: ConflictsChanged) -> list[Op]:
    added = [
        Insert(
            schema.BARS,
            {"_id": f"{case.id}:{one}", "person_id": one, "round_id": case.round_id, "dossier_id": case.id},
        )
        for one in sorted(event.added)
    ]
    return [*added, *(Delete(schema.BARS, f"{case.id}:{one}") for one in sorted(event.removed))]


_STORED: Final[dict[type, tuple[str, Callable[[Any], Document]]]] = {
    Case: (schema.CASES, case_document),
    Council: (schema.COUNCILS, docs.council_document),
    Round: (schema.ROUNDS, docs.round_document),
    Session: (schema.SESSIONS, docs.session_document),
    Seat: (schema.SEATS, docs.seat_document),
    MinutesRegister: (schema.REGISTERS, docs.register_document),
    ScoreSheet: (schema.SHEETS, sheet_document),
    Ballot: (schema.BALLOTS, docs.ballot_document),
    Minutes: (schema.MINUTES, docs.minutes_document),
}


def _write(saved: Saved) -> Op:
    """Aggregates are replaced at the version they were loaded at; what is no aggregate never changes once stored."""
    coll, to_document = _STORED[type(saved)]
    version = saved.version if isinstance(saved, Aggregate) else 0
    doc = to_document(saved)
    return save(coll, doc, version)
