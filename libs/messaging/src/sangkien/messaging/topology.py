"""Bring a broker into the state that `sangkien.contracts.topology` describes, or say where it is not.

Services subscribe with `declare=False`: FastStream's own declaration overwrites another service's stream on conflict
and never updates a durable that exists. This module creates what is missing and updates what differs; it never deletes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    ConsumerInfo,
    DeliverPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, NotFoundError

from sangkien.contracts.topology import ConsumerSpec, StreamSpec, Topology

UNLIMITED = -1
MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing the broker holds otherwise than declared; `found` is "missing" when it does not hold it at all."""

    kind: str
    name: str
    setting: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.setting} is {self.found}, wanted {self.wanted}"


class ProvisionRefused(Exception):
    """The broker does not allow what the topology wants, such as another storage type for a stream that exists."""

    def __init__(self, kind: str, name: str, reason: str) -> None:
        super().__init__(f"the broker refused {kind} {name}: {reason}")
        self.kind, self.name = kind, name


async def diff(js: JetStreamContext, topology: Topology) -> list[Difference]:
    """Where the broker differs from `topology`; what it holds beyond it is not looked at. Changes nothing."""
    found: list[Difference] = []
    for stream in topology.streams:
        found += _differences("stream", stream.name, _stream_settings(stream), await _stream_found(js, stream.name))
    for consumer in topology.consumers:
        info = await find_consumer(js, consumer)
        found += _differences("consumer", consumer.name, _consumer_settings(consumer), _consumer_found(info))
    return found


async def provision(
    js: JetStreamContext,
    topology: Topology,
    *,
    owner: str | None = None,
    start_from: Mapping[str, datetime] | None = None,
) -> list[Difference]:
    """Create and update streams and consumers until the broker holds `topology`; returns what had to change.

    Idempotent, and safe to run from several processes at once. `owner` names the service on whose behalf it runs: the
    streams of others are then created when missing but left as they are otherwise, so that two versions running side by
    side do not undo each other. `start_from` gives, for consumers that existed before, the time their successor starts
    at; all others start at the stream's beginning. Raises ProvisionRefused, and nats errors when the broker is away.
    """
    changed: list[Difference] = []
    for stream in topology.streams:
        changed += await _provision_stream(js, stream, update=owner is None or stream.service == owner)
    for consumer in topology.consumers:
        changed += await _provision_consumer(js, consumer, (start_from or {}).get(consumer.name))
    return changed


async def find_consumer(js: JetStreamContext, spec: ConsumerSpec) -> ConsumerInfo | None:
    """The broker's word on a consumer, None when it or its stream does not exist."""
    try:
        info: ConsumerInfo = await js.consumer_info(spec.stream, spec.name)
    except NotFoundError:
        return None
    return info


async def _provision_stream(js: JetStreamContext, spec: StreamSpec, *, update: bool) -> list[Difference]:
    found = await _stream_found(js, spec.name)
    differences = _differences("stream", spec.name, _stream_settings(spec), found)
    if not differences or (found is not None and not update):
        return []
    try:
        if found is None:
            await js.add_stream(_stream_config(spec, StreamConfig()))
        else:
            # From what is there, so that replicas and placement an operator chose survive.
            await js.update_stream(_stream_config(spec, (await js.stream_info(spec.name)).config))
    except APIError as error:
        raise ProvisionRefused("stream", spec.name, error.description or "") from error
    return differences


async def _provision_consumer(js: JetStreamContext, spec: ConsumerSpec, start: datetime | None) -> list[Difference]:
    info = await find_consumer(js, spec)
    differences = _differences("consumer", spec.name, _consumer_settings(spec), _consumer_found(info))
    if not differences:
        return []
    config = info.config if info else ConsumerConfig(name=spec.name, durable_name=spec.name)
    if info is None and start is not None:
        config.deliver_policy, config.opt_start_time = DeliverPolicy.BY_START_TIME, start
    try:
        await js.add_consumer(
            spec.stream,
            config,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=spec.ack_wait_seconds,
            max_deliver=UNLIMITED,
            max_ack_pending=spec.max_ack_pending,
            filter_subject=None,
            filter_subjects=list(spec.filter_subjects),
        )
    except APIError as error:
        raise ProvisionRefused("consumer", spec.name, error.description or "") from error
    return differences


def _stream_config(spec: StreamSpec, base: StreamConfig) -> StreamConfig:
    config: StreamConfig = base.evolve(
        name=spec.name,
        description=spec.description,
        subjects=list(spec.subjects),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_msgs=spec.max_messages or UNLIMITED,
        max_age=spec.max_age_seconds,
        duplicate_window=spec.duplicate_window_seconds,
    )
    return config


def _stream_settings(spec: StreamSpec) -> dict[str, str]:
    return _stream_words(_stream_config(spec, StreamConfig()))


async def _stream_found(js: JetStreamContext, name: str) -> dict[str, str] | None:
    try:
        return _stream_words((await js.stream_info(name)).config)
    except NotFoundError:
        return None


def _stream_words(config: StreamConfig) -> dict[str, str]:
    return {
        "subjects": _words(config.subjects or ()),
        "storage": StorageType(config.storage or "file").value,
        "retention": RetentionPolicy(config.retention or "limits").value,
        "max_msgs": str(config.max_msgs),
        "max_age": f"{config.max_age or 0:g}",
        "duplicate_window": f"{config.duplicate_window:g}",
        "description": config.description or "",
    }


def _consumer_settings(spec: ConsumerSpec) -> dict[str, str]:
    return {
        "filter_subjects": _words(spec.filter_subjects),
        "ack_policy": AckPolicy.EXPLICIT.value,
        "ack_wait": f"{spec.ack_wait_seconds:g}",
        "max_deliver": str(UNLIMITED),
        "max_ack_pending": str(spec.max_ack_pending),
    }


def _consumer_found(info: ConsumerInfo | None) -> dict[str, str] | None:
    if info is None:
        return None
    config = info.config
    return {
        "filter_subjects": _words(config.filter_subjects or [config.filter_subject or ">"]),
        "ack_policy": AckPolicy(config.ack_policy or "none").value,
        "ack_wait": f"{config.ack_wait or 0:g}",
        "max_deliver": str(config.max_deliver),
        "max_ack_pending": str(config.max_ack_pending),
    }


def _words(subjects: Sequence[str]) -> str:
    return " ".join(sorted(subjects))


def _differences(kind: str, name: str, wanted: dict[str, str], found: dict[str, str] | None) -> list[Difference]:
    if found is None:
        return [Difference(kind, name, "it", "present", MISSING)]
    return [
        Difference(kind, name, setting, value, found[setting])
        for setting, value in wanted.items()
        if found[setting] != value
    ]
