"""Nearest names for a "did you mean": organisations as people write them, abbreviations and typing errors included."""

import heapq
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from sangkien.text.normal import fold

# Habits seen in real lists. "P." is a ward or an office, so both readings are tried.
_ABBREVIATIONS: dict[str, tuple[str, ...]] = {
    "tp": ("thanh pho",),
    "hcm": ("ho chi minh",),
    "tphcm": ("thanh pho ho chi minh",),
    "tphn": ("thanh pho ha noi",),
    "hn": ("ha noi",),
    "p": ("phuong", "phong"),
    "q": ("quan",),
    "h": ("huyen",),
    "x": ("xa",),
    "tt": ("thi tran", "trung tam"),
    "tx": ("thi xa",),
    "tr": ("truong",),
    "trg": ("truong",),
    "mn": ("mam non",),
    "th": ("tieu hoc",),
    "thcs": ("trung hoc co so",),
    "thpt": ("trung hoc pho thong",),
    "gddt": ("giao duc va dao tao",),
    "khcn": ("khoa hoc va cong nghe",),
    "vhtt": ("van hoa va thong tin",),
    "ubnd": ("uy ban nhan dan",),
    "ldld": ("lien doan lao dong",),
    "cdcs": ("cong doan co so",),
    "pgd": ("phong giao duc",),
    "bv": ("benh vien",),
    "dh": ("dai hoc",),
    "tnhh": ("trach nhiem huu han",),
    "cp": ("co phan",),
}
# Words that tell the kind of unit, not which unit. One-word kinds count at the start only: "Phong Thủy" is a name.
_KINDS = re.compile(
    r"^(?:phuong|phong|quan|huyen|xa|so|ban|vien|doan)\b|\b(?:thi tran|thi xa|thanh pho|mam non|tieu hoc"
    r"|trung hoc co so|trung hoc pho thong|giao duc va dao tao|uy ban nhan dan|lien doan lao dong|cong doan co so"
    r"|cong ty|benh vien|dai hoc|cao dang|trung tam|trach nhiem huu han|co phan)\b"
)
# A ward and its people's committee are one unit in every list seen.
_IGNORED = re.compile(r"\btruong\b|^uy ban nhan dan (?=(?:phuong|xa|quan|huyen|thi|thanh|tp|thi tran|tinh)\b)")
_NEAR_ENOUGH = 0.6
_MOST_READINGS = 8


class _Shape(NamedTuple):
    named: str
    proper: frozenset[str]
    kind: frozenset[str]
    numbers: frozenset[str]


def similar(name: str, candidates: Iterable[str], limit: int = 3) -> list[str]:
    """Up to `limit` candidates that may be what `name` means, nearest first; empty when none is near.

    Conservative: what tells units apart (their own name, their number) must be near, sharing "Trường Tiểu học" is not
    enough. Meant for a person to choose from, never for a decision.
    """
    wanted = [_shape(reading) for reading in _readings(name)]
    scored: list[tuple[float, str]] = []
    for candidate in dict.fromkeys(candidates):
        near = max(_nearness(shape, _shape(_readings(candidate)[0])) for shape in wanted)
        if near >= _NEAR_ENOUGH:
            scored.append((-near, candidate))
    return [candidate for _, candidate in heapq.nsmallest(limit, scored)]


def spellings(name: str) -> tuple[str, ...]:
    """The ways to read a unit's name: folded, abbreviations written out, without punctuation, "trường", and the "UBND"
    before a place.

    Two spellings of one name share at least one of them. Empty for a name without letters or digits.
    """
    named = (_shape(reading).named for reading in _readings(name))
    return tuple(dict.fromkeys(reading for reading in named if reading))


@lru_cache(maxsize=20_000)
def _readings(name: str) -> tuple[str, ...]:
    """The folded name with abbreviations written out: one text for each way to read it, never none."""
    folded = fold(name).replace("&", "")
    folded = re.sub(r"\b(tp)\s*\.?\s*(hcm|hn)\b", r"\1\2", folded)
    words = re.findall(r"[^\W_]+\.?", folded)
    readings = [""]
    for place, word in enumerate(words):
        bare = word.rstrip(".")
        # A lone letter is an abbreviation when dotted or when a name follows it; "Lớp A" and "P" alone are not.
        written_out = len(bare) > 1 or (len(words) > 1 and (word.endswith(".") or place == 0))
        known = _ABBREVIATIONS.get(bare, ()) if written_out else ()
        readings = [f"{reading} {full}" for reading in readings for full in (known or (bare,))][:_MOST_READINGS]
    return tuple(reading.strip() for reading in readings)


@lru_cache(maxsize=20_000)
def _shape(reading: str) -> _Shape:
    named = " ".join(_IGNORED.sub(" ", reading).split())
    proper = _KINDS.sub(" ", named).split()
    kind = frozenset(_KINDS.findall(named))
    return _Shape(named, _pairs(proper), kind, frozenset(word for word in proper if word.isdigit()))


def _pairs(words: Iterable[str]) -> frozenset[str]:
    return frozenset(padded[i : i + 2] for padded in (f" {word} " for word in words) for i in range(len(padded) - 1))


def _dice(left: frozenset[str], right: frozenset[str]) -> float:
    return 2 * len(left & right) / (len(left) + len(right)) if left or right else 0.0


def _nearness(left: _Shape, right: _Shape) -> float:
    if left.named == right.named:
        return 1.0 if left.named else 0.0
    if left.numbers and right.numbers and left.numbers != right.numbers:
        return 0.0
    proper = _dice(left.proper, right.proper)
    return 0.0 if proper < _NEAR_ENOUGH else 0.8 * proper + 0.2 * _dice(left.kind, right.kind)
