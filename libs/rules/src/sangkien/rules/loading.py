"""Reading rule files and choosing the entry in force.

A file is read once and checked whole: unknown, missing or mistyped fields, keys written twice, ids used twice, and
periods of one rule that overlap are all refused by file, entry and field, before any rule is used.
"""

import json
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib import resources
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from sangkien.kernel import DateRange
from sangkien.rules.refusals import NoRuleForJurisdiction, NoRuleOnDate

Book = TypeVar("Book")


class RuleDataError(Exception):
    """A rule file is wrong. The message names, for every fault, file, entry (by id, form or code) and field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The document a rule stands in; `article` is None where none was recorded."""

    document: str
    article: str | None

    def __str__(self) -> str:
        return self.cite(self.article)

    def cite(self, article: str | None) -> str:
        return f"{self.document}, {article}" if article else self.document


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What every dated rule carries (DESIGN §8). Both days of the period are included; `valid_to` None has no end.

    `unverified` names the parts whose text was not read; `verified` is true when there are none. The period itself is
    sure between `certain_from` and `certain_to` only: a rule chosen for a day outside them has `valid_from` or
    `valid_to` among its unverified parts. A jurisdiction is a path ("vn/ha-noi"); a rule holds below it as well,
    until a longer path has its own.
    """

    id: str
    domain: str
    jurisdiction: str
    valid_from: date
    valid_to: date | None
    source: Source
    verified: bool
    unverified: tuple[str, ...] = ()
    certain_from: date | None = None
    certain_to: date | None = None

    def __post_init__(self) -> None:
        if self.verified == bool(self.unverified):
            raise ValueError("verified is true exactly when unverified names nothing")
        period = self.period  # refuses an end before the beginning
        if not all(period.contains(day) for day in (self.certain_from, self.certain_to) if day):
            raise ValueError("certain_from and certain_to lie inside the period")

    @property
    def rule_set_id(self) -> str:
        """What a decision stores, to say which rules it was made by."""
        return self.id

    @property
    def period(self) -> DateRange:
        return DateRange(self.valid_from, self.valid_to)

    @property
    def subject(self) -> str:
        """What the entry is a rule about; entries about one subject follow each other in time."""
        return self.domain


Rule = TypeVar("Rule", bound=Entry)


# The C loader is several times faster; a PyYAML built without libyaml has only the other.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without its surprises: a key written twice is refused, a date stays text for the check to read."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        keys = [key.value for key, _ in node.value]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise yaml.constructor.ConstructorError(None, None, f"written twice: {', '.join(twice)}", node.start_mark)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def load(file: str, book: type[Book]) -> Book:
    """Read one of the rule files of this package. Raises RuleDataError. Callers keep the result."""
    return parse(resources.files(__package__).joinpath("data", file).read_text("utf-8"), file, book)


def parse(text: str, file: str, book: type[Book]) -> Book:
    """Read the text of a rule file as the dataclass `book`. Raises RuleDataError, which lists every fault found."""
    try:
        raw = yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader subclass)
    except yaml.YAMLError as error:
        raise RuleDataError(f"{file}: {error}") from error
    try:
        # Through JSON, since only there does strict mode read lists as tuples and texts as dates.
        return TypeAdapter(book).validate_json(json.dumps(raw), strict=True, extra="forbid")
    except ValidationError as error:
        faults = [_place(raw, fault["loc"]) + fault["msg"] for fault in error.errors(include_url=False)]
        raise RuleDataError("\n".join(f"{file}: {fault}" for fault in faults)) from error


def _place(raw: Any, path: Sequence[int | str]) -> str:
    names: list[str] = []
    for step in path:
        try:
            raw = raw[step]
        except (IndexError, KeyError, TypeError):
            raw = None
        if isinstance(raw, dict) and isinstance(step, int):
            name = next((str(raw[key]) for key in ("id", "form", "code") if key in raw), f"entry {step + 1}")
            names.append(name)
        else:
            names.append(str(step + 1) if isinstance(step, int) else step)
    return f"{' > '.join(names)}: " if names else ""


def check_entries(entries: Sequence[Entry], domain: str) -> None:
    """Raise ValueError when an id comes twice, a domain is not the file's, or two rules about one subject overlap."""
    seen: list[Entry] = []
    for entry in entries:
        if entry.domain != domain:
            raise ValueError(f"{entry.id}: domain is {entry.domain}, not {domain}")
        for other in seen:
            if other.id == entry.id:
                raise ValueError(f"{entry.id}: id is used twice")
            same = (other.jurisdiction, other.subject) == (entry.jurisdiction, entry.subject)
            if same and other.period.overlaps(entry.period):
                raise ValueError(f"{entry.id}: period overlaps that of {other.id}")
        seen.append(entry)


def in_force(entries: Sequence[Rule], on: date, jurisdiction: str, subject: str) -> Rule:
    """Return the entry that rules `jurisdiction` on that day, with the doubts about its period added to `unverified`.

    The nearest jurisdiction that has any such rule decides alone: where a city has a rule of its own, a gap in it is
    not filled from the country's. Raises NoRuleForJurisdiction or NoRuleOnDate.
    """
    path = jurisdiction
    while not (own := [entry for entry in entries if entry.jurisdiction == path]):
        if "/" not in path:
            known = sorted({entry.jurisdiction for entry in entries})
            raise NoRuleForJurisdiction(field="jurisdiction", subject=subject, known=", ".join(known))
        path = path.rpartition("/")[0]
    for entry in own:
        if entry.period.contains(on):
            return _with_doubts(entry, on)
    raise NoRuleOnDate(field="on", subject=subject, on=on.isoformat(), periods=describe(e.period for e in own))


def _with_doubts(entry: Rule, on: date) -> Rule:
    doubts = set(entry.unverified)
    if entry.certain_from and on < entry.certain_from:
        doubts.add("valid_from")
    if entry.certain_to and on > entry.certain_to:
        doubts.add("valid_to")
    return replace(entry, verified=not doubts, unverified=tuple(sorted(doubts)))


def describe(periods: Iterable[DateRange]) -> str:
    """Write periods in time order, those that touch joined into one ("2018-07-01/2025-06-30, 2026-01-01/")."""
    joined: list[DateRange] = []
    for period in sorted(periods, key=lambda period: period.valid_from):
        last = joined[-1] if joined else None
        if last and last.valid_to and last.valid_to + timedelta(days=1) == period.valid_from:
            joined[-1] = DateRange(last.valid_from, period.valid_to)
        else:
            joined.append(period)
    return ", ".join(f"{period.valid_from}/{period.valid_to or ''}" for period in joined)
