"""What the tests across services start from: a year that was played to its end, and its node running again."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import LocalNode, local_node
from sangkien.testkit.command import Demo, Played
from sangkien.testkit.holdings import Said, kept_messages

OTHER_YEAR = """
district: {slug: tay-ho, name: "Quận Tây Hồ"}
council: {name: "Hội đồng sáng kiến quận Tây Hồ", set_up_by: "12/QĐ-UBND", on: 2024-02-01}
rounds:
  - {name: "Đợt mùa xuân", group: "khối Giáo dục", filed: 23, recognised: 9}
  - {name: "Đợt mùa hè", group: "phường", filed: 7, recognised: 0}
  - {name: "Đợt mùa thu", group: "phòng, ban", filed: 5, recognised: 5}
city: {recognised: 2}
reward: {decision: "77/QĐ-UBND", on: 2024-12-10, form: giay-khen-quan, collectives: 3, individuals: 4}
"""


@pytest.fixture(scope="session")
async def year(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The year of quận Ba Đình on SQLite, with nothing in its way. Its node is stopped; nobody writes to its folder."""
    with Demo(tmp_path_factory.mktemp("year") / "node") as demo:
        return await demo.played()


@pytest.fixture(scope="session")
async def events(year: Played, tmp_path_factory: pytest.TempPathFactory) -> list[Said]:
    """Every message the broker of that year kept."""
    return await kept_messages(year.folder, tmp_path_factory.mktemp("broker"))


@pytest.fixture(scope="session")
async def node(year: Played, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalNode]:
    """The node of that year started again, on a copy of its folder."""
    copy = tmp_path_factory.mktemp("again") / "node"
    shutil.copytree(year.folder, copy, ignore=shutil.ignore_patterns("mail"))
    async with local_node(NodeFolder(copy)) as running:
        yield running


@pytest.fixture(scope="session")
def other_year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario file of another district, small, with a round in which nobody and one in which everybody passes."""
    path = tmp_path_factory.mktemp("scenario") / "tay-ho.yaml"
    path.write_text(OTHER_YEAR, encoding="utf-8")
    return path
