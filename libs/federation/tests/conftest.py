"""What the tests of this library share: a running federation."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sangkien.testkit.link import Federation, federation


@pytest.fixture
async def fed(tmp_path: Path) -> AsyncIterator[Federation]:
    async with federation(tmp_path) as made:
        yield made


@pytest.fixture
async def linked(fed: Federation) -> Federation:
    """With members a and b, both links standing."""
    for node in ("a", "b"):
        await fed.join(node)
    await fed.stands()
    return fed
