"""The store is the record, not the broker: what the broker forgets is offered again, and the year is the same."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from sangkien.testkit.command import Demo, Played

BROKER = "nats-server"

Reach = Callable[[Demo, float], Awaitable[None]]
CheckSame = Callable[[Played], Awaitable[None]]


def store_of(demo: Demo) -> Path:
    return demo.folder / "nats" / "store"


async def test_year_is_the_same_when_the_broker_comes_back_empty(
    reach: Reach, check_same: CheckSame, tmp_path: Path
) -> None:
    with Demo(tmp_path / "node") as demo:
        for moment in (0.3, 0.8):
            await reach(demo, moment)
            async with demo.halted(BROKER):
                store_of(demo).rename(tmp_path / f"forgotten-{moment}")
                await demo.kill(BROKER)
        played = await demo.played()

    await check_same(played)


async def test_year_is_the_same_when_the_broker_loses_the_tail_of_its_streams(
    reach: Reach, check_same: CheckSame, tmp_path: Path
) -> None:
    with Demo(tmp_path / "node") as demo:
        await reach(demo, 0.3)
        async with demo.halted(BROKER):
            shutil.copytree(store_of(demo), tmp_path / "older")
        await reach(demo, 0.7)
        async with demo.halted(BROKER):
            store_of(demo).rename(tmp_path / "newer")
            shutil.copytree(tmp_path / "older", store_of(demo))
            await demo.kill(BROKER)
        played = await demo.played()

    await check_same(played)
