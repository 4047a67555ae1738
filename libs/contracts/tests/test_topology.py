"""The declared topology hangs together: what is listened to is published, and replays stay private."""

import pytest

from sangkien.contracts.events import event_types, service_of
from sangkien.contracts.topology import CONSUMERS, STREAMS, TOPOLOGY, ConsumerSpec


def test_topology_names_everything_once() -> None:
    names = [s.name for s in STREAMS] + [c.name for c in CONSUMERS]

    assert len(names) == len(set(names))


def test_topology_has_a_stream_for_every_publisher() -> None:
    published = {f"ev.{service_of(t)}.>" for t in event_types()}
    kept = {subject for stream in STREAMS for subject in stream.subjects if subject.startswith("ev.")}

    assert kept == published


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda c: c.name)
def test_consumer_listens_to_declared_events_of_its_stream(consumer: ConsumerSpec) -> None:
    publisher = TOPOLOGY.stream(consumer.stream).service

    assert consumer.name == f"{consumer.service}__{publisher}"
    for wanted in consumer.types:
        assert wanted == f"ev.{publisher}.>" or (wanted in event_types() and service_of(wanted) == publisher)


def test_replay_subjects_reach_one_consumer_each() -> None:
    replays = [subject for c in CONSUMERS for subject in c.filter_subjects if subject.startswith("replay.")]

    assert len(replays) == len(set(replays)) == len(CONSUMERS)


def test_consumer_accepts_its_types_and_no_others() -> None:
    review, reporting = TOPOLOGY.consumer("review__intake"), TOPOLOGY.consumer("reporting__intake")
    submitted, voted = "ev.intake.dossier.submitted.v1", "ev.review.dossier.voted.v1"

    assert [review.accepts(submitted), review.accepts(voted), review.accepts("ev.intake.dossier.lost.v1")] == [
        True,
        False,
        False,
    ]
    assert [reporting.accepts(submitted), reporting.accepts(voted)] == [True, False]


def test_service_part_holds_its_own_stream_and_those_it_hears() -> None:
    part = TOPOLOGY.of_service("reward")

    assert [s.name for s in part.streams] == ["EV_RECOGNITION", "EV_REWARD", "DLQ", "ADVISORIES"]
    assert [c.name for c in part.consumers] == ["reward__recognition"]


def test_unknown_names_are_refused() -> None:
    with pytest.raises(KeyError, match="EV_NOBODY"):
        TOPOLOGY.stream("EV_NOBODY")
    with pytest.raises(KeyError, match="nobody__intake"):
        TOPOLOGY.consumer("nobody__intake")
