"""`python -m sangkien.<service> serve | provision`: a service as a process of its own."""

import argparse
import contextlib
import os
import sys

from sangkien.chassis.definition import Definition
from sangkien.chassis.host import Host
from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import MESSAGING_SCHEMA, provision_node
from sangkien.runtime import SettingsInvalid, configure_logging, flush_logs, run
from sangkien.store import StoreError, open_store


def main(definition: Definition) -> None:
    """Run the service by the arguments and the environment; exits with 2 for settings nobody can run with."""
    parser = argparse.ArgumentParser(prog=f"python -m sangkien.{definition.name}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve until SIGTERM")
    commands.add_parser("provision", help="create collections, indexes, streams and consumers, then end")
    chosen = parser.parse_args().command
    try:
        settings = definition.settings.load()
    except SettingsInvalid as error:
        sys.exit(f"{definition.name}: {error}")
    _work_in_batches()
    configure_logging(settings.log_level, json=settings.log_json)
    try:
        if chosen == "serve":
            sys.exit(run(Host([(definition, settings)]).serve()))
        run(_provision(definition, settings.store_url, settings.database, settings.nats_url))
    except StoreError as error:
        sys.exit(f"{definition.name}: {error}")
    finally:
        flush_logs()


def _work_in_batches() -> None:
    """Ask Linux not to interrupt one thread of the process because another became ready (sched(7), SCHED_BATCH).

    The threads of gRPC, traces and log become ready all the time and have time; each turn costs the event loop more
    than the wait costs them.
    """
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):  # a sandbox may forbid it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


async def _provision(definition: Definition, store_url: str, database: str, nats_url: str) -> None:
    store = await open_store(store_url, database=database)
    try:
        await store.ensure(definition.schema + MESSAGING_SCHEMA)
        await provision_node(nats_url, TOPOLOGY.of_service(definition.name), store)
    finally:
        await store.close()
