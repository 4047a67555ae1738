"""What every fault has in common: the moments it comes at, and what must be so afterwards."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sangkien.testkit import eventually
from sangkien.testkit.command import Demo, Played
from sangkien.testkit.figures import done_twice, dossiers, gaps, reported, said, stored
from sangkien.testkit.holdings import kept_messages, progress, sqlite_documents

Reach = Callable[[Demo, float], Awaitable[None]]
CheckSame = Callable[[Played], Awaitable[None]]


@pytest.fixture(scope="session")
def reach(year: Played) -> Reach:
    """Wait until a demo has done this part of the year's work, from 0 to 1."""
    whole = progress(year.folder)

    async def until(demo: Demo, part: float) -> None:
        wanted = int(whole * part)
        await eventually(
            lambda: not demo.running or progress(demo.folder) >= wanted, timeout=150, what=f"{part:.0%} of the year"
        )
        assert demo.running, (await demo.played()).outcome

    return until


@pytest.fixture
def check_same(year: Played, tmp_path: Path) -> CheckSame:
    """Assert that a year with faults has the figures and dossiers of the one without, and did nothing twice."""

    async def check(played: Played) -> None:
        read, undisturbed = sqlite_documents(played.folder), sqlite_documents(year.folder)
        figures = stored(undisturbed)
        assert (stored(read), reported(played.outcome)) == (figures, figures)
        messages = await kept_messages(played.folder, tmp_path / "broker")
        assert said(messages) == figures
        assert [each.subject for each in messages if not each.subject.startswith("ev.")] == []
        assert dossiers(read) == dossiers(undisturbed)
        assert (done_twice(read), gaps(read), played.outcome["dead_letters"]) == ({}, [], 0)

    return check
