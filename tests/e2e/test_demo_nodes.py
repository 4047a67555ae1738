"""A small year on three nodes: the union files, its link fails and returns, and the figures are those of one node."""

from pathlib import Path

import pytest

from sangkien.testkit.command import Demo, Played
from sangkien.testkit.holdings import sqlite_documents

CITY, DISTRICT, UNION = "ha-noi", "tay-ho", "ldld-tay-ho"
FILED, RECOGNISED, SENT_UP, CITY_RECOGNISED = 23 + 7 + 5, 9 + 0 + 5, 6, 2


@pytest.fixture(scope="module")
async def played(other_year: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    with Demo(tmp_path_factory.mktemp("nodes") / "three", str(other_year), "--nodes") as demo:
        return await demo.played()


async def test_figures_are_the_scenarios_whatever_crosses(played: Played) -> None:
    outcome = played.outcome

    assert outcome["totals"] == {"filed": FILED, "recognised": RECOGNISED}
    assert outcome["city"] == {"filed": SENT_UP, "recognised": CITY_RECOGNISED}
    assert (outcome["reported"]["recognised"], outcome["reported"]["refused"]) == (RECOGNISED, FILED - RECOGNISED)
    assert (outcome["reward"]["total_vnd"], outcome["dead_letters"]) == (7_070_000, 0)


async def test_three_nodes_ran_and_the_link_was_really_down(played: Played) -> None:
    outcome = played.outcome
    pids = [pid for node in outcome["nodes"] for pid in node["pids"].values()]
    link = outcome["link"]

    assert [node["id"] for node in outcome["nodes"]] == [UNION, DISTRICT, CITY]
    assert len(set(pids)) == len(pids) > 3 * 2
    assert (link["queued_at_cut"] > 0, link["bytes_while_cut"]) == (True, 0)
    assert link["cut_s"] > 0
    assert link["drained_s"] > 0


async def test_district_holds_the_unions_evidence_whole(played: Played) -> None:
    evidence, files = played.outcome["evidence"], played.outcome["files"]

    assert evidence["files"] > 0
    assert files == {"sent": evidence["files"], "held": evidence["files"], "bytes": evidence["bytes"]}


async def test_every_dossier_reached_its_council_once_and_the_audits_hold(played: Played) -> None:
    union = sqlite_documents(played.folder / UNION)("intake", "dossiers")
    district = sqlite_documents(played.folder / DISTRICT)("review", "cases")
    city = sqlite_documents(played.folder / CITY)("review", "cases")
    checked = played.outcome["audit"]["checked"]

    assert (len(union), len(district), len(city)) == (FILED, FILED, SENT_UP)
    assert {each["remote_code"] for each in union} == codes(played.folder / DISTRICT)
    assert played.outcome["audit"]["ok"] is True
    assert len(checked) > 3


def codes(folder: Path) -> set[str]:
    """Receipt codes that a node gave to what it took for its own council."""
    return {each["code"] for each in sqlite_documents(folder)("intake", "dossiers") if not each["competent_node"]}
