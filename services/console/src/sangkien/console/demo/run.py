"""`sangkien demo`: a node of its own, the year, and its figures."""

import shutil
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from sangkien.api.ops.v1 import ops_pb2
from sangkien.console.demo.mailbox import mailbox
from sangkien.console.demo.outcome import Outcome, Reader
from sangkien.console.demo.places import at_one
from sangkien.console.demo.scenario import Scenario
from sangkien.console.demo.telling import Bars
from sangkien.console.demo.year import Story, Year
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import local_node
from sangkien.console.node.plan import Options
from sangkien.console.operations import Operations


@dataclass(frozen=True, slots=True)
class Told:
    """A finished demo: its figures, and the spans of one dossier's trace."""

    outcome: Outcome
    story: Story
    spans: list[ops_pb2.Span]


async def run_demo(
    scenario: Scenario,
    *,
    seed: int,
    folder: NodeFolder,
    mongo: str,
    one_process: bool,
    console: Console,
) -> Told:
    """Start a node in the folder, play the scenario, read the figures back, stop the node.

    Raises what the year raises, NotReady and NodeFolderError. Progress goes to `console`.
    """
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        bars = stack.enter_context(Bars(console))
        smtp = await stack.enter_async_context(mailbox(folder.path / "mail"))
        workdir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sangkien-demo-")))
        restarts: list[str] = []

        def restarted(name: str) -> None:
            restarts.append(name)
            bars.note(f"[yellow]{name} dừng, đang khởi động lại · stopped, starting it again[/yellow]")

        bars.said("Khởi động các dịch vụ · Starting services", 0, 1)
        options = Options(one_process=one_process, mongo=mongo, smtp=smtp)
        async with local_node(folder, options, on_restart=restarted, always_own=True) as node:
            bars.said("Khởi động các dịch vụ · Starting services", 1, 1)
            story = await Year(at_one(node), scenario, seed=seed, workdir=workdir, said=bars.said).play()
            operator = node.operator()
            reader = Reader(node, operator)
            bars.said("Chờ thông báo cuối cùng · Waiting for the last notice", 0, 1)
            await reader.come_to_rest()
            bars.said("Chờ thông báo cuối cùng · Waiting for the last notice", 1, 1)
            outcome = await reader.read(story, restarts=len(restarts), duration_s=time.monotonic() - began)
            operations = Operations(node, operator)
            traces = await operations.traces_of(story.a_dossier)
            spans = await operations.spans(traces[0]) if traces else []
    return Told(outcome, story, spans)


def temporary_folder() -> Path:
    """A new folder for a demo that nobody asked to keep."""
    return Path(tempfile.mkdtemp(prefix="sangkien-demo-"))


def remove(folder: Path) -> None:
    """Remove a temporary folder and everything in it."""
    shutil.rmtree(folder, ignore_errors=True)
