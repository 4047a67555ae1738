"""One document-store port, two real adapters: SQLite in the process, MongoDB over the wire (DESIGN §5)."""

from sangkien.store.errors import (
    Conflict,
    Duplicate,
    Invalid,
    SchemaDrift,
    StoreError,
    StoreInUse,
    StoreUnavailable,
)
from sangkien.store.opening import open_store
from sangkien.store.port import Delete, Document, Index, Insert, Op, Page, Replace, Schema, Sort, Store, Where, save

__all__ = [
    "Conflict",
    "Delete",
    "Document",
    "Duplicate",
    "Index",
    "Insert",
    "Invalid",
    "Op",
    "Page",
    "Replace",
    "Schema",
    "SchemaDrift",
    "Sort",
    "Store",
    "StoreError",
    "StoreInUse",
    "StoreUnavailable",
    "Where",
    "open_store",
    "save",
]
