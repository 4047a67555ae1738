"""The one catalogue of user-facing texts: Vietnamese first, English second.

One YAML file a service lies beside this module (`<service>.yaml`), each entry `code: {vi, en, fix_vi, fix_en}`. `vi`
and `en` say what happened, the `fix_` pair how to mend it (left out together where there is nothing to mend).
Placeholders are facts by name: `{limit}`, or with a format `{amount:vnd}` (1080000 as 1.080.000 đ), `{due:date}` (an
ISO date as 20/12/2023), or with a group of labels: `{state:state}` is "Đã nộp" for the fact `DA_NOP`, and several keys
with commas become their labels. Labels of states and roles are in `labels.yaml` one folder up,
`group: {KEY: {vi, en}}`. Files are read at the first text asked for, and checked whole then: a bad entry is a
`CatalogueError`, which the tests of this library meet before anyone else does.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

from sangkien.text.catalogue._entries import CatalogueError, Entry, read_labels, read_messages

Lang = Literal["vi", "en"]
Facts = Mapping[str, str | int]

__all__ = ["CatalogueError", "Facts", "Lang", "fix", "known_codes", "label", "message", "placeholders"]


@cache
def _messages() -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    folder = resources.files(__name__)
    groups = {name.partition(".")[0] for name in _labels()}
    for file in sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name):
        for code, entry in read_messages(file.name, file.read_text(encoding="utf-8"), groups).items():
            if code in entries:
                raise CatalogueError(file.name, code, f"the code is already in {entries[code].file}; codes are unique")
            entries[code] = entry
    return entries


@cache
def _labels() -> dict[str, Entry]:
    file = resources.files("sangkien.text").joinpath("labels.yaml")
    return read_labels(file.name, file.read_text(encoding="utf-8"))


def known_codes() -> frozenset[str]:
    """Every code the catalogue has a text for."""
    return frozenset(_messages())


def placeholders(code: str) -> frozenset[str]:
    """Names of the facts the texts of `code` use; empty for an unknown code. Tests hold refusals against it."""
    entry = _messages().get(code)
    return entry.placeholders if entry else frozenset()


def message(code: str, facts: Facts | None = None, lang: Lang = "vi") -> str:
    """What happened, in words. An unknown code gives the code itself, a missing fact "…": never an error."""
    entry = _messages().get(code)
    return (entry.vi if lang == "vi" else entry.en).fill(facts or {}, lang, _labels()) if entry else code


def fix(code: str, facts: Facts | None = None, lang: Lang = "vi") -> str:
    """How to mend it, in words; "" where the catalogue has no advice or does not know the code."""
    entry = _messages().get(code)
    template = (entry.fix_vi if lang == "vi" else entry.fix_en) if entry else None
    return template.fill(facts or {}, lang, _labels()) if template else ""


def label(key: str, lang: Lang = "vi") -> str:
    """The words for a state, role or other fixed value by `group.KEY` (`state.DA_NOP`); an unknown key comes back."""
    entry = _labels().get(key)
    return entry.words(lang) if entry else key
