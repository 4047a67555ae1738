"""A person's record: what was recognised here, and what other nodes assert over links that both sides confirmed.

Each node asserts what it recognised itself and never passes on what others assert, so that nothing goes in circles.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sangkien.kernel import Aggregate
from sangkien.recognition.domain.events import RecordLine, RecordWasChanged

MOST_AT_ONCE = 100
"""Lines told in one message."""


@dataclass(frozen=True, slots=True)
class RecordLink:
    """A link of the person as directory said last: `version` orders what it says, `told` counts what went over it."""

    link_id: str
    node: str
    version: int
    stands: bool
    sends: bool
    receives: bool
    told: int = 0


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """One line as it is shown; `asserted_by` is "" for what was recognised here."""

    line: RecordLine
    asserted_by: str = ""


@dataclass
class PersonRecord(Aggregate):
    """Lines by initiative and tier, certificates that came before their line by dossier, links by id, and by link what
    the other node asserts: kept when the link ends, and not shown any more.
    """

    person_id: str
    lines: dict[str, RecordLine]
    certificates: dict[str, str]
    links: dict[str, RecordLink]
    asserted: dict[str, dict[str, RecordLine]]

    def enter(self, line: RecordLine) -> None:
        """An initiative entered the register; what is known already stays."""
        if line.key not in self.lines:
            number = self.certificates.pop(line.dossier_id, "")
            self._put(replace(line, certificate_number=number))

    def certify(self, dossier_id: str, number: str) -> None:
        """A certificate was fixed, before or after its line is known."""
        line = next((each for each in self.lines.values() if each.dossier_id == dossier_id), None)
        if line is None:
            self.certificates[dossier_id] = number
        elif not line.certificate_number:
            self._put(replace(line, certificate_number=number, version=line.version + 1))

    def follow(self, link: RecordLink) -> None:
        """Take in where a link stands; older news changes nothing. Over one that stands now all lines are told."""
        known = self.links.get(link.link_id)
        if known is not None and link.version <= known.version:
            return
        self.links[link.link_id] = replace(link, told=known.told if known else 0)
        if link.stands and link.sends and not (known and known.stands):
            self._tell(link.link_id, list(self.lines.values()))

    def hear(self, link_id: str, lines: Iterable[RecordLine]) -> None:
        """Take in what the other node asserts; an older line changes nothing."""
        known = self.asserted.setdefault(link_id, {})
        for line in lines:
            if line.key not in known or line.version > known[line.key].version:
                known[line.key] = line

    def entries(self) -> list[RecordEntry]:
        """Own lines and those asserted over links that stand, by date. The same recognition is there once: as an own
        one, else as the node says it last, however many links lead there.
        """
        own = {_what(line) for line in self.lines.values()}
        theirs: dict[tuple[str, str], RecordEntry] = {}
        for link in self.links.values():
            if link.stands and link.receives:
                for line in self.asserted.get(link.link_id, {}).values():
                    known = theirs.get((link.node, line.key))
                    if _what(line) not in own and (known is None or line.version > known.line.version):
                        theirs[link.node, line.key] = RecordEntry(line, link.node)
        entries = [*[RecordEntry(line) for line in self.lines.values()], *theirs.values()]
        return sorted(entries, key=lambda each: (each.line.issued_on, each.asserted_by, each.line.key))

    def _put(self, line: RecordLine) -> None:
        self.lines[line.key] = line
        for link in list(self.links.values()):
            if link.stands and link.sends:
                self._tell(link.link_id, [line])

    def _tell(self, link_id: str, lines: Sequence[RecordLine]) -> None:
        for start in range(0, len(lines), MOST_AT_ONCE):
            link = replace(self.links[link_id], told=self.links[link_id].told + 1)
            self.links[link_id] = link
            some = tuple(lines[start : start + MOST_AT_ONCE])
            self.record(RecordWasChanged(link_id, link.node, link.told, some))


def _what(line: RecordLine) -> tuple[str, str, date, str]:
    """What makes two lines the same recognition, whoever says it."""
    return line.tier, line.decision_symbol, line.issued_on, line.title.casefold()
