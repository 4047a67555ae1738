"""A service as a process of its own, which a test may kill and start again on what it left."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sangkien.testkit.directory_double import NODE_SECRET, DirectoryDouble


@contextmanager
def service_process(
    service: str, *, nats_url: str, directory: DirectoryDouble, data_dir: Path, port: int
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m sangkien.<service> serve` on that port, with its SQLite store in `data_dir`; killed at the end.

    It may not serve yet when it is yielded: wait for its answer.
    """
    settings = {
        "STORE_URL": f"sqlite://{data_dir}",
        "DATABASE": service,
        "NATS_URL": nats_url,
        "LISTEN": f"127.0.0.1:{port}",
        "DIRECTORY": directory.target,
        "NODE_SECRET": NODE_SECRET,
    }
    environment = os.environ | {f"{service.upper()}_{name}": value for name, value in settings.items()}
    process = subprocess.Popen([sys.executable, "-m", f"sangkien.{service}", "serve"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
