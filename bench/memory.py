"""Memory of a whole node, idle and after a demo, as processes and as one; and how long it takes to be ready.

RSS counts a library's pages once a process, PSS shares them out among those that map them.
"""

import argparse
import tempfile
import time
from pathlib import Path

import psutil
from harness import Result, main

from sangkien.console.demo.mailbox import mailbox
from sangkien.console.demo.outcome import Reader
from sangkien.console.demo.places import at_one
from sangkien.console.demo.scenario import load_scenario
from sangkien.console.demo.year import Year
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import LocalNode, local_node
from sangkien.console.node.plan import Options

MIB = 1024 * 1024


async def measure(_: argparse.Namespace) -> Result:
    return {"processes": await one_node(one_process=False), "one_process": await one_node(one_process=True)}


async def one_node(*, one_process: bool) -> Result:
    """Start, look, play the year, look again."""
    with tempfile.TemporaryDirectory(prefix="sangkien-bench-") as name:
        folder = NodeFolder(Path(name))
        async with mailbox(folder.path / "mail") as smtp:
            began = time.perf_counter()
            async with local_node(folder, Options(one_process=one_process, smtp=smtp), always_own=True) as node:
                ready = time.perf_counter() - began
                idle = memory_mib(node)
                workdir = folder.path / "workbooks"
                workdir.mkdir()
                scenario = load_scenario("ba-dinh-2023")
                await Year(at_one(node), scenario, seed=1, workdir=workdir, said=lambda *_: None).play()
                await Reader(node, node.operator()).come_to_rest()
                after = memory_mib(node)
    return {"ready_s": round(ready, 2), "idle_mib": idle, "after_demo_mib": after}


def memory_mib(node: LocalNode) -> dict[str, dict[str, float]]:
    """RSS and PSS of each process of the node."""
    assert node.supervisor is not None
    found: dict[str, dict[str, float]] = {}
    for name, pid in node.supervisor.pids().items():
        memory = psutil.Process(pid).memory_full_info()
        found[name] = {"rss": round(memory.rss / MIB, 1), "pss": round(memory.pss / MIB, 1)}
    return found


if __name__ == "__main__":
    main(measure)
