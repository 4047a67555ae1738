"""The server of the tests is a real one, and really dies."""

import asyncio
import sys
from pathlib import Path

import nats
import psutil
import pytest

from sangkien.testkit import NatsServer, eventually


async def test_server_keeps_port_and_store_over_kill_and_loses_them_when_wiped(tmp_path: Path) -> None:
    with NatsServer(tmp_path) as server:
        client = await nats.connect(server.url)
        await client.jetstream().add_stream(name="S", subjects=["s.>"])
        await client.close()
        port = server.port

        server.kill()
        assert not server.running
        server.start()
        client = await nats.connect(server.url)
        assert (await client.jetstream().stream_info("S")).config.subjects == ["s.>"]
        await client.close()

        server.stop()
        server.wipe()
        server.start()
        client = await nats.connect(f"nats://127.0.0.1:{port}")
        assert await client.jetstream().streams_info() == []
        await client.close()


def test_store_of_a_running_server_is_not_touched(tmp_path: Path) -> None:
    with NatsServer(tmp_path) as server, pytest.raises(RuntimeError, match="stop or kill the server"):
        server.wipe()


def test_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    with NatsServer(tmp_path / "first") as first, pytest.raises(RuntimeError, match="address already in use"):
        NatsServer(tmp_path / "second", port=first.port).start()


async def test_server_dies_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, signal, sys; from sangkien.testkit import NatsServer;"
        "server = NatsServer(pathlib.Path(sys.argv[1])).start(); print(server._process.pid, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())

    assert await parent.wait() == -9
    await eventually(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


async def test_eventually_says_what_was_missing() -> None:
    with pytest.raises(AssertionError, match=r"waited 0\.05 s for rows to be 3: last answer 2"):
        await eventually(lambda: 2, value=3, timeout=0.05, what="rows")
