import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

from sangkien.runtime import Lifecycle

SERVING = """
import asyncio, sys
from sangkien.runtime import Lifecycle, configure_logging, run
configure_logging()
def say(word):
    async def step():
        print(word, flush=True)
    return step
async def hang():
    print("hanging", flush=True)
    await asyncio.Event().wait()
async def main():
    life = Lifecycle(step_timeout=60)
    life.add("store", start=say("store up"), stop=say("store down"))
    life.add("server", start=say("server up"), stop=hang if "hang" in sys.argv else say("server down"))
    return await life.serve()
sys.exit(run(main()))
"""


class Recorder:
    """Parts that write down what was asked of them."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def step(self, word: str, error: Exception | None = None) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            self.seen.append(word)
            if error is not None:
                raise error

        return run


async def test_lifecycle_stops_in_reverse_though_one_fails_and_one_hangs() -> None:
    recorder, life = Recorder(), Lifecycle(step_timeout=0.05)
    life.add("store", start=recorder.step("+store"), stop=recorder.step("-store"))
    life.add("relay", start=recorder.step("+relay"), stop=recorder.step("-relay", RuntimeError()))
    life.add("server", start=recorder.step("+server"), stop=asyncio.Event().wait)
    await life.start()
    assert await life.drain() == ["server", "relay"]
    assert recorder.seen == ["+store", "+relay", "+server", "-relay", "-store"]
    assert await life.drain() == ["server", "relay"]
    assert recorder.seen[5:] == []


async def test_lifecycle_stops_what_had_started_when_a_start_fails() -> None:
    recorder, life = Recorder(), Lifecycle()
    life.add("store", start=recorder.step("+store"), stop=recorder.step("-store"))
    life.add("server", start=recorder.step("+server", OSError("port taken")), stop=recorder.step("-server"))
    life.add("probe", start=recorder.step("+probe"), stop=recorder.step("-probe"))
    with pytest.raises(OSError, match="port taken"):
        await life.start()
    assert recorder.seen == ["+store", "+server", "-store"]


async def test_lifecycle_that_stops_for_a_reason_reports_failure() -> None:
    recorder, life = Recorder(), Lifecycle()
    life.add("bus", stop=recorder.step("-bus"))
    life.stop("the broker closed for good")
    life.stop("a later reason")
    assert (await life.serve(), life.reason, recorder.seen) == (1, "the broker closed for good", ["-bus"])


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_lifecycle_drains_when_the_system_asks(which: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        started = [process.stdout.readline() for _ in range(2)]
        process.send_signal(which)
        rest = process.stdout.read()
    assert (started, rest) == (["store up\n", "server up\n"], "server down\nstore down\n")
    assert process.returncode == 0


def test_lifecycle_ends_at_once_when_asked_twice() -> None:
    with subprocess.Popen([sys.executable, "-c", SERVING, "hang"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        started = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        started.append(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert (started[2], rest, process.returncode) == ("hanging\n", "", -signal.SIGTERM)
