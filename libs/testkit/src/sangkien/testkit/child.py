"""A service as a process that is killed and started again on what it left, and whose store is read from outside."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sangkien.testkit.directory_double import NODE_SECRET, DirectoryDouble
from sangkien.testkit.eventually import eventually
from sangkien.testkit.nats_server import free_port


class Child:
    """A service's process on one port and one store; started again, it goes on with what it left."""

    def __init__(self, service: str, folder: Path, directory: DirectoryDouble, /, **told: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.log = folder / f"{service}.log"
        self._service = service
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "node": directory.node,
            "store_url": f"sqlite://{folder}",
            "database": service,
            "listen": f"127.0.0.1:{self.port}",
            "directory": directory.target,
            "node_secret": NODE_SECRET,
            "log_level": "warning",
            **told,
        }
        self._environment = os.environ | {f"{service}_{name}".upper(): value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None

    def tell(self, **told: str) -> None:
        """Change settings; they count from the next start."""
        self._environment |= {f"{self._service}_{name}".upper(): value for name, value in told.items()}

    @property
    def pid(self) -> int:
        """Raises RuntimeError when it does not run."""
        if self._process is None:
            raise RuntimeError(f"{self._service} does not run")
        return self._process.pid

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return self.folder / f"{self._service}.db"

    async def start(self) -> None:
        """Return once its port is served."""
        self._launch()
        await eventually(self._served, timeout=60, what=f"{self._service} to serve; see {self.log}")

    def kill(self) -> None:
        """Kill -9; returns once it is really dead. Raises AssertionError when it had ended by itself."""
        if self._process is None:
            return
        assert self._process.poll() is None, f"{self._service} had ended by itself: {self.said[-2000:]}"  # noqa: S101
        self._process.kill()
        self._process.wait()
        self._process = None

    @property
    def said(self) -> str:
        """Everything it logged."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def rows(self, coll: str) -> list[dict[str, Any]]:
        """Every document of a collection, in order of ids, read from the file."""
        with closing(sqlite3.connect(f"{self.store.as_uri()}?mode=ro", uri=True)) as db:
            return [json.loads(body) for (body,) in db.execute(f'SELECT body FROM "{coll}" ORDER BY id')]  # noqa: S608

    def one(self, coll: str, id: str) -> dict[str, Any]:
        """One document, by its key: as cheap as a look can be. Empty while there is none."""
        with closing(sqlite3.connect(f"{self.store.as_uri()}?mode=ro", uri=True)) as db:
            found = db.execute(f'SELECT body FROM "{coll}" WHERE id = ?', (id,)).fetchone()  # noqa: S608 (of ours)
            return json.loads(found[0]) if found else {}

    def count(self, coll: str, where: str = "1") -> int:
        """Documents of which that SQL condition on `body` holds; 0 while there is no such collection."""
        with closing(sqlite3.connect(f"{self.store.as_uri()}?mode=ro", uri=True)) as db:
            try:
                found = db.execute(f'SELECT count(*) FROM "{coll}" WHERE {where}')  # noqa: S608 (of ours)
            except sqlite3.OperationalError:
                return 0
            return int(found.fetchone()[0])

    def _launch(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", f"sangkien.{self._service}", "serve"]
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def _served(self) -> bool:
        assert self._process is not None  # noqa: S101 (started)
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._service} ended with {self._process.returncode}: {self.said[-3000:]}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1.0):
            return True
        return False
