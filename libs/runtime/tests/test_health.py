import asyncio

import pytest

from sangkien.runtime import Health


async def answers() -> None:
    """A dependency that is well."""


async def fails() -> None:
    raise ConnectionError


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_health_asks_every_dependency_and_survives_all_of_them() -> None:
    health = Health(timeout=0.05)
    health.register("store", answers)
    health.register("broker", fails)
    health.register("mail", hangs)
    assert await health.check() == {"store": True, "broker": False, "mail": False}


def test_health_takes_a_name_once() -> None:
    health = Health()
    health.register("store", answers)
    with pytest.raises(ValueError, match="store"):
        health.register("store", fails)
