"""The node's folder: whether a node runs on it, whatever a killed one left behind."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from sangkien.console.node.folder import NodeFolder, NodeFolderError, Running


def running() -> Running:
    return Running(os.getpid(), "nats://127.0.0.1:1", {"intake": "127.0.0.1:2"})


def test_folder_tells_of_the_node_that_runs_and_forgets_it(tmp_path: Path) -> None:
    owner, looking = NodeFolder(tmp_path), NodeFolder(tmp_path)
    owner.claim()
    owner.announce(running())
    seen = looking.running()
    owner.withdraw()

    assert (seen, looking.running()) == (running(), None)


def test_what_a_killed_node_left_is_not_a_running_node_though_its_process_id_lives_again(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path)
    (tmp_path / "running.json").write_text(json.dumps(asdict(running())))

    assert folder.running() is None
    folder.claim()
    folder.announce(running())
    assert folder.running() == running()
    folder.withdraw()


def test_second_node_on_a_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    first, second = NodeFolder(tmp_path), NodeFolder(tmp_path)
    first.claim()
    first.announce(running())

    with pytest.raises(NodeFolderError, match=str(os.getpid())):
        second.claim()
    assert second.running() == running()
    first.withdraw()
