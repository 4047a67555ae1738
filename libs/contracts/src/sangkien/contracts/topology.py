"""Streams and durable consumers of a node, as data (DESIGN §4, §6).

This is the one place that says which service publishes where and who listens to what. `sangkien.messaging` brings a
broker into this state (`provision`) and reports what differs from it (`diff`); nothing else declares streams.

Every publishing service owns one stream `EV_<SERVICE>` with its events (`ev.<service>.>`) and the dead letters that
were sent out again (`replay.<service>.<consumer>.<original subject>`). A consumer listens to its event types and to
its own replay subjects, so that a replayed message reaches only the consumer that could not handle it.
"""

from dataclasses import dataclass

from sangkien.contracts.events import (
    CertificateIssued,
    DecisionIssued,
    DossierAccepted,
    DossierRefused,
    DossierSubmitted,
    DossierSupplemented,
    DossierVoted,
    DossierWithdrawn,
    EntitlementGranted,
    Event,
    ForeignAnswerReceived,
    ForeignCertificateReceived,
    ForeignOrganisationAsserted,
    ForeignRecordAsserted,
    ForeignRoundAnnounced,
    InitiativeRecognised,
    InitiativeRefused,
    OrganisationRegistered,
    OrganisationReorganised,
    PersonLinkChanged,
    RecordChanged,
    ReviewersAssigned,
    RoundClosed,
    RoundOpened,
    SupplementRequested,
    service_of,
)

PUBLISHERS = ("directory", "intake", "review", "recognition", "reward", "exchange")
DEAD_LETTERS = "DLQ"
ADVISORIES = "ADVISORIES"


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One JetStream stream: kept on disk, oldest dropped first where a bound is set. A bound of 0 means unbounded.

    Event streams are unbounded: a node that was off for a month must still hand over what it holds.
    `service` is the publisher that owns it, "" for those every service writes to.
    """

    name: str
    subjects: tuple[str, ...]
    service: str = ""
    description: str = ""
    max_messages: int = 0
    max_age_seconds: int = 0
    duplicate_window_seconds: int = 120


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """One durable pull consumer with explicit acks and unlimited deliveries: `sangkien.messaging` decides when to stop.

    `types` are event types, or the one pattern `ev.<service>.>` for everything of the stream. `ack_wait_seconds` is
    how long messages of a killed process wait for their redelivery; longer work sends heartbeats.
    """

    name: str
    service: str
    stream: str
    types: tuple[str, ...]
    ack_wait_seconds: float = 5.0
    max_ack_pending: int = 10_000

    @property
    def filter_subjects(self) -> tuple[str, ...]:
        """The event subjects and this consumer's own replay subjects."""
        return (*self.types, f"{replay_prefix(self.stream, self.name)}.>")

    def accepts(self, event_type: str) -> bool:
        """Whether events of this type reach the consumer."""
        return any(event_type == t or (t.endswith(".>") and event_type.startswith(t[:-1])) for t in self.types)


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything a broker of a node must hold. Names are unique; every consumer's stream is among the streams."""

    streams: tuple[StreamSpec, ...]
    consumers: tuple[ConsumerSpec, ...]

    def stream(self, name: str) -> StreamSpec:
        """Raises KeyError for a name that is not declared."""
        for spec in self.streams:
            if spec.name == name:
                return spec
        raise KeyError(f"the topology declares no stream {name!r}")

    def consumer(self, name: str) -> ConsumerSpec:
        """Raises KeyError for a name that is not declared."""
        for spec in self.consumers:
            if spec.name == name:
                return spec
        raise KeyError(f"the topology declares no consumer {name!r}")

    def of_service(self, service: str) -> "Topology":
        """The part one service needs to run: its own stream, its consumers with their streams, and the shared ones."""
        consumers = tuple(c for c in self.consumers if c.service == service)
        heard = {c.stream for c in consumers}
        return Topology(
            tuple(s for s in self.streams if s.service in ("", service) or s.name in heard),
            consumers,
        )


def stream_name(service: str) -> str:
    """`intake` → `EV_INTAKE`."""
    return f"EV_{service.upper()}"


def replay_prefix(stream: str, consumer: str) -> str:
    """`EV_INTAKE`, `review__intake` → `replay.intake.review__intake`: where that consumer's replays are published."""
    return f"replay.{stream.removeprefix('EV_').lower()}.{consumer}"


def _events_of(service: str) -> StreamSpec:
    return StreamSpec(
        stream_name(service),
        (f"ev.{service}.>", f"replay.{service}.>"),
        service=service,
        description=f"facts that {service} publishes",
    )


def _listens(service: str, *events: type[Event]) -> ConsumerSpec:
    publisher = service_of(events[0].TYPE)
    return ConsumerSpec(f"{service}__{publisher}", service, stream_name(publisher), tuple(e.TYPE for e in events))


def _journals(service: str, publisher: str) -> ConsumerSpec:
    return ConsumerSpec(f"{service}__{publisher}", service, stream_name(publisher), (f"ev.{publisher}.>",))


STREAMS: tuple[StreamSpec, ...] = (
    *(_events_of(service) for service in PUBLISHERS),
    StreamSpec(DEAD_LETTERS, ("dlq.>",), description="messages a consumer gave up on, with the reason; replayable"),
    StreamSpec(
        ADVISORIES,
        ("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>", "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>"),
        description="the broker's own word on messages it will not deliver again",
        max_messages=10_000,
        max_age_seconds=7 * 24 * 3600,
    ),
)

CONSUMERS: tuple[ConsumerSpec, ...] = (
    _listens("intake", RoundOpened, RoundClosed, DossierAccepted, SupplementRequested, DossierRefused, DossierVoted),
    _listens("intake", ForeignRoundAnnounced, ForeignAnswerReceived, ForeignOrganisationAsserted),
    _listens("intake", OrganisationReorganised),
    _listens("review", DossierSubmitted, DossierSupplemented, DossierWithdrawn),
    _listens("recognition", DossierVoted),
    _listens("recognition", InitiativeRecognised, CertificateIssued),  # its own: records of people follow them
    _listens("recognition", PersonLinkChanged),
    _listens("recognition", ForeignRecordAsserted),
    _listens("directory", ForeignOrganisationAsserted),
    _listens("reward", InitiativeRecognised),
    _listens("notification", DossierSubmitted),
    _listens("notification", SupplementRequested, DossierAccepted, DossierRefused, ReviewersAssigned),
    _listens("notification", InitiativeRefused, CertificateIssued),
    _listens("notification", EntitlementGranted),
    _listens("notification", ForeignAnswerReceived, ForeignCertificateReceived),
    _listens("exchange", DossierSubmitted, DossierSupplemented, DossierWithdrawn),
    _listens("exchange", RoundOpened, RoundClosed, DossierAccepted, SupplementRequested, DossierRefused, DossierVoted),
    _listens("exchange", InitiativeRecognised, InitiativeRefused, CertificateIssued, DecisionIssued, RecordChanged),
    _listens("exchange", OrganisationRegistered, OrganisationReorganised, PersonLinkChanged),
    *(_journals("reporting", publisher) for publisher in PUBLISHERS),
)

TOPOLOGY = Topology(STREAMS, CONSUMERS)
