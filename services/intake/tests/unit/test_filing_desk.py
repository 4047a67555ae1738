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

    async def settle(self, numbers: Sequence[int]) -> list[int]:
        self.taken.append(list(numbers))
        await self.opened.wait()
        if 13 in numbers:
            raise ValueError(f"unlucky among {len(numbers)}")
        return list(numbers)


async def queue_up(desk: FilingDesk[int, int], numbers: Sequence[int]) -> list[asyncio.Task[int]]:
    tasks = []
    for number in numbers:
        tasks.append(asyncio.create_task(desk.hand_in(number)))
        await asyncio.sleep(0)  # one turn of the loop: this one is at the desk before the next
        await asyncio.sleep(0)
    return tasks


async def test_who_waits_while_others_are_served_is_served_as_one_group() -> None:
    office = Office()
    tasks = await queue_up(FilingDesk(office.settle), range(CLERKS + 4))
    office.opened.set()

    assert await asyncio.gather(*tasks) == list(range(CLERKS + 4))
    assert office.taken == [*([n] for n in range(CLERKS)), [CLERKS, CLERKS + 1, CLERKS + 2, CLERKS + 3]]


async def test_error_of_a_group_reaches_only_the_one_it_belongs_to() -> None:
    office = Office()
    tasks = await queue_up(FilingDesk(office.settle), [0] * CLERKS + [12, 13, 14])
    office.opened.set()

    *answers, unlucky, last = await asyncio.gather(*tasks, return_exceptions=True)

    assert (answers, last) == ([0] * CLERKS + [12], 14)
    assert isinstance(unlucky, ValueError)
    assert str(unlucky) == "unlucky among 1"


async def test_caller_who_goes_away_costs_the_others_nothing() -> None:
    office = Office()
    served, *_, leaving, staying = tasks = await queue_up(FilingDesk(office.settle), range(CLERKS + 2))
    served.cancel()
    leaving.cancel()
    await asyncio.gather(served, leaving, return_exceptions=True)
    office.opened.set()

    assert await staying == CLERKS + 1
    assert office.taken[0] == [0]  # taken already: settled all the same
    assert office.taken[CLERKS:] == [[CLERKS + 1]]
    assert all(task.done() for task in tasks)


async def test_group_belongs_to_no_caller() -> None:
    caller: ContextVar[str] = ContextVar("caller", default="nobody")
    caller.set("somebody")

    async def who(items: Sequence[int]) -> list[str]:
        return [caller.get() for _ in items]

    assert await FilingDesk(who).hand_in(1) == "nobody"
