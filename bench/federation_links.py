"""How a hub bears many members: time to add one more, memory of its server and of the service that serves them.

    python bench/federation_links.py [--nodes 300]

Every node gets its account, streams and connection as in operation; leaves are not started, so figures are the hub's.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from sangkien.federation import HubBroker
from sangkien.federation.accounts import NKey
from sangkien.testkit.link import HubServer

MIB = 1 << 20


def memory(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / MIB


async def run(nodes: int) -> None:
    with tempfile.TemporaryDirectory(prefix="federation-") as directory:
        hub = HubServer(Path(directory) / "hub")
        hub.server.start()
        broker = HubBroker(hub.url, hub.folder)
        await broker.connect()
        before = memory(hub.server.pid), memory(os.getpid())
        took: list[float] = []
        for number in range(nodes):
            user = NKey.create("user").public
            start = time.perf_counter()
            await broker.add(f"n{number:04}", user_public=user)
            took.append((time.perf_counter() - start) * 1000)
        after = memory(hub.server.pid), memory(os.getpid())
        print(f"add: first {took[0]:.1f} ms, median {statistics.median(took):.1f} ms, last {took[-1]:.1f} ms")
        print(f"hub server: {before[0]:.0f} MiB empty, {after[0]:.0f} MiB with {nodes} nodes")
        print(f"hub service: {before[1]:.0f} MiB empty, {after[1]:.0f} MiB with {nodes} nodes")
        process = psutil.Process()
        used = sum(process.cpu_times()[:2])
        await asyncio.sleep(20)
        print(f"hub service at rest: {(sum(process.cpu_times()[:2]) - used) / 20 * 100:.1f} % of a core")
        await broker.close()
        again = HubBroker(hub.url, hub.folder)
        await again.connect()
        start = time.perf_counter()
        for node in hub.folder.nodes():
            await again.open(node)
        print(f"open all again after a restart of the service: {time.perf_counter() - start:.1f} s")
        await again.close()
        hub.server.kill()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--nodes", type=int, default=300)
    asyncio.run(run(arguments.parse_args().nodes))


if __name__ == "__main__":
    main()
