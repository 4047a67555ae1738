"""Which year a folder was begun with, so that a demo that was interrupted can go on there."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from sangkien.console.demo.scenario import Scenario
from sangkien.console.node.folder import NodeFolder


@dataclass(frozen=True, slots=True)
class Begun:
    """What has to be the same for a year to go on: its steps then send the keys they sent before.

    `scenario` is a hash of all that the scenario says, and `mongo` whether the stores are on a MongoDB server.
    """

    scenario: str
    seed: int
    mongo: bool
    finished: bool = False

    @classmethod
    def of(cls, scenario: Scenario, *, seed: int, mongo: str) -> "Begun":
        return cls(hashlib.sha256(repr(scenario).encode()).hexdigest(), seed, bool(mongo))

    def may_start(self, folder: NodeFolder) -> bool:
        """Whether the folder is new, or holds just this year, begun and not finished."""
        return not folder.used or _read(folder) == self

    def note(self, folder: NodeFolder) -> None:
        """Write down that the year was begun in the folder."""
        (folder.path / _FILE).write_text(json.dumps(asdict(self)))

    def finish(self, folder: NodeFolder) -> None:
        """Write down that it was played to its end."""
        replace(self, finished=True).note(folder)


_FILE = "demo.json"


def _read(folder: NodeFolder) -> Begun | None:
    try:
        return Begun(**json.loads((folder.path / _FILE).read_text()))
    except (OSError, ValueError, TypeError):  # no demo was begun here, or by another version
        return None
