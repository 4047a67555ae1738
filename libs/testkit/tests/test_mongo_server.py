"""The MongoDB test server: absent means failing loudly, and it never outlives its owner."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sangkien.testkit import eventually
from sangkien.testkit.mongo_server import MongoServerMissing, mongo_server

OWNER = """
import sys
from sangkien.testkit.mongo_server import mongo_server
with mongo_server() as uri:
    print(uri, flush=True)
    sys.stdin.read()
"""


def test_a_missing_server_names_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MONGO_TEST_URI", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(MongoServerMissing, match="set MONGO_TEST_URI"), mongo_server():
        pass


def test_a_server_that_is_given_is_used_and_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGO_TEST_URI", "mongodb://elsewhere:27017")
    with mongo_server() as uri:
        assert uri == "mongodb://elsewhere:27017"


async def test_the_server_dies_with_an_owner_that_is_killed(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "MONGO_TEST_URI"}
    environment["TMPDIR"] = str(tmp_path)  # a killed owner cannot tidy up
    with subprocess.Popen(  # noqa: ASYNC220 - nothing else runs on the loop
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline().startswith(b"mongodb://127.0.0.1:")
        (server,) = psutil.Process(owner.pid).children()
        assert server.is_running()
        os.kill(owner.pid, signal.SIGKILL)
        assert owner.wait() == -signal.SIGKILL
    await eventually(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
