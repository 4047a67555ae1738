"""Domain events as the facts the network hears."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import assert_never, cast

from sangkien.contracts.events import Event, OrganisationRegistered, PersonRegistered
from sangkien.directory.domain.events import DirectoryEvent, OrganisationWasRegistered, PersonWasRegistered
from sangkien.messaging import outbox_row
from sangkien.store import Op

_FIRST_VERSION = 1
"""Both events are recorded when their aggregate is first stored."""


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
                    aggregate_version=_FIRST_VERSION,
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
        case PersonWasRegistered():
            return event.person_id, PersonRegistered(person_id=event.person_id, organisation_id=event.organisation_id)
        case _:
            assert_never(event)
