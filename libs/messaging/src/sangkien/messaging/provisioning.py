"""Provisioning from outside a service: the step of a deployment that runs before anything serves."""

import nats

from sangkien.contracts.topology import Topology
from sangkien.messaging.topology import Difference, provision

_CONNECT_SECONDS = 10


async def provision_node(nats_url: str, topology: Topology) -> list[Difference]:
    """Connect, bring the broker into the state of `topology`, disconnect; returns what had to change.

    Raises nats errors when the broker cannot be reached, and ProvisionRefused.
    """
    client = await nats.connect(nats_url, connect_timeout=_CONNECT_SECONDS, allow_reconnect=False)
    try:
        return await provision(client.jetstream(), topology)
    finally:
        await client.close()
