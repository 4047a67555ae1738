"""`python -m sangkien.console.node.lean sangkien.intake serve`: a module run as `-m` runs it, without the terminal.

structlog loads rich wherever it is installed, to draw tracebacks that no service draws. It is installed for the
command, and with what it brings would be 4 MiB of every process; the image of the services does not have it either.
"""

import runpy
import sys


def main(module: str) -> None:
    """Run the module with the arguments that are left."""
    sys.modules["rich"] = None  # type: ignore[assignment]  # importing it now raises ModuleNotFoundError
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    del sys.argv[0]
    main(sys.argv[0])
