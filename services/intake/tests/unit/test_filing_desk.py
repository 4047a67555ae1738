"""Callers at a desk are served together, and none pays for another."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

from sangkien.intake.application.filing_desk import CLERKS, FilingDesk


class Office:
    """Settles a number to itself; holds every group until `opened`. `taken` are the groups it got."""

    def __init__(self) -> None:
        self.taken: list[list[int]] = []
        self.opened = asyncio.Event()
        self.busy = asyncio.Semaphore(0)
        self.desk = FilingDesk(self.settle)

    async def settle(self, numbers: Sequence[int]) -> list[int]:
        self.taken.append(list(numbers))
        self.busy.release()
        await self.opened.wait()
        if 13 in numbers:
            raise ValueError(f"unlucky among {len(numbers)}")
        return list(numbers)

    async def occupied(self) -> list[asyncio.Task[int]]:
        """Those that every clerk is busy with: 0, 1 and so on, one each."""
        tasks = []
        for number in range(CLERKS):
            tasks.append(asyncio.create_task(self.desk.hand_in(number)))
            await self.busy.acquire()
        return tasks


async def test_who_comes_at_the_same_time_is_served_as_one_group() -> None:
    office = Office()
    office.opened.set()
    assert await asyncio.gather(*(office.desk.hand_in(number) for number in range(5))) == [0, 1, 2, 3, 4]
    assert office.taken == [[0, 1, 2, 3, 4]]


async def test_who_comes_while_others_are_served_is_served_as_one_group_after_them() -> None:
    office = Office()
    first = await office.occupied()
    later = [asyncio.create_task(office.desk.hand_in(number)) for number in (5, 6, 7)]
    await asyncio.sleep(0)  # they are at the desk
    office.opened.set()

    assert await asyncio.gather(*first, *later) == [*range(CLERKS), 5, 6, 7]
    assert office.taken == [*([n] for n in range(CLERKS)), [5, 6, 7]]


async def test_error_of_a_group_reaches_only_the_one_it_belongs_to() -> None:
    office = Office()
    office.opened.set()

    answer, unlucky, last = await asyncio.gather(
        *(office.desk.hand_in(number) for number in (12, 13, 14)), return_exceptions=True
    )

    assert (answer, last) == (12, 14)
    assert isinstance(unlucky, ValueError)
    assert str(unlucky) == "unlucky among 1"


async def test_caller_who_goes_away_costs_the_others_nothing() -> None:
    office = Office()
    served, *_ = await office.occupied()
    leaving, staying = [asyncio.create_task(office.desk.hand_in(number)) for number in (5, 6)]
    await asyncio.sleep(0)  # they are at the desk
    served.cancel()
    leaving.cancel()
    await asyncio.gather(served, leaving, return_exceptions=True)
    office.opened.set()

    assert await staying == 6
    assert office.taken == [*([n] for n in range(CLERKS)), [6]]  # what was taken already is settled all the same


async def test_desk_that_everybody_left_is_open_to_the_next() -> None:
    office = Office()
    office.opened.set()
    gone = asyncio.create_task(office.desk.hand_in(1))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert await office.desk.hand_in(2) == 2
    assert office.taken == [[2]]


async def test_group_belongs_to_no_caller() -> None:
    caller: ContextVar[str] = ContextVar("caller", default="nobody")
    caller.set("somebody")

    async def who(items: Sequence[int]) -> list[str]:
        return [caller.get() for _ in items]

    assert await FilingDesk(who).hand_in(1) == "nobody"
