"""What both stores accept: names, documents, keys. Checked before writing, so that neither store half-accepts."""

import re
from collections.abc import Set as AbstractSet
from typing import Any, Final

from sangkien.store.errors import Invalid

MAX_INT: Final = 2**53
MAX_DEPTH: Final = 60
MAX_BYTES: Final = 15 * 2**20

_COLLECTION = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_PATH = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*")
_DATABASE = re.compile(r"[A-Za-z0-9_-]{1,60}")

# Keys repeat from document to document: those found good once are looked up, not checked again.
_GOOD_KEYS: set[str] = set()
_GOOD_KEYS_LIMIT: Final = 10_000
_PLAIN: Final = frozenset({str, bool, type(None)})
"""Types of which every value is allowed."""


def check_collection(name: str) -> str:
    """Return ``name`` if it can name a collection in both stores; raises Invalid."""
    if not _COLLECTION.fullmatch(name):
        raise Invalid(f"collection name {name!r}: use a-z, 0-9 and _, a letter first, 63 at most")
    return name


def check_path(path: str) -> str:
    """Return ``path`` if it can be queried, sorted or indexed; raises Invalid."""
    if not _PATH.fullmatch(path):
        raise Invalid(f"field path {path!r}: use names of a-z, 0-9 and _ joined by dots")
    return path


def check_database(name: str) -> str:
    """Return ``name`` if it can name a database in both stores; raises Invalid."""
    if not _DATABASE.fullmatch(name):
        raise Invalid(f"database name {name!r}: use letters, digits, _ and -, 60 at most")
    return name


def can_be_id(id: Any) -> bool:
    """Whether a document can have this id."""
    return type(id) is str and id != "" and "\0" not in id


def check_id(coll: str, id: Any) -> str:
    """Return ``id`` if it is a usable document id; raises Invalid."""
    if not can_be_id(id):
        raise Invalid(f"{coll}: _id must be a non-empty str without NUL, got {type(id).__name__}")
    return str(id)


def check_version(coll: str, id: str, version: Any) -> int:
    """Return ``version`` if a document can be at it; raises Invalid."""
    if type(version) is not int or not 1 <= version <= MAX_INT:
        raise Invalid(f"{coll}/{id}: the expected version must be an int of at least 1, got {version!r}")
    return version


def check_declared(coll: str, collections: AbstractSet[str]) -> None:
    """Raises Invalid for a collection that no ``ensure`` named."""
    if coll not in collections:
        raise Invalid(f"collection {coll!r} is not declared; add it to the schema passed to ensure()")


def check_document(coll: str, doc: dict[str, Any]) -> str:
    """Return the document's id if both stores can hold it unchanged; raises Invalid naming the field."""
    id = check_id(coll, doc.get("_id"))
    try:
        _check_mapping(doc, 0)
    except _Bad as bad:
        where = ".".join(reversed(bad.path)) or "(document)"
        raise Invalid(f"{coll}/{id}: field {where}: {bad.reason}") from None
    return id


class _Bad(Exception):
    def __init__(self, reason: str) -> None:
        self.reason, self.path = reason, list[str]()


def _check_mapping(mapping: dict[Any, Any], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _Bad(f"nested deeper than {MAX_DEPTH} levels")
    if not _GOOD_KEYS.issuperset(mapping):
        for key in mapping:
            if key not in _GOOD_KEYS:
                _check_key(key)
    for key, value in mapping.items():
        if type(value) not in _PLAIN:
            try:
                _check_value(value, depth)
            except _Bad as bad:
                bad.path.append(key)
                raise


def _check_value(value: Any, depth: int) -> None:
    """Of a type that is not plain."""
    kind = type(value)
    if kind is int:
        if not -MAX_INT <= value <= MAX_INT:
            raise _Bad("integer beyond ±2**53; keep it as a str")
    elif kind is dict:
        _check_mapping(value, depth + 1)
    elif kind is list or kind is tuple:
        if depth >= MAX_DEPTH:
            raise _Bad(f"nested deeper than {MAX_DEPTH} levels")
        for item in value:
            if type(item) not in _PLAIN:
                _check_value(item, depth + 1)
    elif kind is float:
        if value - value != 0:
            raise _Bad("NaN and infinity cannot be stored")
    elif not (hasattr(value, "_value_") and isinstance(value, (str, int))):  # members of StrEnum and IntEnum
        raise _Bad(f"{kind.__name__} is not JSON-safe; store a str, number, bool, list or mapping")


def _check_key(key: Any) -> None:
    if type(key) is not str:
        raise _Bad(f"keys must be str, got {type(key).__name__}")
    if not key or key[0] == "$" or "." in key or "\0" in key:
        raise _Bad(f"key {key!r} may not be empty, start with $ or contain a dot or NUL")
    if len(_GOOD_KEYS) < _GOOD_KEYS_LIMIT:
        _GOOD_KEYS.add(key)
