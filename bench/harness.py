"""What the benchmarks share: a node of their own, statistics, and how a result is printed."""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import LocalNode, local_node
from sangkien.console.node.plan import Options
from sangkien.runtime import configure_logging, run

Result = dict[str, Any]


def main(measure: Callable[[argparse.Namespace], Awaitable[Result]], *arguments: tuple[str, dict[str, Any]]) -> None:
    """Run one benchmark file: `--json` prints the result as one object, otherwise one line a figure."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--json", action="store_true")
    for name, options in arguments:
        parser.add_argument(name, **options)
    chosen = parser.parse_args()
    configure_logging("error", json=False)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": round(os.getloadavg()[0], 2)}
    result = {"bench": Path(sys.argv[0]).stem, "machine": machine} | run(_as_coroutine(measure(chosen)))
    if chosen.json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False, indent=2) + "\n")
    else:
        for name, value in result.items():
            sys.stdout.write(f"{name:<28} {value}\n")


async def _as_coroutine(result: Awaitable[Result]) -> Result:
    return await result


@asynccontextmanager
async def node(options: Options) -> AsyncIterator[LocalNode]:
    """A node in a temporary folder, with every service as a process of its own unless the options say otherwise."""
    with tempfile.TemporaryDirectory(prefix="sangkien-bench-") as folder:
        async with local_node(NodeFolder(Path(folder)), options, always_own=True) as running:
            yield running


@asynccontextmanager
async def helper(script: str, *arguments: str) -> AsyncIterator[int]:
    """A server of the benchmarks in a process of its own, by the name of its file; gives the port it prints."""
    file = str(Path(__file__).with_name(script))
    process = await asyncio.create_subprocess_exec(sys.executable, file, *arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


def median(values: Sequence[float], digits: int = 1) -> float:
    """The median, rounded."""
    return round(statistics.median(values), digits)


def percentiles_ms(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds."""
    ordered = sorted(seconds)
    return {f"p{p}": round(ordered[min(len(ordered) - 1, len(ordered) * p // 100)] * 1000, 2) for p in (50, 95, 99)}


async def in_flight(count: int, width: int, call: Callable[[int], Awaitable[object]]) -> tuple[float, list[float]]:
    """Make `count` calls with `width` under way at a time; returns calls per second and the seconds of each."""
    numbers = iter(range(count))
    took: list[float] = []

    async def worker() -> None:
        for number in numbers:
            began = time.perf_counter()
            await call(number)
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(width)))
    return count / (time.perf_counter() - began), took
