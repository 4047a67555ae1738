"""Provisioning from outside a service: the step of a deployment that runs before anything serves."""

import nats
import structlog

from sangkien.contracts.topology import Topology
from sangkien.messaging.outbox import RELAY
from sangkien.messaging.sweep import Retention
from sangkien.messaging.topology import MISSING, Difference, provision
from sangkien.runtime import utc_now
from sangkien.store import Store

_CONNECT_SECONDS = 10

_log = structlog.get_logger("sangkien.messaging.provisioning")


async def provision_node(nats_url: str, topology: Topology, store: Store | None = None) -> list[Difference]:
    """Connect, bring the broker into the state of `topology`, disconnect; returns what had to change.

    `store` is that of the one service whose topology it is. With it, a consumer of a service that has run before and
    whose consumer vanished starts where its inbox still remembers, as it does when the service brings it back itself,
    and the log warns of it: at the beginning of the stream it would repeat effects whose inbox rows are swept.
    Raises nats errors when the broker cannot be reached, StoreUnavailable, and ProvisionRefused.
    """
    ids = {f"consumer:{consumer.name}": consumer for consumer in topology.consumers}
    known = await store.get_many(RELAY, list(ids)) if store is not None else {}
    kept = Retention()
    start = utc_now() - (kept.inbox - kept.sent)
    client = await nats.connect(nats_url, connect_timeout=_CONNECT_SECONDS, allow_reconnect=False)
    try:
        changed = await provision(client.jetstream(), topology, start_from={ids[id].name: start for id in known})
    finally:
        await client.close()
    for consumer in (ids[id] for id in known):
        if any((each.name, each.found) == (consumer.name, MISSING) for each in changed):
            _log.warning(
                "consumer_had_vanished", stream=consumer.stream, consumer=consumer.name, starts_at=start.isoformat()
            )
    return changed
