"""The probe of containers, against a real service whose broker goes away."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sangkien.chassis import Definition, Parts, probe
from sangkien.rpc import Policy
from sangkien.runtime import ServiceSettings
from sangkien.store import Schema
from sangkien.testkit.directory_double import directory_double
from sangkien.testkit.eventually import eventually
from sangkien.testkit.nats_server import NatsServer, free_port
from sangkien.testkit.service import running_service

BARE = Definition("reporting", ServiceSettings, Schema((), ()), lambda _: Parts(servicers=[], policy=Policy({})))


@pytest.fixture
async def target(own_nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[str]:
    async with (
        directory_double() as directory,
        running_service(
            BARE, nats_url=own_nats_server.url, data_dir=tmp_path / "data", directory=directory, drain_timeout_s=2
        ) as service,
    ):
        yield service.host.target


async def fault(target: str, name: str) -> str:
    return await asyncio.to_thread(probe.fault, target, name)


async def test_probe_tells_ready_from_serving(target: str, own_nats_server: NatsServer) -> None:
    assert await eventually(lambda: fault(target, "ready"), value="") == ""

    own_nats_server.kill()

    assert await eventually(lambda: fault(target, "ready"), value="NOT_SERVING") == "NOT_SERVING"
    assert await fault(target, "") == ""
    own_nats_server.start()


async def test_probe_ends_with_the_status_containers_read(target: str) -> None:
    async def status(*arguments: str) -> tuple[int | None, str]:
        command = [sys.executable, "-P", probe.__file__, *arguments]
        ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stderr.strip()

    nowhere = f"127.0.0.1:{free_port()}"
    assert await eventually(lambda: status(target), value=(0, "")) == (0, "")
    assert await status(target, "") == (0, "")
    assert await status(target, "no.such.Service") == (1, f"{target}: NOT_FOUND")
    assert await status(nowhere) == (1, f"{nowhere}: UNAVAILABLE")
