"""Real servers and helpers for tests. Nothing here stands in for a broker or a store: it starts the true ones."""

from sangkien.testkit.eventually import eventually
from sangkien.testkit.nats_server import NatsServer

__all__ = ["NatsServer", "eventually"]
