"""Reading and checking the catalogue's files."""

import re
import string
import unicodedata
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from sangkien.text.formats import FORMATS

_CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_LABEL = re.compile(r"[A-Za-z0-9_-]+")
_FACT = re.compile(r"[a-z_][a-z0-9_]*")
_REQUIRED = {"vi", "en"}
_OPTIONAL = {"fix_vi", "fix_en"}
_MISSING = "…"


class CatalogueError(Exception):
    """A catalogue file is wrong: which file, which entry, and what to do about it."""

    def __init__(self, file: str, code: str, problem: str) -> None:
        super().__init__(f"{file}: {code}: {problem}" if code else f"{file}: {problem}")


@dataclass(frozen=True, slots=True)
class Template:
    """A text cut at its placeholders: (literal text, fact that follows it or "", format of the fact or "").

    A format is one of FORMATS or a group of labels; then the fact is a key of that group, or several with commas.
    """

    pieces: tuple[tuple[str, str, str], ...]

    @property
    def placeholders(self) -> frozenset[str]:
        return frozenset(fact for _, fact, _ in self.pieces if fact)

    def fill(self, facts: Mapping[str, str | int], lang: str, labels: Mapping[str, "Entry"] | None = None) -> str:
        """The text with the facts in it. A fact that is missing is "…", and a key without a label stands as it is."""
        known = labels or {}
        return "".join(
            [text + (_value(facts, fact, how, lang, known) if fact else "") for text, fact, how in self.pieces]
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """The texts of one code. A label is an entry that has no advice."""

    file: str
    vi: Template
    en: Template
    fix_vi: Template | None
    fix_en: Template | None

    def words(self, lang: str) -> str:
        """What it says without facts, as labels do."""
        return (self.vi if lang == "vi" else self.en).fill({}, lang)

    @property
    def placeholders(self) -> frozenset[str]:
        return self.vi.placeholders | (self.fix_vi.placeholders if self.fix_vi else frozenset())


def _value(facts: Mapping[str, str | int], fact: str, how: str, lang: str, labels: Mapping[str, Entry]) -> str:
    if fact not in facts:
        return _MISSING
    value = facts[fact]
    if not how:
        return str(value)
    if how in FORMATS:
        return FORMATS[how](value, lang)
    keys = str(value).split(", ")
    return ", ".join([labels[name].words(lang) if (name := f"{how}.{key}") in labels else key for key in keys])


# The C loader is several times faster; a PyYAML built without libyaml has only the other.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeys(_Loader):  # type: ignore[misc]
    """Safe loader that refuses a key written twice in one mapping, where YAML would let the last one win."""

    def construct_mapping(  # the signature is PyYAML's
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002
    ) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f'the key "{name}" is there twice', key.start_mark)
            seen.add(name)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def read_messages(file: str, text: str, groups: Collection[str] = ()) -> dict[str, Entry]:
    """The entries of one message file; `groups` of labels may format facts. Raises `CatalogueError`."""
    entries = {}
    for code, raw in _mapping(file, text).items():
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise CatalogueError(file, str(code), "a code is snake_case")
        entries[code] = _entry(file, code, raw, _OPTIONAL, groups)
    return entries


def read_labels(file: str, text: str) -> dict[str, Entry]:
    """The labels of the label file by `group.KEY`. Raises `CatalogueError`."""
    entries = {}
    for group, labels in _mapping(file, text).items():
        if not isinstance(labels, dict):
            raise CatalogueError(file, str(group), "a group maps keys to {vi, en}")
        for key, raw in labels.items():
            name = f"{group}.{key}"
            if not isinstance(key, str) or not _LABEL.fullmatch(key):
                raise CatalogueError(file, name, "a key is letters, digits, - and _; quote what YAML reads otherwise")
            entries[name] = _entry(file, name, raw, set(), ())
            if entries[name].placeholders:
                raise CatalogueError(file, name, "a label has no placeholders")
    return entries


def _mapping(file: str, text: str) -> dict[Any, Any]:
    try:
        loaded = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 -- a SafeLoader subclass
    except yaml.YAMLError as error:
        raise CatalogueError(file, "", f"is not valid YAML: {error}") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise CatalogueError(file, "", "is not a mapping of codes to texts")
    return loaded


def _entry(file: str, code: str, raw: object, optional: set[str], groups: Collection[str]) -> Entry:
    if not isinstance(raw, dict):
        raise CatalogueError(file, code, "is not a mapping of languages to texts")
    if missing := _REQUIRED - raw.keys():
        raise CatalogueError(file, code, f"has no {' and no '.join(sorted(missing))}")
    if unknown := raw.keys() - _REQUIRED - optional:
        raise CatalogueError(file, code, f"has unknown fields: {', '.join(sorted(map(str, unknown)))}")
    if len(_OPTIONAL & raw.keys()) == 1:
        raise CatalogueError(file, code, "has fix_vi or fix_en without the other")
    texts = {field: _template(file, code, field, text, groups) for field, text in raw.items()}
    for vi, en in (("vi", "en"), ("fix_vi", "fix_en")):
        if vi in texts and texts[vi].placeholders != texts[en].placeholders:
            odd = ", ".join(sorted(texts[vi].placeholders ^ texts[en].placeholders))
            raise CatalogueError(file, code, f"{vi} and {en} differ in their placeholders: {odd}")
    return Entry(file, texts["vi"], texts["en"], texts.get("fix_vi"), texts.get("fix_en"))


def _template(file: str, code: str, field: str, text: object, groups: Collection[str]) -> Template:
    if not isinstance(text, str) or not text.strip():
        raise CatalogueError(file, code, f"{field} is empty or not a text")
    if not unicodedata.is_normalized("NFC", text):
        raise CatalogueError(file, code, f"{field} is not in Unicode NFC")
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise CatalogueError(file, code, f"{field}: {error}") from error
    pieces = []
    for literal, fact, how, conversion in parsed:
        if fact is not None and not _FACT.fullmatch(fact):
            raise CatalogueError(file, code, f"{field}: {{{fact}}} is not the name of a fact")
        if conversion or (how and how not in FORMATS and how not in groups):
            known = ", ".join([*FORMATS, *sorted(groups)])
            raise CatalogueError(file, code, f"{field}: {{{fact}}} has an unknown format; known are {known}")
        pieces.append((literal, fact or "", how or ""))
    return Template(tuple(pieces))
