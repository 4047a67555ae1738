"""Domain events as the facts the network hears."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Literal, assert_never, cast

from sangkien.contracts.events import (
    Event,
    OrganisationRegistered,
    OrganisationReorganised,
    PersonLinkChanged,
    PersonRegistered,
    Succession,
)
from sangkien.directory.domain.events import (
    DirectoryEvent,
    LinkWasChanged,
    OrganisationWasRegistered,
    OrganisationWasReorganised,
    PersonWasRegistered,
)
from sangkien.directory.domain.succession import Step
from sangkien.directory.domain.validity import last_day
from sangkien.messaging import outbox_row
from sangkien.store import Op

_State = Literal["proposed", "confirmed", "refused", "withdrawn", "revoked"]
_Share = Literal["whole", "part", "rest"]
_FIRST_VERSION = 1
"""Of what is recorded when its aggregate is first stored."""


class EventRecorder:
    """The `Record` port: outbox rows that continue the current trace."""

    def __init__(self, new_id: Callable[[], str], now: Callable[[], datetime], traceparent: Callable[[], str]) -> None:
        self._new_id = new_id
        self._now = now
        self._traceparent = traceparent

    def __call__(self, events: Iterable[object]) -> list[Op]:
        at, traceparent = self._now(), self._traceparent()
        rows: list[Op] = []
        for event in events:
            aggregate_id, fact = _fact(cast("DirectoryEvent", event))
            rows.append(
                outbox_row(
                    fact,
                    event_id=self._new_id(),
                    aggregate_id=aggregate_id,
                    aggregate_version=getattr(event, "version", _FIRST_VERSION),
                    at=at,
                    traceparent=traceparent,
                )
            )
        return rows


def _fact(event: DirectoryEvent) -> tuple[str, Event]:
    match event:
        case OrganisationWasRegistered():
            return event.organisation_id, OrganisationRegistered(
                organisation_id=event.organisation_id,
                kind=event.kind,
                name=event.name,
                parent_id=event.parent_id,
                valid_from=event.valid_from or date.min,
                valid_to=event.valid_to,
            )
        case OrganisationWasReorganised():
            return event.organisation.id, _reorganised(event)
        case LinkWasChanged():
            return event.link_id, PersonLinkChanged(
                link_id=event.link_id,
                node=event.node,
                state=cast("_State", event.state),
                person_id=event.person_id,
                sends=event.sends,
                receives=event.receives,
                by_us=event.by_us,
            )
        case PersonWasRegistered():
            return event.person_id, PersonRegistered(person_id=event.person_id, organisation_id=event.organisation_id)
        case _:
            assert_never(event)


def _reorganised(event: OrganisationWasReorganised) -> OrganisationReorganised:
    one = event.organisation
    return OrganisationReorganised(
        organisation_id=one.id,
        kind=one.kind,
        name=one.name,
        parent_id=one.parent_id,
        valid_from=one.validity.valid_from,
        valid_to=last_day(one.validity),
        successors=tuple([_step(step) for step in one.successors]),
        predecessors=tuple([_step(step) for step in one.predecessors]),
    )


def _step(step: Step) -> Succession:
    return Succession(
        organisation_id=step.organisation_id, share=cast("_Share", step.share), on=step.on, document=step.document
    )
