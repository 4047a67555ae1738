"""What the last audit saw: what was shortened or written anew since then may hold in itself, but not against this."""

import json
from pathlib import Path

from sangkien.console.node.joining import write_secret
from sangkien.custody import BrokenLink


class Remembered:
    """A file beside the stores: of each log or chain, how far it reached and the hash there.

    Removed by the operator after a restore, which sets everything back on purpose.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "audited.json"
        self._places: dict[str, list[int | str]] = {}
        if self._file.exists():
            self._places = json.loads(self._file.read_text())

    def check(self, what: str, where: str, number: int, digest: str) -> None:
        """Say what stands at a number now. Raises BrokenLink `rewritten` when something else stood there."""
        if self._places.get(what, [0, ""]) == [number, digest] or self.reached(what) != number:
            return
        raise BrokenLink(where, "rewritten")

    def reached(self, what: str) -> int:
        """How far it reached; 0 when it was never audited."""
        return int(self._places.get(what, [0, ""])[0])

    def keep(self, what: str, number: int, digest: str) -> None:
        """Remember it, when all of it held."""
        if number:
            self._places[what] = [number, digest]
            write_secret(self._file, json.dumps(self._places))
