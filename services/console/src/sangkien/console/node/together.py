"""`python -m sangkien.console.node.together intake review …`: several services in one process, for small machines."""

import importlib
import sys

from sangkien.chassis import Definition, Host
from sangkien.runtime import SettingsInvalid, configure_logging, flush_logs, run


def main(names: list[str]) -> None:
    """Serve the named services until SIGTERM. Settings come from the environment, as for a process of their own."""
    definitions: list[Definition] = [importlib.import_module(f"sangkien.{name}.bootstrap").SERVICE for name in names]
    try:
        services = [(definition, definition.settings.load()) for definition in definitions]
    except SettingsInvalid as error:
        sys.exit(str(error))
    configure_logging(services[0][1].log_level, json=services[0][1].log_json)
    try:
        sys.exit(run(Host(services).serve()))
    finally:
        flush_logs()


if __name__ == "__main__":
    main(sys.argv[1:])
