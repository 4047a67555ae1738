"""The microservice chassis: one service's store, bus, server and traces, assembled and drained in order.

It holds no word of the business. A service gives a `Definition`; `main` runs it as a process, `Host` several in one.
"""

from sangkien.chassis.command import main
from sangkien.chassis.context import Context
from sangkien.chassis.definition import Definition, Parts
from sangkien.chassis.directory import DirectoryLookup
from sangkien.chassis.host import Host, ServiceHost

__all__ = [
    "Context",
    "Definition",
    "DirectoryLookup",
    "Host",
    "Parts",
    "ServiceHost",
    "main",
]
