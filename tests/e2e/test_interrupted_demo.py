"""A demo whose command was killed goes on in its folder, with the year it began and no other."""

import asyncio
from functools import partial
from pathlib import Path

from sangkien.testkit import eventually
from sangkien.testkit.command import Demo, sangkien
from sangkien.testkit.figures import done_twice, gaps, reported, said, stored
from sangkien.testkit.holdings import kept_messages, progress, sqlite_documents


def has_done(demo: Demo, steps: int) -> bool:
    return progress(demo.folder) >= steps


async def test_demo_goes_on_where_it_was_killed_and_only_with_the_year_it_began(
    other_year: Path, tmp_path: Path
) -> None:
    for steps in (150, 700, 1_150):
        with Demo(tmp_path / "node", str(other_year), "--one-process") as demo:
            await eventually(partial(has_done, demo, steps), timeout=150, what=f"{steps} steps")
            await demo.die()
    another = ("demo", other_year, "--seed", "2", "--json", "--data-dir", tmp_path / "node")
    refused = await asyncio.to_thread(sangkien, *another)
    with Demo(tmp_path / "node", str(other_year), "--one-process") as demo:
        played = await demo.played()
    finished = await asyncio.to_thread(
        sangkien, "demo", other_year, "--one-process", "--json", "--data-dir", tmp_path / "node"
    )

    read = sqlite_documents(played.folder)
    found = stored(read)
    assert (found.rounds["Đợt mùa xuân"], found.rounds["Đợt mùa hè"], found.total_vnd) == ((23, 9), (7, 0), 7_070_000)
    assert (reported(played.outcome), said(await kept_messages(played.folder, tmp_path / "broker"))) == (found, found)
    assert (done_twice(read), gaps(read), played.outcome["dead_letters"]) == ({}, [], 0)
    assert [(status, answer["error"]["code"]) for status, answer in (refused, finished)] == [
        (1, "demo_folder_used")
    ] * 2
