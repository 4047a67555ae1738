"""Any process of a node may be killed at any moment of the year: the year comes out the same.

Moments and victims are drawn from RESILIENCE_SEED. RESILIENCE_KILLS=n adds years with n kills more.
"""

import os
import random
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from sangkien.testkit import eventually
from sangkien.testkit.command import Demo, Played, dead
from sangkien.testkit.figures import done_twice, gaps, reported, stored
from sangkien.testkit.holdings import SERVICES, progress, sqlite_documents

SEED = int(os.environ.get("RESILIENCE_SEED", "20231220"))
KILLS = int(os.environ.get("RESILIENCE_KILLS", "0"))
KILLS_A_YEAR = 12
BROKER = "nats-server"
EVERYBODY = (*SERVICES, BROKER)

Victims = tuple[str, ...]
Reach = Callable[[Demo, float], Awaitable[None]]
CheckSame = Callable[[Played], Awaitable[None]]


def has_done(demo: Demo, steps: int) -> bool:
    return progress(demo.folder) >= steps


async def killed_year(folder: Path, rounds: list[Victims], draw: random.Random, reach: Reach) -> Played:
    """A year in which each of these groups is killed once, at moments of chance and in an order of chance."""
    moments = sorted(draw.uniform(0, 0.92) for _ in rounds)  # later the year may be over before the kill
    with Demo(folder) as demo:
        for moment, victims in zip(moments, draw.sample(rounds, len(rounds)), strict=True):
            await reach(demo, moment)
            await demo.kill(*victims)
        return await demo.played()


async def test_year_is_the_same_when_each_process_is_killed_alone(
    reach: Reach, check_same: CheckSame, tmp_path: Path
) -> None:
    rounds: list[Victims] = [(name,) for name in EVERYBODY]

    played = await killed_year(tmp_path / "node", rounds, random.Random(SEED), reach)

    await check_same(played)
    assert played.outcome["restarts"] == len(rounds)


async def test_year_is_the_same_when_broker_and_services_die_at_once(
    reach: Reach, check_same: CheckSame, tmp_path: Path
) -> None:
    draw = random.Random(SEED + 1)
    rounds: list[Victims] = [*((name, BROKER) for name in draw.sample(SERVICES, 3)), EVERYBODY]

    played = await killed_year(tmp_path / "node", rounds, draw, reach)

    await check_same(played)
    assert played.outcome["restarts"] == sum(map(len, rounds))


async def test_small_node_in_one_process_survives_its_kills(other_year: Path, tmp_path: Path) -> None:
    with Demo(tmp_path / "node", str(other_year), "--one-process") as demo:
        for done in range(60, 400, 120):
            await eventually(partial(has_done, demo, done), what=f"{done} steps")
            await demo.kill("services", BROKER)
        played = await demo.played()

    read = sqlite_documents(played.folder)
    found = stored(read)
    assert (found.rounds["Đợt mùa xuân"], found.rounds["Đợt mùa hè"], found.total_vnd) == ((23, 9), (7, 0), 7_070_000)
    assert (reported(played.outcome), done_twice(read), gaps(read)) == (found, {}, [])
    assert (played.outcome["restarts"], played.outcome["dead_letters"]) == (6, 0)


async def test_children_die_with_the_command(tmp_path: Path, other_year: Path) -> None:
    with Demo(tmp_path / "node", str(other_year)) as demo:
        await eventually(lambda: demo.children().keys() == set(EVERYBODY), what="the whole node to run")
        children = await demo.die()

    assert len(children) == len(EVERYBODY)
    await eventually(lambda: [child for child in children if not dead(child)], value=[], what="nobody to be left")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(KILLS // KILLS_A_YEAR + (KILLS % KILLS_A_YEAR > 0) or 1))
async def test_year_is_the_same_whoever_dies_and_when(
    number: int, reach: Reach, check_same: CheckSame, tmp_path: Path
) -> None:
    draw = random.Random(SEED + 2 + number)
    kills = min(KILLS_A_YEAR, KILLS - number * KILLS_A_YEAR) if KILLS else 3
    groups = [*((name,) for name in EVERYBODY), *((name, BROKER) for name in SERVICES), EVERYBODY]

    rounds: list[Victims] = draw.choices(groups, k=kills)
    played = await killed_year(tmp_path / "node", rounds, draw, reach)

    await check_same(played)
    assert played.outcome["restarts"] == sum(map(len, rounds))
