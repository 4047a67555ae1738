"""Every unit by every way its name is written, in memory."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sangkien.directory.domain.organisation import Organisation
from sangkien.text import fold, same_name, similar, spellings

MOST_SUGGESTIONS = 3

Names = defaultdict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Match:
    """What a typed name means. `organisation_id` and `name` are "" when none fits, or several do."""

    organisation_id: str = ""
    name: str = ""
    suggestions: tuple[str, ...] = ()
    ambiguous: bool = False


class UnitIndex:
    """Finds units by name. Units are only added to it, and names to units, as in the tree itself."""

    def __init__(self) -> None:
        self._units: dict[str, Organisation] = {}
        self._by_name: Names = defaultdict(set)
        self._by_alias: Names = defaultdict(set)
        self._by_spelling: Names = defaultdict(set)
        self._by_place: Names = defaultdict(set)

    def put(self, organisations: Iterable[Organisation]) -> None:
        """Add units, or the new aliases of known ones. Parents come before or together with their children."""
        added = list(organisations)
        self._units.update((each.id, each) for each in added)
        for each in added:
            self._by_name[fold(each.name)].add(each.id)
            parent = self._units.get(each.parent_id)
            for name in (each.name, *each.aliases):
                self._by_alias[fold(name)].add(each.id)
                for spelling in spellings(name):
                    self._by_spelling[spelling].add(each.id)
                if parent is not None:
                    for spelling in spellings(f"{name} {parent.name}"):
                        self._by_place[spelling].add(each.id)

    def find(self, typed: str, on: date | None) -> Match:
        """The unit meant, on a day or at any time: by its name, else an alias, else with abbreviations written out,
        else with its parent's name behind. Where several fit, those are named; near ones are not looked for.
        """
        folded, written_out = (fold(typed),), spellings(typed)
        for names, keys in (
            (self._by_name, folded),
            (self._by_alias, folded),
            (self._by_spelling, written_out),
            (self._by_place, written_out),
        ):
            fitting = {id for key in keys if key in names for id in names[key] if self._stands(id, on)}
            if len(fitting) > 1:
                fitting = self._spelt_exactly(typed, fitting) or fitting
            if len(fitting) == 1:
                id = fitting.pop()
                return Match(id, self._units[id].name)
            if fitting:
                return Match(suggestions=self._labels(fitting)[:MOST_SUGGESTIONS], ambiguous=True)
        return Match()

    def suggest(self, typed: str, on: date | None) -> Match:
        """The nearest names, for one that `find` knows nothing of. Takes a while: run it off the event loop."""
        names = [unit.name for unit in list(self._units.values()) if on is None or unit.validity.contains(on)]
        return Match(suggestions=tuple(similar(typed, names, MOST_SUGGESTIONS)))

    def _stands(self, id: str, on: date | None) -> bool:
        return on is None or self._units[id].validity.contains(on)

    def _spelt_exactly(self, typed: str, ids: set[str]) -> set[str]:
        """Those whose name has the very tones that were typed, wherever in the syllable they were put."""
        exact = same_name(typed)
        return {id for id in ids if same_name(self._units[id].name) == exact}

    def _labels(self, ids: set[str]) -> tuple[str, ...]:
        """Names that can be told apart, and typed back in: with the parent's where two are the same."""
        units = sorted((self._units[id] for id in ids), key=lambda unit: (unit.name, unit.id))
        names = [unit.name for unit in units]
        labels = []
        for unit in units:
            parent = self._units.get(unit.parent_id)
            same = names.count(unit.name) > 1 and parent is not None
            labels.append(f"{unit.name} ({parent.name})" if same and parent else unit.name)
        return tuple(dict.fromkeys(labels))
